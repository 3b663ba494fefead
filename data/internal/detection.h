// What the sets of boxes have in common.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant {

struct DetectionObject {
  std::array<double, 4> box{};  // x1 y1 x2 y2
  std::int64_t label = 0;
  bool difficult = false, crowd = false;
  std::vector<Polygon> polygons = {};
  std::vector<std::int64_t> runs = {};  // of a mask: COCO's counts, column by column
  double area = -1;                     // of the outline, as COCO says it; below 0: not said
};

// A picture of a set before its file is read.
struct DetectionPicture {
  std::filesystem::path path = {};
  std::string id = {};
  std::int64_t height = 0, width = 0;
  std::vector<DetectionObject> objects = {};
  std::int64_t dropped = 0;  // objects without area
};

// Cuts the boxes at the picture's edges and drops those that have no area left.
void clip_objects(DetectionPicture& picture);

// Reads the file, whose size must be that of the annotation; masks are made where `masks` says so.
DetectionSample read_sample(const DetectionPicture& picture, ImageColour colour, bool masks);

std::int64_t objects_in(const std::vector<DetectionPicture>& pictures);
std::int64_t dropped_in(const std::vector<DetectionPicture>& pictures);

}  // namespace pliant
