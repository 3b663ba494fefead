// The XML of PASCAL VOC's annotations, by pugixml.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include <pliant/data/internal/detection.h>

namespace pliant {

// Its size (0 x 0 where the file does not say) and objects; boxes are not cut yet. A file that
// cannot be read, or an object whose class is not among `classes`, is an Error of one line that
// names the file; so is every file in a build without pugixml.
DetectionPicture read_voc_xml(const std::filesystem::path& path,
                              std::span<const std::string> classes);

}  // namespace pliant
