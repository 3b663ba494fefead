// A depthwise convolution with a set of weights for each image (depthwise.h).
#include <pliant/core/kernels/cross_correlation.h>

#include <pliant/core/cpu/depthwise.h>

namespace pliant {
namespace {

Conv2dGeometry convolution(const CrossCorrelationGeometry& g) {
  Conv2dGeometry conv{g.n, g.h, g.w, g.c, g.c, g.r, g.s, g.p(), g.q()};
  conv.groups = g.c;
  return conv;
}

template <class T>
void forward(const CrossCorrelationGeometry& g, const T* search, const T* pattern, T* y,
             Workspace& workspace) {
  cpu::depthwise_forward<T>(convolution(g), Sharing::per_batch, search, pattern, nullptr, y,
                            workspace);
}

template <class T>
void search_gradient(const CrossCorrelationGeometry& g, const T* dy, const T* pattern, T* dsearch,
                     Workspace& workspace) {
  cpu::depthwise_data_gradient(convolution(g), Sharing::per_batch, dy, pattern, dsearch, workspace);
}

template <class T>
void pattern_gradient(const CrossCorrelationGeometry& g, const T* search, const T* dy, T* dpattern,
                      Workspace& workspace) {
  cpu::depthwise_weight_gradient(convolution(g), Sharing::per_batch, search, dy, dpattern,
                                 workspace);
}

}  // namespace

constinit FloatKernel<CrossCorrelationForward> cpu::cross_correlation_forward{forward, forward};
constinit FloatKernel<CrossCorrelationSearchGradient> cpu::cross_correlation_search_gradient{
    search_gradient, search_gradient};
constinit FloatKernel<CrossCorrelationPatternGradient> cpu::cross_correlation_pattern_gradient{
    pattern_gradient, pattern_gradient};

}  // namespace pliant
