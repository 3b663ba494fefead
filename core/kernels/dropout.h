// Dropout (Srivastava et al. 2014): geometry, formula and signatures.
//
//   y[i] = keep[i] ? x[i] / (1 - rate) : 0,   keep[i] = key.bits(first + i) >= rate * 2^32
//
// The mask is a pure function of the key and the element's index, so it is the same on every
// device, for any number of threads and at every repetition, and nobody has to store it.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>
#include <pliant/core/random.h>

namespace pliant {

struct DropoutGeometry {
  std::int64_t n;
  Rng key;
  double rate;                         // in [0, 1]
  const std::int64_t* step = nullptr;  // if given, the key is forked by the number that is there
  std::int64_t first = 0;              // x[i] is element first + i

  PLIANT_HD Rng key_of_step() const {
    return step == nullptr ? key : key.fork(static_cast<std::uint64_t>(*step));
  }

  // Elements whose random bits are below it are dropped.
  PLIANT_HD std::uint64_t threshold() const {
    return static_cast<std::uint64_t>(std::llround(rate * 0x1p32));
  }
  PLIANT_HD double scale() const { return rate < 1 ? 1 / (1 - rate) : 0; }
};

// What is dropped becomes 0 even if it is NaN or infinite.
template <class T>
PLIANT_HD T dropout(T x, std::uint32_t bits, std::uint64_t threshold, T scale) {
  return bits >= threshold ? x * scale : T(0);
}

// y may be x itself.
template <class T>
using Dropped = void(const DropoutGeometry&, const T* x, T* y);

namespace cpu {
extern FloatKernel<Dropped> dropout;
}  // namespace cpu

namespace cuda {
extern FloatKernel<Dropped> dropout;
}  // namespace cuda

}  // namespace pliant
