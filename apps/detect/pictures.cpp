#include <pliant/apps/detect/pictures.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <pliant/apps/detect/scenes.h>
#include <pliant/apps/kit/detection_files.h>
#include <pliant/apps/kit/files.h>
#include <pliant/core/error.h>
#include <pliant/data/coco.h>
#include <pliant/data/voc.h>
#include <pliant/data/yolo.h>

namespace pliant::detect {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSceneHeight = 120, kSceneWidth = 160;
constexpr std::int64_t kScenesToLearn = 240, kScenesToChoose = 40, kScenesToJudge = 60;

std::vector<std::int64_t> numbered(std::size_t classes) {
  std::vector<std::int64_t> ids(classes);
  std::iota(ids.begin(), ids.end(), std::int64_t{1});
  return ids;
}

PictureSets voc_pictures(const fs::path& root, const DataOptions& options) {
  PictureSets sets{.source = root.string() + ": layout of PASCAL VOC"};
  const auto open = [&](const std::string& split) -> PictureSet {
    if (!kit::is_there(root / "ImageSets/Main" / (split + ".txt"))) return {};
    const VocDetection set(root, split, {.bad_files = options.bad_files});
    sets.classes = set.classes();
    return kit::set_of(set, split, sets.notices);
  };
  sets.train = open(options.train_split);
  require(sets.train.size() > 0, root.string(), ": has no ImageSets/Main/", options.train_split,
          ".txt");
  sets.val = open("val");
  sets.test = open("test");
  sets.categories = numbered(sets.classes.size());
  return sets;
}

PictureSets coco_pictures(const fs::path& root, const DataOptions& options) {
  PictureSets sets{.source = root.string() + ": layout of COCO"};
  const auto open = [&](const std::string& split) -> PictureSet {
    const auto files = kit::coco_files(root, split);
    if (!files) return {};
    const CocoDetection set(files->images, files->annotations, {.bad_files = options.bad_files});
    require(sets.classes.empty() || sets.classes == set.classes(), files->annotations.string(),
            ": its categories are not those of the training set");
    if (sets.classes.empty())
      for (std::size_t label = 0; label < set.classes().size(); ++label)
        sets.categories.push_back(set.category(static_cast<std::int64_t>(label)));
    sets.classes = set.classes();
    return kit::set_of(set, split, sets.notices);
  };
  sets.train = open(options.train_split);
  require(sets.train.size() > 0, root.string(), ": has no annotations/", options.train_split,
          ".json");
  sets.val = open("val");
  sets.test = open("test");
  return sets;
}

PictureSets yolo_pictures(const fs::path& root, const DataOptions& options) {
  PictureSets sets{.source = root.string() + ": layout of YOLO"};
  const auto open = [&](const std::string& split) -> PictureSet {
    if (!split.empty() && !kit::is_there(root / "images" / split)) return {};
    const YoloDetection set(root, split, {.bad_files = options.bad_files});
    sets.classes = set.classes();
    return kit::set_of(set, split.empty() ? "the set" : split, sets.notices);
  };
  const bool has_splits = kit::is_there(root / "images" / options.train_split);
  sets.train = open(has_splits ? options.train_split : "");
  if (has_splits) {
    sets.val = open("val");
    sets.test = open("test");
  }
  sets.categories = numbered(sets.classes.size());
  return sets;
}

PictureSet scenes(std::int64_t count, const Rng& rng) {
  return kit::drawn_scenes(
      count, rng, [](const Rng& key) { return make_scene(kSceneHeight, kSceneWidth, key); });
}

// What all ways of opening have in common.
PictureSets completed(PictureSets sets, const DataOptions& options) {
  require(!sets.classes.empty(), sets.source, ": has no classes");
  kit::cut_training_set(sets, options);
  return sets;
}

}  // namespace

PictureSets open_pictures(const std::string& data, const DataOptions& options) {
  const fs::path root(data);
  require(kit::is_there(root), data, ": there is no such folder");
  if (kit::is_there(root / "ImageSets/Main"))
    return completed(voc_pictures(root, options), options);
  if (kit::is_there(root / "annotations")) return completed(coco_pictures(root, options), options);
  require(kit::is_there(root / "images") && kit::is_there(root / "labels"), data,
          ": expected ImageSets/Main (the layout of PASCAL VOC), annotations (of COCO), or images "
          "and labels (of YOLO)");
  return completed(yolo_pictures(root, options), options);
}

PictureSets example_pictures(const DataOptions& options) {
  const Rng rng = Rng(0).fork("scenes");  // the same for every seed, as files are
  return completed({.train = scenes(kScenesToLearn, rng.fork("train")),
                    .val = scenes(kScenesToChoose, rng.fork("val")),
                    .test = scenes(kScenesToJudge, rng.fork("test")),
                    .classes = scene_classes(),
                    .categories = numbered(scene_classes().size()),
                    .source = "EXAMPLE: scenes drawn by program, no real pictures",
                    .notices = {},
                    .is_example = true},
                   options);
}

}  // namespace pliant::detect
