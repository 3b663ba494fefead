// The page of a training: how it went, what is mistaken for what, and where a deformable net reads.
#pragma once

#include <filesystem>
#include <string>

#include <pliant/apps/kit/training.h>
#include <pliant/apps/train/judge.h>

namespace pliant::train {

struct ReportInput {
  const NetRecipe& recipe;
  const PictureSets& sets;
  const kit::Training& training;
  const PictureSet& judged;
  const Judgement& judgement;  // of it
  bool is_example;
  const kit::Classifier& net;
  Device device;
};

void write_report(const std::filesystem::path& folder, const ReportInput& input);

}  // namespace pliant::train
