// What the GPU may give up for speed: choices that hold for the whole process, and for every kernel
// from the call on. The CPU knows none of them.
#pragma once

namespace pliant {

// How convolutions and products multiply float32.
enum class Precision : unsigned char {
  full,
  tf32,  // factors rounded to 10 bits of mantissa, on the matrix units; sums stay float32
};

// How gradients by a map are added up where any sample may reach any pixel.
enum class Scatter : unsigned char {
  ordered,  // a list of samples per pixel: the same bits in every run
  atomic,   // as they come: the last bits differ from run to run
};

// Which way convolutions take that are neither depthwise nor pointwise.
enum class ConvPath : unsigned char {
  automatic,  // cuDNN where the build has it and it has a deterministic way, else columns
  columns,    // products with columns
  cudnn,      // where cuDNN declines, an Error
};

struct GpuOptions {
  Precision precision = Precision::full;
  Scatter scatter = Scatter::ordered;
  ConvPath convolution = ConvPath::automatic;
};

// set_gpu_options({.precision = Precision::tf32}); what is not named gets its default.
void set_gpu_options(const GpuOptions& options);
GpuOptions gpu_options();

}  // namespace pliant
