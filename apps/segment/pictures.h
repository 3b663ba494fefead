// The pictures of pliant-segment and their masks: where they come from, and what the net is given of
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/apps/kit/picture_set.h>
#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant::segment {

inline constexpr std::int64_t kVoid = 255;  // a label that belongs to no class

using PictureSet = kit::PictureSet<SegmentationSample>;

struct PictureSets {
  PictureSet train = {}, val = {}, test = {};  // test may be empty
  std::vector<std::string> classes = {};       // names, by label
  Palette colours = {};                        // theirs
  std::string source = {};                     // "streets: PASCAL VOC layout"
  std::vector<std::string> notices = {};       // for people: what was left out
  bool is_example = false;
};

struct DataOptions {
  double val = 0.15;  // share of the training set that is held out, where there is no val set
  BadFiles bad_files = BadFiles::stop;
  std::int64_t train_pictures = 0;  // 0: all
  Rng rng = Rng(0);
};

// DATA may be in the layout of PASCAL VOC (data/voc.h), a folder of images/ and masks/
// (data/mask_folder.h), or one with such folders train, val and test in it. All files are read once,
// so that what is bad is told before anything is begun. What DATA is not is an Error that says what
// it may be.
PictureSets open_pictures(const std::string& data, const DataOptions& options);
// Scenes drawn by program, which the source says loudly.
PictureSets example_pictures(const DataOptions& options);

// How many pixels each class has in a set; those of no class are left out.
std::vector<std::int64_t> pixels_by_class(const PictureSet& set, std::size_t classes);

}  // namespace pliant::segment
