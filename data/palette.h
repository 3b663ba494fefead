// Colours of classes in pictures of a segmentation.
#pragma once

#include <cstdint>

#include <pliant/core/tensor.h>

namespace pliant {

// PASCAL VOC's: uint8 [count 3], red, green, blue. Bits 0, 1, 2 of a class's number are the highest
// bits of red, green and blue, bits 3, 4, 5 the next, and so on; count is 0 to 256.
Tensor voc_palette(std::int64_t count = 256);

}  // namespace pliant
