// The JSON of COCO's annotations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <pliant/data/internal/detection.h>

namespace pliant {

struct CocoFile {
  std::vector<std::int64_t> categories;  // ids, ascending: a label is the place in them
  std::vector<std::string> classes;
  std::vector<DetectionPicture> pictures;  // paths as the file has them; boxes are cut
};

// What it cannot read is an Error of one line that names the file.
CocoFile read_coco_json(const std::filesystem::path& path);

}  // namespace pliant
