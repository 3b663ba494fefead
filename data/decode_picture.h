// PNG, JPEG and BMP by stb_image, behind a check that nothing of the file is missing and a limit on
// the memory that its header can make us take.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <pliant/core/tensor.h>

namespace pliant {

// Whether the bytes begin as one of the three does.
bool is_decodable_picture(std::span<const std::uint8_t> bytes);

// The picture uint8 [H W C]: C is 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha); of 16 bits
// the upper 8. What is truncated, corrupt or larger than `max_pixels` is an Error of one line that
// names `name`.
Tensor decode_picture(std::span<const std::uint8_t> bytes, std::int64_t max_pixels,
                      const std::string& name);

}  // namespace pliant
