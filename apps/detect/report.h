// The page of one net or more: how it went, what is found, where the bins of a deformable net read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/apps/detect/judge.h>
#include <pliant/apps/kit/training.h>

namespace pliant::detect {

struct ReportNet {
  std::string name;
  const FasterRCNN& net;
  const NetRecipe& recipe;
  const kit::Training& training;
  const Judgement& judgement;
};

struct ReportInput {
  const PictureSets& sets;
  const PictureSet& judged;
  std::vector<ReportNet> nets;  // at least one; the pictures are those of the last
  Device device = {};
  std::string table = {};  // HTML before all else
};

void write_report(const std::filesystem::path& folder, const ReportInput& input);

}  // namespace pliant::detect
