// A depthwise convolution with a set of weights for each image (depthwise.h).
#include <pliant/core/kernels/cross_correlation.h>

#include <pliant/cuda/depthwise.h>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "cross_correlation_depthwise";

Conv2dGeometry convolution(const CrossCorrelationGeometry& g) {
  Conv2dGeometry conv{g.n, g.h, g.w, g.c, g.c, g.r, g.s, g.p(), g.q()};
  conv.groups = g.c;
  return conv;
}

}  // namespace

void cuda::cross_correlation_forward(const CrossCorrelationGeometry& g, const float* search,
                                     const float* pattern, float* y, Workspace&) {
  depthwise_forward<float>(kOp, convolution(g), Sharing::per_batch, search, pattern, nullptr, y);
}
void cuda::cross_correlation_forward(const CrossCorrelationGeometry& g, const double* search,
                                     const double* pattern, double* y, Workspace&) {
  depthwise_forward<double>(kOp, convolution(g), Sharing::per_batch, search, pattern, nullptr, y);
}
void cuda::cross_correlation_search_gradient(const CrossCorrelationGeometry& g, const float* dy,
                                             const float* pattern, float* dsearch, Workspace&) {
  depthwise_data_gradient(kOp, convolution(g), Sharing::per_batch, dy, pattern, dsearch);
}
void cuda::cross_correlation_search_gradient(const CrossCorrelationGeometry& g, const double* dy,
                                             const double* pattern, double* dsearch, Workspace&) {
  depthwise_data_gradient(kOp, convolution(g), Sharing::per_batch, dy, pattern, dsearch);
}
void cuda::cross_correlation_pattern_gradient(const CrossCorrelationGeometry& g,
                                              const float* search, const float* dy, float* dpattern,
                                              Workspace& workspace) {
  depthwise_weight_gradient(kOp, convolution(g), Sharing::per_batch, search, dy, dpattern,
                            workspace);
}
void cuda::cross_correlation_pattern_gradient(const CrossCorrelationGeometry& g,
                                              const double* search, const double* dy,
                                              double* dpattern, Workspace& workspace) {
  depthwise_weight_gradient(kOp, convolution(g), Sharing::per_batch, search, dy, dpattern,
                            workspace);
}

}  // namespace pliant
