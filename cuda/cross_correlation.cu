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

template <class T>
void forward(const CrossCorrelationGeometry& g, const T* search, const T* pattern, T* y,
             Workspace&) {
  depthwise_forward<T>(kOp, convolution(g), Sharing::per_batch, search, pattern, nullptr, y);
}

template <class T>
void search_gradient(const CrossCorrelationGeometry& g, const T* dy, const T* pattern, T* dsearch,
                     Workspace&) {
  depthwise_data_gradient(kOp, convolution(g), Sharing::per_batch, dy, pattern, dsearch);
}

template <class T>
void pattern_gradient(const CrossCorrelationGeometry& g, const T* search, const T* dy, T* dpattern,
                      Workspace& workspace) {
  depthwise_weight_gradient(kOp, convolution(g), Sharing::per_batch, search, dy, dpattern,
                            workspace);
}

}  // namespace

constinit FloatKernel<CrossCorrelationForward> cuda::cross_correlation_forward{forward, forward};
constinit FloatKernel<CrossCorrelationSearchGradient> cuda::cross_correlation_search_gradient{
    search_gradient, search_gradient};
constinit FloatKernel<CrossCorrelationPatternGradient> cuda::cross_correlation_pattern_gradient{
    pattern_gradient, pattern_gradient};

}  // namespace pliant
