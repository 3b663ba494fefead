// COCO's run-length encoding of masks: the lengths of runs of 0 and 1 in turn, 0 first, down the
// columns (https://github.com/cocodataset/cocoapi, common/maskApi.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

// uint8 [height width] of 0 and 1. Runs that are negative or do not fill the mask exactly are an
// Error.
Tensor rle_mask(std::span<const std::int64_t> runs, std::int64_t height, std::int64_t width);
// The runs of a uint8 [H W], in which what is not 0 counts as 1.
std::vector<std::int64_t> rle_runs(const Tensor& mask);

// The runs that a text of COCO's compressed encoding stands for: each number, or from the fourth on
// its difference to the one before the last, 5 bits a character from '0' on, lowest first; a bit
// more says whether there are more. A text that is none is an Error.
std::vector<std::int64_t> rle_runs(std::string_view text);
std::string rle_text(std::span<const std::int64_t> runs);

}  // namespace pliant
