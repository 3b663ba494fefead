#include <pliant/autograd/ops/permute.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/permute.h>

namespace pliant {
namespace {

constexpr const char* kOp = "permute";

// The axes counted from the front, each of x's once.
std::vector<int> checked_axes(const Shape& shape, const std::vector<int>& axes) {
  require(axes.size() == static_cast<std::size_t>(shape.rank()), kOp, ": ", axes.size(),
          " axes given for ", shape, ", expected ", shape.rank());
  std::vector<bool> named(axes.size(), false);
  std::vector<int> checked;
  for (const int axis : axes) {
    const int at = shape.axis(axis, kOp);
    require(!named[static_cast<std::size_t>(at)], kOp, ": axis ", axis, " is named twice");
    named[static_cast<std::size_t>(at)] = true;
    checked.push_back(at);
  }
  return checked;
}

std::vector<int> inverse(const std::vector<int>& axes) {
  std::vector<int> back(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i)
    back[static_cast<std::size_t>(axes[i])] = static_cast<int>(i);
  return back;
}

Tensor compute(const Tensor& x, const std::vector<int>& axes) {
  Shape shape;
  for (const int axis : axes) shape.push_back(x.shape()[axis]);
  const PermuteGeometry g = permute_geometry(x.shape(), axes);
  if (g.rank <= 1) return x.reshape(shape);
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  visit_any(x.dtype(), [&]<class T>() {
    kernel<Permute<T>, cpu::permute, cuda::permute>(kOp, x.device())(g, x.data<T>(),
                                                                     y.mutable_data<T>());
  });
  return y;
}

}  // namespace

Var permute(const Var& x, const std::vector<int>& axes) {
  const ErrorOp here("permute");
  require(x.defined(), kOp, ": x is undefined");
  const std::vector<int> forward = checked_axes(x.shape(), axes);
  return record(
      kOp, compute(x.value(), forward), {x}, {},
      [back = inverse(forward)](const NodeView& node) -> Vars {
        return {permute(node.cotangent(), back)};
      },
      Derivatives::all);
}

}  // namespace pliant
