// A depthwise convolution with a set of weights for each image (depthwise_walk.h).
#include <pliant/core/kernels/cross_correlation.h>

#include <pliant/core/kernels/depthwise_walk.h>

namespace pliant {
namespace {

Conv2dGeometry convolution(const CrossCorrelationGeometry& g) {
  Conv2dGeometry conv{g.n, g.h, g.w, g.c, g.c, g.r, g.s, g.p(), g.q()};
  conv.groups = g.c;
  return conv;
}

}  // namespace

void cpu::cross_correlation_forward(const CrossCorrelationGeometry& g, const float* search,
                                    const float* pattern, float* y, Workspace& workspace) {
  depthwise_forward<float>(convolution(g), Sharing::per_batch, search, pattern, nullptr, y,
                           workspace);
}

void cpu::cross_correlation_forward(const CrossCorrelationGeometry& g, const double* search,
                                    const double* pattern, double* y, Workspace& workspace) {
  depthwise_forward<double>(convolution(g), Sharing::per_batch, search, pattern, nullptr, y,
                            workspace);
}

void cpu::cross_correlation_search_gradient(const CrossCorrelationGeometry& g, const float* dy,
                                            const float* pattern, float* dsearch,
                                            Workspace& workspace) {
  depthwise_data_gradient(convolution(g), Sharing::per_batch, dy, pattern, dsearch, workspace);
}

void cpu::cross_correlation_search_gradient(const CrossCorrelationGeometry& g, const double* dy,
                                            const double* pattern, double* dsearch,
                                            Workspace& workspace) {
  depthwise_data_gradient(convolution(g), Sharing::per_batch, dy, pattern, dsearch, workspace);
}

void cpu::cross_correlation_pattern_gradient(const CrossCorrelationGeometry& g, const float* search,
                                             const float* dy, float* dpattern,
                                             Workspace& workspace) {
  depthwise_weight_gradient(convolution(g), Sharing::per_batch, search, dy, dpattern, workspace);
}

void cpu::cross_correlation_pattern_gradient(const CrossCorrelationGeometry& g,
                                             const double* search, const double* dy,
                                             double* dpattern, Workspace& workspace) {
  depthwise_weight_gradient(convolution(g), Sharing::per_batch, search, dy, dpattern, workspace);
}

}  // namespace pliant
