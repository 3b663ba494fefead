// The pictures of pliant-detect and their boxes: where they come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/apps/kit/picture_set.h>
#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/samples.h>

namespace pliant::detect {

using PictureSet = kit::PictureSet<DetectionSample>;

struct PictureSets {
  PictureSet train = {}, val = {}, test = {};  // test may be empty
  std::vector<std::string> classes = {};       // names, by label
  std::vector<std::int64_t> categories = {};   // COCO's ids, by label
  std::string source = {};                     // "cells: PASCAL VOC layout"
  std::vector<std::string> notices = {};       // for people: what was left out or mended
  bool is_example = false;
};

struct DataOptions {
  double val = 0.15;  // share of the training set that is held out, where there is no val set
  BadFiles bad_files = BadFiles::stop;
  std::int64_t train_pictures = 0;    // 0: all
  std::string train_split = "train";  // what is learned from, of layouts with lists: trainval, say
  Rng rng = Rng(0);
};

// DATA may be in the layout of PASCAL VOC (data/voc.h), of COCO (annotations/SPLIT.json or
// instances_SPLIT.json, pictures in a folder of the split's name), or of YOLO (data/yolo.h). What it
// is not is an Error that says what it may be.
PictureSets open_pictures(const std::string& data, const DataOptions& options);
// Scenes drawn by program, which the source says loudly.
PictureSets example_pictures(const DataOptions& options);

}  // namespace pliant::detect
