// Sets in the format of COCO: a folder of pictures and a JSON file of their objects
// (https://cocodataset.org/#format-data).
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

struct CocoOptions {
  ImageColour colour = ImageColour::rgb;
  BadFiles bad_files = BadFiles::stop;  // of pictures: a JSON file with a fault is an Error
  bool masks = false;                   // whether samples have masks, of polygons or runs (rle.h)
};

// A Dataset of DetectionSample, in the order of the file's images. The JSON file is read as the set
// is opened, pictures as they are asked for; copies are handles to one list.
//
// Labels count the categories by their ids, from 0. Boxes are COCO's (x, y, x + width, y + height),
// cut at the picture's edges; those without area are left out and counted. Pictures are upright as
// in a VocDetection. An object's outline is its polygons, or runs of its mask, compressed or not.
//
// A picture that is missing or of another size, a category or an image that the file does not
// list, an outline that is none: an Error of one line that names the file.
class CocoDetection {
 public:
  CocoDetection(const std::filesystem::path& images, const std::filesystem::path& annotations,
                const CocoOptions& options = {});

  std::int64_t size() const;
  DetectionSample at(std::int64_t i, const Rng& rng = Rng(0)) const;

  const std::vector<std::string>& classes() const&;
  std::int64_t category(std::int64_t label) const;  // the id that the file has for a label
  const std::string& id(std::int64_t i) const&;     // the id that the file has for an image
  std::int64_t objects() const;                     // in all pictures
  std::int64_t dropped() const;                     // boxes without area
  const std::vector<BadFile>& skipped() const&;     // pictures left out

 private:
  struct List;
  std::shared_ptr<const List> list_;
};

}  // namespace pliant
