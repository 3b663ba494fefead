// The pictures of pliant-train: where they come from, and what the net is given of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <pliant/apps/train/nets.h>
#include <pliant/data/image_folder.h>
#include <pliant/data/images.h>
#include <pliant/data/loader.h>

namespace pliant::train {

// A set of labelled pictures, wherever they lie. Copies are handles.
class PictureSet {
 public:
  PictureSet() = default;
  PictureSet(std::vector<std::int64_t> labels, std::function<Tensor(std::int64_t)> read,
             std::function<std::string(std::int64_t)> name)
      : set_(std::make_shared<Set>(Set{std::move(labels), std::move(read), std::move(name)})) {}

  std::int64_t size() const {
    return set_ == nullptr ? 0 : static_cast<std::int64_t>(set_->labels.size());
  }
  std::int64_t label(std::int64_t i) const { return set_->labels[static_cast<std::size_t>(i)]; }
  // uint8 [H W C] of its own size.
  Tensor read(std::int64_t i) const { return set_->read(i); }
  // What people call it: its file, or its number.
  std::string name(std::int64_t i) const { return set_->name(i); }

  // Some of them.
  PictureSet take(std::vector<std::int64_t> indices) const;
  std::vector<std::int64_t> counts(std::size_t classes) const;  // by label

 private:
  struct Set {
    std::vector<std::int64_t> labels;
    std::function<Tensor(std::int64_t)> read;
    std::function<std::string(std::int64_t)> name;
  };
  std::shared_ptr<const Set> set_;
};

struct PictureSets {
  PictureSet train = {}, val = {}, test = {};  // test may be empty
  std::vector<std::string> classes = {};       // names, by label
  std::int64_t channels = 3;                   // of the pictures; those of folders are read as RGB
  std::string source = {};                     // "cats-and-dogs: folders of pictures"
  std::vector<std::string> notices = {};  // for people: what was left out, what is in two halves
};

struct DataOptions {
  double val = 0.1;  // share of the training set held out where there is no val set; 0: none is
  BadFiles bad_files = BadFiles::stop;
  std::int64_t train_images = 0;  // 0: all
  Rng rng = Rng(0);
};

// DATA may be a folder of classes, one with such folders train, val and test in it, CIFAR-10 or
// CIFAR-100 as binary files, a set of IDX files of any size and number of classes, or JPEG streams
// (data/jpeg_stream.h). What it is not is an Error that says what it may be.
PictureSets open_pictures(const std::string& data, const DataOptions& options);
// Shapes drawn by program, which the source says loudly.
PictureSets example_pictures(const DataOptions& options);

// ---- what the net is given ----

enum class Augment : unsigned char {
  none,
  light,   // mirrored, and shifted by up to an eighth
  strong,  // turned, sheared, scaled, brighter or darker besides
};

// A Dataset of LabelledImage: pictures as float32 [size size C], normalised.
class NetInput {
 public:
  NetInput(PictureSet set, const NetRecipe& recipe, Augment augment)
      : set_(std::move(set)), recipe_(recipe), augment_(augment) {}

  std::int64_t size() const { return set_.size(); }
  LabelledImage at(std::int64_t i, const Rng& rng) const;
  // Sixteen of them to look at, drawn by key: uint8 [4*size 4*size C].
  Tensor sheet(const Rng& rng) const;

 private:
  PictureSet set_;
  NetRecipe recipe_;
  Augment augment_;
};

// One picture, without augmentation: its middle square.
Tensor net_input(const Tensor& picture, const NetRecipe& recipe);

}  // namespace pliant::train
