// Sets in the layout of PASCAL VOC, for detection and for segmentation.
//
//   root/classes.txt                  the names of the classes, one a line; without it VOC's own
//   root/ImageSets/Main/train.txt     the pictures of a split, one a line
//   root/ImageSets/Segmentation/..    the same of those with masks
//   root/JPEGImages/000001.jpg        .png and others too, whatever the case of the ending
//   root/Annotations/000001.xml       boxes
//   root/SegmentationClass/000001.png masks
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant {

struct VocOptions {
  ImageColour colour = ImageColour::rgb;
  BadFiles bad_files = BadFiles::stop;
};

// The twenty classes of VOC 2007 to 2012, by name.
std::vector<std::string> voc_classes();

// A Dataset of DetectionSample. The annotations are read as the set is opened, pictures as they are
// asked for; copies are handles to one list.
//
// Boxes: VOC's xmin ymin xmax ymax are pixels counted from 1, the last included; here they are
// (xmin - 1, ymin - 1, xmax, ymax), cut at the picture's edges. Those without area then are left
// out and counted. Where `difficult` is missing or empty it is 0. Pictures are upright: EXIF's
// orientation is followed, and the boxes, which stay as they are, count as those of the upright
// picture; an annotation of another size is an Error.
//
// An annotation or a picture that is missing, damaged, of another size or with an unknown class is
// an Error of one line that names the file, or is skipped.
class VocDetection {
 public:
  // Of ImageSets/Main. A list of a class (cat_train) is one too: its marks are not looked at.
  VocDetection(const std::filesystem::path& root, const std::string& split,
               const VocOptions& options = {});

  std::int64_t size() const;
  DetectionSample at(std::int64_t i, const Rng& rng = Rng(0)) const;

  const std::vector<std::string>& classes() const&;
  const std::string& id(std::int64_t i) const&;  // its name in the list
  std::int64_t objects() const;                  // in all pictures
  std::int64_t dropped() const;                  // boxes without area
  const std::vector<BadFile>& skipped() const&;  // pictures left out

 private:
  struct List;
  std::shared_ptr<const List> list_;
};

// A Dataset of SegmentationSample; files are read as they are asked for. Without classes.txt the
// classes are "background" and VOC's twenty. A mask of another size than its picture, or with a
// label that is neither a class nor 255, is an Error of one line that names it, or is skipped.
class VocSegmentation {
 public:
  VocSegmentation(const std::filesystem::path& root, const std::string& split,
                  const VocOptions& options = {});  // of ImageSets/Segmentation

  std::int64_t size() const;
  SegmentationSample at(std::int64_t i, const Rng& rng = Rng(0)) const;

  const std::vector<std::string>& classes() const&;
  const std::string& id(std::int64_t i) const&;
  const std::vector<BadFile>& skipped() const&;

 private:
  struct List;
  std::shared_ptr<const List> list_;
};

}  // namespace pliant
