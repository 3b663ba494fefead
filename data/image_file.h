// Image files that people have: PNG, JPEG, BMP, binary PGM and PPM.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <pliant/core/tensor.h>

namespace pliant {

enum class ImageColour : unsigned char {
  gray,  // one channel: the luma of ITU-R BT.601
  rgb,   // three
};

// The image uint8 [H W C], C being 1 or 3 as `colour` says, at most 2^26 pixels, upright: turned
// and mirrored as its EXIF orientation asks. 16 bits become 8, CMYK becomes RGB (without colour
// management); what is transparent lies over white, or over black where white would leave nothing
// to see. A PNG's index beyond its palette is black, as libpng has it. A file that is missing, empty, truncated, corrupt, no such image or too large is an Error
// of one line that names it. Memory is taken for the pixels only once the header was found to
// promise a sensible number.
Tensor read_image(const std::filesystem::path& path, ImageColour colour = ImageColour::gray);

// The same from the bytes of a file, which Errors call `name`.
Tensor decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                    ImageColour colour = ImageColour::gray);

}  // namespace pliant
