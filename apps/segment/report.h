// The page of pliant-segment: nets side by side on the same pictures, how they were trained, what
// they take for what, and where deformable ones read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/apps/kit/training.h>
#include <pliant/apps/segment/judge.h>
#include <pliant/apps/segment/nets.h>

namespace pliant::segment {

struct ReportNet {
  std::string name;
  const DeepLabV3Plus& net;
  const NetRecipe& recipe;
  const kit::Training& training;
  const kit::Confusion& confusion;           // of the judged pictures
  const std::vector<ClassCounts>& pictures;  // each of them
};

struct ReportInput {
  const PictureSets& sets;
  const PictureSet& judged;
  const std::vector<ReportNet>& nets;  // at least one
  Device device = {};
  std::string tables = {};  // HTML, of a table of runs
};

void write_report(const std::filesystem::path& folder, const ReportInput& input);

}  // namespace pliant::segment
