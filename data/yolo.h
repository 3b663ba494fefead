// Sets in the layout of YOLO: pictures, and a text file of boxes for each.
//
//   root/classes.txt           the names of the classes, one a line
//   root/images/train/1.jpg    without a split root/images/1.jpg
//   root/labels/train/1.txt    a line for each object: CLASS CX CY WIDTH HEIGHT, the class as a number
//                              from 0, the rest as shares of the picture's sides; no file: no object
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

struct YoloOptions {
  ImageColour colour = ImageColour::rgb;
  BadFiles bad_files = BadFiles::stop;
};

// A Dataset of DetectionSample, pictures by name. Pictures and boxes are read as the set is opened,
// pictures again as they are asked for; copies are handles to one list.
//
// Boxes are cut at the picture's edges; those without area then are left out and counted. A line
// that has more numbers is of polygons or points and an Error, as is a class that classes.txt does
// not name.
class YoloDetection {
 public:
  YoloDetection(const std::filesystem::path& root, const std::string& split = "",
                const YoloOptions& options = {});

  std::int64_t size() const;
  DetectionSample at(std::int64_t i, const Rng& rng = Rng(0)) const;

  const std::vector<std::string>& classes() const&;
  const std::string& id(std::int64_t i) const&;  // its name without the ending
  std::int64_t objects() const;                  // in all pictures
  std::int64_t dropped() const;                  // boxes without area
  const std::vector<BadFile>& skipped() const&;  // pictures left out

 private:
  struct List;
  std::shared_ptr<const List> list_;
};

}  // namespace pliant
