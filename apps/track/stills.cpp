#include <pliant/apps/track/stills.h>

#include <algorithm>
#include <filesystem>

#include <pliant/apps/kit/detection_files.h>
#include <pliant/data/coco.h>
#include <pliant/data/voc.h>

namespace pliant::track {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSplit = "train";

template <class Set>
Stills with_objects(const Set& set, const fs::path& root, std::vector<std::string>& notices) {
  require(set.objects() > 0, root.string(), ": its pictures have no object, expected boxes");
  return kit::set_of(set, root.string(), notices);
}

Stills open_folder(const fs::path& root, BadFiles bad_files, std::vector<std::string>& notices) {
  std::error_code ignored;
  if (fs::exists(root / "ImageSets/Main", ignored))
    return with_objects(VocDetection(root, kSplit, {.bad_files = bad_files}), root, notices);
  const auto files = kit::coco_files(root, kSplit);
  require(files.has_value(), root.string(),
          ": expected stills, ImageSets/Main/train.txt (the layout of PASCAL VOC) or "
          "annotations/train.json (of COCO)");
  return with_objects(CocoDetection(files->images, files->annotations, {.bad_files = bad_files}),
                      root, notices);
}

}  // namespace

Stills open_stills(const std::vector<std::string>& folders, BadFiles bad_files,
                   std::vector<std::string>& notices) {
  std::vector<Stills> sets;
  std::vector<std::string> ids;
  std::vector<std::pair<std::size_t, std::int64_t>> places;  // of each picture: set, number in it
  for (const std::string& folder : folders) {
    sets.push_back(open_folder(folder, bad_files, notices));
    for (std::int64_t i = 0; i < sets.back().size(); ++i) {
      ids.push_back(sets.back().id(i));
      places.emplace_back(sets.size() - 1, i);
    }
  }
  return {std::move(ids), [sets, places](std::int64_t i) {
            const auto& place = places[static_cast<std::size_t>(i)];
            return sets[place.first].at(place.second);
          }};
}

Still drawn_still(const Stills& stills, const Rng& rng) {
  constexpr std::uint64_t kTries = 20;  // pictures: some may be without an object
  constexpr double kLeastSide = 8;      // pixels
  for (std::uint64_t k = 0; k < kTries; ++k) {
    const Rng own = rng.fork(k);
    const auto i = own.below(0, static_cast<std::uint64_t>(stills.size()));
    DetectionSample sample = stills.at(static_cast<std::int64_t>(i));
    const auto corners = sample.boxes.span<float>();
    const auto difficult = sample.difficult.span<std::uint8_t>(),
               crowd = sample.crowd.span<std::uint8_t>();
    std::vector<TrackedBox> boxes;
    for (std::size_t n = 0; n < difficult.size(); ++n) {
      const auto at = [&](std::size_t c) { return static_cast<double>(corners[4 * n + c]); };
      const TrackedBox box = {at(0), at(1), at(2) - at(0), at(3) - at(1)};
      if (difficult[n] == 0 && crowd[n] == 0 && std::min(box[2], box[3]) >= kLeastSide)
        boxes.push_back(box);
    }
    if (boxes.empty()) continue;
    return {std::move(sample.image), boxes[own.below(1, boxes.size())]};
  }
  return {};
}

}  // namespace pliant::track
