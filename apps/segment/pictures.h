// The pictures of pliant-segment and their masks: where they come from, and what the net is given of
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant::segment {

inline constexpr std::int64_t kVoid = 255;  // a label that belongs to no class

// A Dataset of SegmentationSample, wherever it lies. Copies are handles.
class PictureSet {
 public:
  PictureSet() = default;
  PictureSet(std::vector<std::string> ids, std::function<SegmentationSample(std::int64_t)> read)
      : set_(std::make_shared<Set>(Set{std::move(ids), std::move(read)})) {}

  std::int64_t size() const {
    return set_ == nullptr ? 0 : static_cast<std::int64_t>(set_->ids.size());
  }
  const std::string& id(std::int64_t i) const& { return set_->ids[static_cast<std::size_t>(i)]; }
  SegmentationSample at(std::int64_t i, const Rng& /*rng*/ = Rng(0)) const { return set_->read(i); }

  // Some of them, in that order.
  PictureSet take(std::vector<std::int64_t> indices) const;

 private:
  struct Set {
    std::vector<std::string> ids;
    std::function<SegmentationSample(std::int64_t)> read;
  };
  std::shared_ptr<const Set> set_;
};

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
