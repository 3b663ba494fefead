#include <pliant/tests/gpu_on_cpu/cudnn_convolution.h>

#include <array>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <pliant/core/bfloat16.h>
#include <pliant/core/parallel.h>

namespace pliant::gpu_on_cpu {
namespace {

using Arrays = std::array<std::vector<double>, 3>;  // of x, w and y

std::vector<double> numbers(const Tensor& t, const void* from) {
  std::vector<double> all(static_cast<std::size_t>(t.size()));
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] =
        t.type == CUDNN_DATA_DOUBLE
            ? static_cast<const double*>(from)[i]
            : static_cast<double>(t.type == CUDNN_DATA_FLOAT
                                      ? static_cast<const float*>(from)[i]
                                      : static_cast<float>(static_cast<const BFloat16*>(from)[i]));
  return all;
}

void store(const Tensor& t, const std::vector<double>& all, void* to) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (t.type == CUDNN_DATA_DOUBLE)
      static_cast<double*>(to)[i] = all[i];
    else if (t.type == CUDNN_DATA_FLOAT)
      static_cast<float*>(to)[i] = static_cast<float>(all[i]);
    else
      static_cast<BFloat16*>(to)[i] = BFloat16(static_cast<float>(all[i]));
}

// f(x, w, y), the places of the three numbers, for every product of output [n k p q].
template <class F>
void each_product(const Convolution& of, std::int64_t n, std::int64_t k, std::int64_t p,
                  std::int64_t q, const F& f) {
  const Tensor &x = of.x, &w = of.w;
  const std::int64_t in = w.sizes[1], out = w.sizes[0] / (x.sizes[1] / in);  // of a group
  for (std::int64_t r = 0; r < w.sizes[2]; ++r)
    for (std::int64_t s = 0; s < w.sizes[3]; ++s) {
      const std::int64_t row = p * of.stride[0] - of.before[0] + r * of.dilation[0];
      const std::int64_t column = q * of.stride[1] - of.before[1] + s * of.dilation[1];
      if (row < 0 || row >= x.sizes[2] || column < 0 || column >= x.sizes[3]) continue;
      for (std::int64_t c = 0; c < in; ++c)
        f(static_cast<std::size_t>(x.at(n, k / out * in + c, row, column)),
          static_cast<std::size_t>(w.at(k, c, r, s)),
          static_cast<std::size_t>(of.y.at(n, k, p, q)));
    }
}

void add_products(const Convolution& of, std::int64_t n, std::int64_t k, Arrays& all) {
  auto& [x, w, y] = all;
  for (std::int64_t p = 0; p < of.y.sizes[2]; ++p)
    for (std::int64_t q = 0; q < of.y.sizes[3]; ++q)
      each_product(of, n, k, p, q,
                   [&, pass = of.pass](std::size_t i, std::size_t j, std::size_t o) {
                     if (pass == Pass::forward)
                       y[o] += x[i] * w[j];
                     else if (pass == Pass::data)
                       x[i] += w[j] * y[o];
                     else
                       w[j] += x[i] * y[o];
                   });
}

}  // namespace

Tensor::Tensor(const Descriptor& from)
    : type(from.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE)),
      sizes(from.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS)),
      strides(from.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES)),
      id(from.one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID)),
      alignment(from.one<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT)) {}

std::int64_t Tensor::size() const {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies());
}

Convolution::Convolution(Pass pass_, const Descriptor& x_, const Descriptor& w_,
                         const Descriptor& y_, const Descriptor& how)
    : pass(pass_),
      x(x_),
      w(w_),
      y(y_),
      stride(how.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)),
      dilation(how.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS)),
      before(how.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)),
      after(how.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS)),
      compute(how.one<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE)),
      mode(how.one<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE)) {}

bool Convolution::fits() const {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t reach = (w.sizes[axis + 2] - 1) * dilation[axis] + 1;
    const std::int64_t room = x.sizes[axis + 2] + before[axis] + after[axis] - reach;
    if (room < 0 || room / stride[axis] + 1 != y.sizes[axis + 2]) return false;
  }
  const std::int64_t groups = w.sizes[1] == 0 ? 0 : x.sizes[1] / w.sizes[1];
  return groups > 0 && x.sizes[1] == groups * w.sizes[1] && w.sizes[0] % groups == 0 &&
         y.sizes[1] == w.sizes[0] && y.sizes[0] == x.sizes[0] && x.type == w.type &&
         w.type == y.type && mode == CUDNN_CROSS_CORRELATION &&
         compute == (x.type == CUDNN_DATA_DOUBLE ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT);
}

// Threads share out pictures, or filters where their gradient is the result.
void Convolution::run(void* of_x, void* of_w, void* of_y) const {
  Arrays all = {numbers(x, of_x), numbers(w, of_w), numbers(y, of_y)};
  const std::size_t result = pass == Pass::forward ? 2 : pass == Pass::data ? 0 : 1;
  std::ranges::fill(all[result], 0.0);
  const bool by_filter = pass == Pass::filter;
  parallel_for(by_filter ? w.sizes[0] : x.sizes[0], [&](std::int64_t i) {
    for (std::int64_t j = 0; j < (by_filter ? x.sizes[0] : w.sizes[0]); ++j)
      add_products(*this, by_filter ? j : i, by_filter ? i : j, all);
  });
  if (pass == Pass::forward) store(y, all[result], of_y);
  if (pass == Pass::data) store(x, all[result], of_x);
  if (pass == Pass::filter) store(w, all[result], of_w);
}

std::unique_ptr<Convolution> convolution_of(const Descriptor& from) {
  using Name = cudnnBackendAttributeName_t;
  const auto made = [&](Pass pass, Name x, Name w, Name y, Name how, Name alpha, Name beta) {
    const bool is_double =
        from.part(x).one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_DOUBLE;
    for (const auto& [name, wanted] : {std::pair{alpha, 1.0}, {beta, 0.0}})
      if (from.values.at(name).type != (is_double ? CUDNN_TYPE_DOUBLE : CUDNN_TYPE_FLOAT) ||
          (is_double ? from.one<double>(name) : from.one<float>(name)) != wanted)
        throw std::out_of_range("the scales are 1 and 0, of the type that is computed in");
    return std::make_unique<Convolution>(pass, from.part(x), from.part(w), from.part(y),
                                         from.part(how));
  };
  switch (from.type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return made(Pass::forward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return made(Pass::data, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return made(Pass::filter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA);
    default:
      return nullptr;
  }
}

}  // namespace pliant::gpu_on_cpu
