// LabelledImages: images and what they show. The common currency of data/.
#pragma once

#include <cstdint>
#include <span>

#include <pliant/core/device.h>
#include <pliant/core/random.h>
#include <pliant/core/tensor.h>

namespace pliant {

struct ImageSets;

struct LabelledImages {
  Tensor images;  // [N H W C], uint8 (0..255) or float32 (0..1)
  Tensor labels;  // int64 [N]

  std::int64_t size() const { return labels.size(); }
  LabelledImages to(Device device) const { return {images.to(device), labels.to(device)}; }

  // An Error that names `who` unless both tensors are on the CPU, of the shapes and types above,
  // and agree in N.
  void check(const char* who) const;

  // The images `indices`, in that order, copied. An index out of range is an Error.
  LabelledImages take(std::span<const std::int64_t> indices) const;

  // Cuts off `held_out` images drawn at random, as the test half, from the rest, both in the order
  // of the set. A pure function of its arguments. An Error unless 0 <= held_out <= size().
  ImageSets split(std::int64_t held_out, const Rng& rng) const;
};

// To learn from, and to judge by.
struct ImageSets {
  LabelledImages train, test;
};

}  // namespace pliant
