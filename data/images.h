// LabelledImages: pictures and what they show. The common currency of data/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/core/tensor.h>

namespace pliant {

struct LabelledImages {
  Tensor images;  // [N H W C], uint8 (0..255) or float32 (0..1)
  Tensor labels;  // int64 [N]

  std::int64_t size() const { return labels.size(); }
};

// An Error that names `who` unless both tensors are on the CPU, of the shapes and types above, and
// agree in N.
void check_labelled_images(const char* who, const LabelledImages& set);

// The pictures `indices`, in that order, copied. An index out of range is an Error.
LabelledImages take(const LabelledImages& set, std::span<const std::int64_t> indices);

struct Split {
  LabelledImages kept;
  LabelledImages held_out;
};

// Cuts `set` into `held_out` pictures drawn at random and the rest, both in the order of the set.
// A pure function of its arguments. An Error unless 0 <= held_out <= set.size().
Split split(const LabelledImages& set, std::int64_t held_out, const Rng& rng);

// 0, 1 .. count-1 in random order (Fisher-Yates), a pure function of its arguments.
std::vector<std::int64_t> permutation(std::int64_t count, const Rng& rng);

}  // namespace pliant
