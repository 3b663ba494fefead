#include <pliant/core/gpu_options.h>

#include <atomic>

namespace pliant {
namespace {
std::atomic<Precision> precision{};
std::atomic<Scatter> scatter{};
std::atomic<ConvPath> convolution{};
}  // namespace

void set_gpu_options(const GpuOptions& options) {
  precision = options.precision;
  scatter = options.scatter;
  convolution = options.convolution;
}

GpuOptions gpu_options() { return {precision, scatter, convolution}; }

}  // namespace pliant
