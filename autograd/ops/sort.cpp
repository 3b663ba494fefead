#include <pliant/autograd/ops/sort.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/argsort.h>

namespace pliant {
namespace {

ArgsortGeometry geometry_of(const Shape& shape, int axis, std::int64_t count, SortOrder order) {
  ArgsortGeometry g{
      .length = shape[axis], .count = count, .descending = order == SortOrder::descending};
  for (int i = 0; i < axis; ++i) g.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) g.inner *= shape[i];
  return g;
}

// The first `count` places of the sorted axis.
Tensor first_places(const char* name, const Var& x, int axis, std::int64_t count, SortOrder order) {
  Shape shape = x.shape();
  shape[axis] = count;
  Tensor index = Tensor::empty(shape, DType::int64, x.device());
  if (index.size() == 0) return index;
  const Tensor numbers = is_bfloat16(x) ? widened(x.value()) : as_number(x);
  Workspace workspace(x.device());
  visit_number(name, numbers.dtype(), [&]<class T>() {
    kernel<Argsort<T>, cpu::argsort, cuda::argsort>(name, x.device())(
        geometry_of(x.shape(), axis, count, order), numbers.data<T>(),
        index.mutable_data<std::int64_t>(), workspace);
  });
  return index;
}

int checked_axis(const char* name, const Var& x, int axis) {
  require(x.defined(), name, ": x is undefined");
  return x.shape().axis(axis, name);
}

}  // namespace

ValuesAndIndices sort(const Var& x, int axis, SortOrder order) {
  const ErrorOp here("sort");
  axis = checked_axis("sort", x, axis);
  Tensor index = first_places("sort", x, axis, x.shape()[axis], order);
  return {gather(x, axis, index), index};
}

Tensor argsort(const Var& x, int axis, SortOrder order) {
  axis = checked_axis("argsort", x, axis);
  return first_places("argsort", x, axis, x.shape()[axis], order);
}

ValuesAndIndices topk(const Var& x, std::int64_t k, int axis, SortOrder order) {
  const ErrorOp here("topk");
  axis = checked_axis("topk", x, axis);
  require(k >= 0 && k <= x.shape()[axis], "topk: k is ", k, ", expected 0 to the ", x.shape()[axis],
          " elements along axis ", axis, " of ", x.shape());
  Tensor index = first_places("topk", x, axis, k, order);
  return {gather(x, axis, index), index};
}

Tensor unique(const Var& x) {
  const ErrorOp here("unique");
  require(x.defined(), "unique: x is undefined");
  const Tensor sorted = sort(x.value().reshape({x.size()})).values.value().to(Device::cpu());
  return visit_any(x.dtype(), [&]<class T>() {
    std::vector<T> values(sorted.data<T>(), sorted.data<T>() + sorted.size());
    const auto equal = [](T a, T b) { return Wide<T>(a) == Wide<T>(b); };
    values.erase(std::unique(values.begin(), values.end(), equal), values.end());
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(x.device());
  });
}

}  // namespace pliant
