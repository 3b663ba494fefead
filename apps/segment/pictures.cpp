#include <pliant/apps/segment/pictures.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/segment/scenes.h>
#include <pliant/core/error.h>
#include <pliant/core/parallel.h>
#include <pliant/data/mask_folder.h>
#include <pliant/data/voc.h>

namespace pliant::segment {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSceneHeight = 96, kSceneWidth = 128;
constexpr std::int64_t kScenesToLearn = 240, kScenesToChoose = 40, kScenesToJudge = 60;
constexpr std::size_t kNotices = 5;  // of files left out

// All files have been read, bad ones left out; where they may not be, the first is the Error.
template <class Set>
PictureSet set_of(const Set& set, const DataOptions& options, std::vector<std::string>& notices) {
  const std::vector<BadFile>& bad = set.skipped();
  require(bad.empty() || options.bad_files == BadFiles::skip,
          bad.empty() ? "" : bad.front().reason);
  for (std::size_t i = 0; i < std::min(bad.size(), kNotices); ++i)
    notices.push_back("left out: " + bad[i].reason);
  if (bad.size() > kNotices)
    notices.push_back(text_from("left out: ", bad.size() - kNotices, " more files"));
  std::vector<std::string> ids;
  for (std::int64_t i = 0; i < set.size(); ++i) ids.push_back(set.id(i));
  return {std::move(ids), [set](std::int64_t i) { return set.at(i); }};
}

PictureSets voc_pictures(const fs::path& root, const DataOptions& options) {
  PictureSets sets{.source = root.string() + ": layout of PASCAL VOC"};
  const auto open = [&](const char* split) -> PictureSet {
    if (!kit::is_there(root / "ImageSets/Segmentation" / (std::string(split) + ".txt"))) return {};
    const VocSegmentation set(root, split, {.bad_files = BadFiles::skip});
    sets.classes = set.classes();
    return set_of(set, options, sets.notices);
  };
  sets.train = open("train");
  require(sets.train.size() > 0, root.string(), ": has no ImageSets/Segmentation/train.txt");
  sets.val = open("val");
  sets.test = open("test");
  sets.colours = voc_palette();
  return sets;
}

PictureSets folder_pictures(const fs::path& root, const DataOptions& options) {
  PictureSets sets{.source = root.string() + ": folders images and masks"};
  const MaskClasses classes = read_mask_classes(root);
  const auto open = [&](const fs::path& folder) -> PictureSet {
    if (!kit::is_there(folder)) return {};
    return set_of(MaskFolder(folder, classes, BadFiles::skip), options, sets.notices);
  };
  if (kit::is_there(root / "train")) {
    sets.train = open(root / "train");
    sets.val = open(root / "val");
    sets.test = open(root / "test");
  } else {
    sets.train = open(root);
  }
  sets.classes = classes.names;
  sets.colours = classes.colours.empty() ? voc_palette() : classes.colours;
  return sets;
}

PictureSet scenes(std::int64_t count, const Rng& rng) {
  return kit::drawn_scenes(
      count, rng, [](const Rng& key) { return make_scene(kSceneHeight, kSceneWidth, key); });
}

// What both ways of opening have in common.
PictureSets completed(PictureSets sets, const DataOptions& options) {
  require(sets.classes.size() >= 2, sets.source, ": has ", sets.classes.size(),
          " classes, expected at least 2");
  kit::cut_training_set(sets, options);
  sets.colours.resize(sets.classes.size());
  return sets;
}

}  // namespace

PictureSets open_pictures(const std::string& data, const DataOptions& options) {
  const fs::path root(data);
  require(kit::is_there(root), data, ": there is no such folder");
  if (kit::is_there(root / "ImageSets/Segmentation"))
    return completed(voc_pictures(root, options), options);
  require(kit::is_there(root / "images") || kit::is_there(root / "train/images"), data,
          ": expected ImageSets/Segmentation (the layout of PASCAL VOC), folders images and masks, "
          "or folders train, val and test with these in them");
  return completed(folder_pictures(root, options), options);
}

PictureSets example_pictures(const DataOptions& options) {
  const Rng rng = Rng(0).fork("scenes");  // the same for every seed, as files are
  return completed({.train = scenes(kScenesToLearn, rng.fork("train")),
                    .val = scenes(kScenesToChoose, rng.fork("val")),
                    .test = scenes(kScenesToJudge, rng.fork("test")),
                    .classes = scene_classes(),
                    .colours = voc_palette(),
                    .source = "EXAMPLE: scenes drawn by program, no real pictures",
                    .notices = {},
                    .is_example = true},
                   options);
}

std::vector<std::int64_t> pixels_by_class(const PictureSet& set, std::size_t classes) {
  std::vector<std::array<std::int64_t, 256>> counts(static_cast<std::size_t>(set.size()));
  parallel_for(set.size(), [&](std::int64_t i) {
    std::array<std::int64_t, 256>& of = counts[static_cast<std::size_t>(i)];
    of.fill(0);
    const SegmentationSample sample = set.at(i);
    for (const std::uint8_t label : sample.mask.span<std::uint8_t>()) ++of[label];
  });
  std::vector<std::int64_t> sum(classes);
  for (const auto& of : counts)
    for (std::size_t label = 0; label < classes; ++label) sum[label] += of[label];
  return sum;
}

}  // namespace pliant::segment
