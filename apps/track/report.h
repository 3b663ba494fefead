// The page of one net or more: how it went, and frames with the boxes of the truth and of each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/apps/kit/training.h>
#include <pliant/apps/track/judge.h>

namespace pliant::track {

struct ReportNet {
  std::string name;
  const SiamRPN& net;
  const NetRecipe& recipe;
  const kit::Training& training;
  const Judgement& judgement;
};

struct ReportInput {
  const VideoSets& sets;
  const Videos& judged;
  std::vector<ReportNet> nets;  // at least one
  Device device = {};
  std::string table = {};  // HTML before all else
};

void write_report(const std::filesystem::path& folder, const ReportInput& input);

}  // namespace pliant::track
