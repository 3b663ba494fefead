// Sets of pictures with boxes as programs open them: COCO's files by split, and what was left out.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pliant/apps/kit/picture_set.h>
#include <pliant/core/text.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/samples.h>

namespace pliant::kit {

// Of a split in COCO's layout: annotations/SPLIT.json or COCO's own instances_SPLIT2017.json, and
// the folder of its pictures, named as the split is in that name, or of all. Nothing where there
// are no annotations.
struct CocoFiles {
  std::filesystem::path images, annotations;
};
std::optional<CocoFiles> coco_files(const std::filesystem::path& root, const std::string& split);

// A VocDetection, CocoDetection or YoloDetection; `notices` get what it left out, for people.
template <class Set>
PictureSet<DetectionSample> set_of(const Set& set, const std::string& split,
                                   std::vector<std::string>& notices) {
  constexpr std::size_t kNotices = 5;  // of files left out
  const std::vector<BadFile>& bad = set.skipped();
  for (std::size_t i = 0; i < std::min(bad.size(), kNotices); ++i)
    notices.push_back("left out: " + printable(bad[i].reason));
  if (bad.size() > kNotices)
    notices.push_back(text_from("left out: ", bad.size() - kNotices, " more pictures of ", split));
  if (set.dropped() > 0)
    notices.push_back(text_from(split, ": ", grouped(set.dropped()),
                                set.dropped() == 1 ? " box" : " boxes",
                                " without area inside the picture left out"));
  std::vector<std::string> ids;
  for (std::int64_t i = 0; i < set.size(); ++i) ids.push_back(set.id(i));
  return {std::move(ids), [set](std::int64_t i) { return set.at(i); }};
}

}  // namespace pliant::kit
