// Image files that people have: PNG, JPEG, BMP, binary PGM and PPM.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

enum class ImageColour : unsigned char {
  gray,  // one channel: the luma of ITU-R BT.601
  rgb,   // three
};

// The image uint8 [H W C], C being 1 or 3 as `colour` says, at most 2^26 pixels, upright: turned
// and mirrored as its EXIF orientation asks. 16 bits become 8, CMYK becomes RGB (without colour
// management); what is transparent lies over white, or over black where white would leave nothing
// to see. A PNG's index beyond its palette is black, as libpng has it. A file that is missing,
// empty, truncated, corrupt, no such image or too large is an Error of one line that names it.
// Memory is taken for the pixels only once the header was found to promise a sensible number.
Tensor read_image(const std::filesystem::path& path, ImageColour colour = ImageColour::gray);

// The same from the bytes of a file, which Errors call `name`.
Tensor decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                    ImageColour colour = ImageColour::gray);

// Writes uint8 [H W C] as a PNG, which is replaced whole or not at all; C is 1 (gray), 3 (RGB) or 4
// (RGB and alpha). What cannot be written is an Error.
void write_image(const std::filesystem::path& path, const Tensor& image);
// The bytes of such a PNG.
std::vector<std::uint8_t> encode_image(const Tensor& image);

// A mask of classes, uint8 [H W]: the indices of a PNG with a palette, which is not applied, or the
// grays of one without, as they stand in the file, of 1, 2, 4 or 8 bits. As it is stored: EXIF's
// orientation is not looked at. Another file is an Error of one line that names it.
Tensor read_mask(const std::filesystem::path& path);

// Colours by index: red, green, blue.
using Palette = std::vector<std::array<std::uint8_t, 3>>;
// The 256 colours of PASCAL VOC's masks: 0 black, 1 dark red, .., 255 cream.
Palette voc_palette();

// Writes uint8 [H W] as a PNG with a palette. An index beyond the palette is an Error.
void write_mask(const std::filesystem::path& path, const Tensor& mask,
                const Palette& palette = voc_palette());

}  // namespace pliant
