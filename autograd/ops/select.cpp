#include <pliant/autograd/ops/select.h>

#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/core/error_op.h>
#include <pliant/core/kernels/binary.h>

namespace pliant {
namespace {

// Places, in row-major order, of the elements that are not 0.
std::vector<std::int64_t> places_of(const Tensor& x) {
  const Tensor host = x.to(Device::cpu());
  std::vector<std::int64_t> places;
  visit_any(host.dtype(), [&]<class T>() {
    const T* const values = host.data<T>();
    for (std::int64_t i = 0; i < host.size(); ++i)
      if (Wide<T>(values[i]) != Wide<T>(0)) places.push_back(i);
  });
  return places;
}

void require_both(const char* op, const Var& x, const Tensor& mask) {
  require(x.defined(), op, ": x is undefined");
  require(mask.defined(), op, ": the mask is undefined");
}

}  // namespace

Tensor nonzero(const Var& x) {
  require(x.defined(), "nonzero: x is undefined");
  const Shape& shape = x.shape();
  const std::vector<std::int64_t> places = places_of(x.value());
  Tensor rows =
      Tensor::empty({static_cast<std::int64_t>(places.size()), shape.rank()}, DType::int64);
  std::int64_t* row = rows.mutable_data<std::int64_t>();
  for (std::int64_t place : places) {
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      row[axis] = place % shape[axis];
      place /= shape[axis];
    }
    row += shape.rank();
  }
  return rows.to(x.device());
}

Var masked_select(const Var& x, const Tensor& mask) {
  const ErrorOp here("masked_select");
  require_both("masked_select", x, mask);
  const Shape shape = broadcast_shape("masked_select", x.shape(), mask.shape());
  const std::vector<std::int64_t> places = places_of(broadcast_to(mask, shape).value());
  const Tensor index = Tensor::from(places, {static_cast<std::int64_t>(places.size())});
  return gather(reshape(broadcast_to(x, shape), {shape.size()}), 0, index.to(x.device()));
}

Var masked_fill(const Var& x, const Tensor& mask, double value) {
  const ErrorOp here("masked_fill");
  require_both("masked_fill", x, mask);
  require(broadcast_shape("masked_fill", x.shape(), mask.shape()) == x.shape(),
          "masked_fill: the mask ", mask.shape(), " does not stretch to ", x.shape());
  return where(mask, scalar_like(value, x), x);
}

}  // namespace pliant
