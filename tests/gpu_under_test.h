// The GPU that tests of the CUDA half are about.
#pragma once

#include <cstdlib>

#include <pliant/core/device.h>

namespace pliant::test {

// Whether such tests are skipped: without a GPU, unless PLIANT_NEEDS_GPU is set. Then they run, and
// fail by what gpu() says.
inline bool no_device() {
  return Device::best().is_cpu() && std::getenv("PLIANT_NEEDS_GPU") == nullptr;
}

// An Error where there is none.
inline Device gpu() { return Device::cuda(); }

}  // namespace pliant::test
