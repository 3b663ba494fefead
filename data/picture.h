// Picture files that people have: PNG, JPEG, BMP, binary PGM and PPM.
#pragma once

#include <filesystem>

#include <pliant/core/tensor.h>

namespace pliant {

// The picture in gray, uint8 [H W 1], at most 2^26 pixels. Colours become their luma, 16 bits
// become 8; what is transparent lies over white, or over black where white would leave one even
// gray. JPEG's note of how the camera was held is not followed. A file that is missing, empty,
// truncated, no such picture, or too large is an Error of one line that names it; memory is taken
// for the pixels only once the header was found to promise a sensible number.
Tensor read_picture(const std::filesystem::path& path);

}  // namespace pliant
