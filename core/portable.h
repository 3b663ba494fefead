// What lets one source serve the host compiler and nvcc alike.
#pragma once

#ifdef __CUDACC__
#define PLIANT_HD __host__ __device__
#else
#define PLIANT_HD
#endif

namespace pliant {

// Whether the CUDA half of the library is part of this build.
#ifdef PLIANT_WITH_CUDA
inline constexpr bool kHasCuda = true;
#else
inline constexpr bool kHasCuda = false;
#endif

}  // namespace pliant
