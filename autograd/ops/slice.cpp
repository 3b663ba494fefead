#include <pliant/autograd/ops/slice.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/copy_box.h>

namespace pliant {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers of_every_axis(int rank, std::int64_t number) {
  return Numbers(static_cast<std::size_t>(rank), number);
}

// A window of a tensor: its first element and the distance of its elements, for every axis.
struct Window {
  Numbers start, step;
};

Window whole(int rank) { return {of_every_axis(rank, 0), of_every_axis(rank, 1)}; }

// Copies `extents` elements from a window of x to a window of y.
void copy(const char* name, const Shape& extents, const Tensor& x, const Window& from, Tensor& y,
          const Window& to) {
  const CopyBoxGeometry g = copy_box_geometry(extents, {x.shape(), from.start, from.step},
                                              {y.shape(), to.start, to.step});
  visit_any(x.dtype(), [&]<class T>() {
    kernel<CopyBox<T>, cpu::copy_box, cuda::copy_box>(name, x.device())(g, x.data<T>(),
                                                                        y.mutable_data<T>());
  });
}

Var put(const char* name, const Var& x, const Shape& shape, const Window& window, double value);

// The window of x with those extents; its gradient is put(), whose gradient this is.
Var take(const char* name, const Var& x, const Shape& extents, const Window& window) {
  Tensor y = Tensor::empty(extents, x.dtype(), x.device());
  copy(name, extents, x.value(), window, y, whole(x.rank()));
  return record(
      name, std::move(y), {x}, {},
      [name, shape = x.shape(), window](const NodeView& node) -> Vars {
        return {put(name, node.cotangent(), shape, window, 0)};
      },
      Derivatives::all);
}

// A tensor of `value` with x in its window.
Var put(const char* name, const Var& x, const Shape& shape, const Window& window, double value) {
  Tensor y = Tensor::full(shape, value, x.dtype(), x.device());
  copy(name, x.shape(), x.value(), whole(x.rank()), y, window);
  return record(
      name, std::move(y), {x}, {},
      [name, extents = x.shape(), window](const NodeView& node) -> Vars {
        return {take(name, node.cotangent(), extents, window)};
      },
      Derivatives::all);
}

void check(const char* name, const Var& x) { require(x.defined(), name, ": x is undefined"); }

void require_every_axis(const char* name, const char* what, const Numbers& numbers,
                        const Shape& shape) {
  require(numbers.size() == static_cast<std::size_t>(shape.rank()), name, ": ", numbers.size(),
          " numbers given as ", what, " for ", shape, ", expected ", shape.rank());
}

// The tensors as one along an axis: its shape.
Shape concat_shape(const Vars& xs, int axis) {
  Shape shape = xs[0].shape();
  shape[axis] = 0;
  for (const Var& x : xs) {
    require(x.rank() == shape.rank(), "concat: shapes ", xs[0].shape(), " and ", x.shape(),
            " differ in rank");
    for (int i = 0; i < shape.rank(); ++i)
      require(i == axis || x.shape()[i] == shape[i], "concat: shapes ", xs[0].shape(), " and ",
              x.shape(), " differ along axis ", i, ", not along ", axis, " alone");
    shape[axis] = checked_sum("concat", {shape[axis], x.shape()[axis]});
  }
  return shape;
}

void check_all(const char* name, const Vars& xs) {
  require(!xs.empty(), name, ": no tensors given");
  for (std::size_t i = 0; i < xs.size(); ++i) {
    require(xs[i].defined(), name, ": tensor ", i, " of ", xs.size(), " is undefined");
    require_same_dtype(name, {{"the first", &xs[0]}, {"another", &xs[i]}});
  }
}

}  // namespace

namespace {

Var slice_as(const char* name, const Var& x, const Numbers& start, const Numbers& stop,
             const Numbers& step) {
  const ErrorOp here(name);
  check(name, x);
  Window window{start, step.empty() ? of_every_axis(x.rank(), 1) : step};
  require_every_axis(name, "start", start, x.shape());
  require_every_axis(name, "stop", stop, x.shape());
  require_every_axis(name, "step", window.step, x.shape());
  Shape extents;
  for (int i = 0; i < x.rank(); ++i) {
    const auto axis = static_cast<std::size_t>(i);
    const std::int64_t extent = x.shape()[i];
    const auto from_front = [&](std::int64_t index) { return index < 0 ? index + extent : index; };
    const std::int64_t begin = from_front(start[axis]), end = from_front(stop[axis]);
    require(0 <= begin && begin <= end && end <= extent, name, ": ", start[axis], " to ",
            stop[axis], " is no range of axis ", i, " of ", x.shape());
    require(window.step[axis] >= 1, name, ": the step along axis ", i, " is ", window.step[axis],
            ", expected at least 1");
    window.start[axis] = begin;
    extents.push_back(ceil_quotient(end - begin, window.step[axis]));
    if (extents.back() <= 1) window.step[axis] = 1;  // never taken
  }
  return take(name, x, extents, window);
}

}  // namespace

Var slice(const Var& x, const Numbers& start, const Numbers& stop, const Numbers& step) {
  return slice_as("slice", x, start, stop, step);
}

Var slice_axis(const Var& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  constexpr const char* kOp = "slice_axis";
  const ErrorOp here(kOp);
  require(x.defined(), kOp, ": x is undefined");
  const auto at = static_cast<std::size_t>(x.shape().axis(axis, kOp));
  Numbers starts = of_every_axis(x.rank(), 0), stops(x.shape().begin(), x.shape().end()),
          steps = of_every_axis(x.rank(), 1);
  starts[at] = start;
  stops[at] = stop;
  steps[at] = step;
  return slice_as(kOp, x, starts, stops, steps);
}

Var select(const Var& x, int axis, std::int64_t index) {
  constexpr const char* kOp = "select";
  const ErrorOp here(kOp);
  require(x.defined(), kOp, ": x is undefined");
  const int at = x.shape().axis(axis, kOp);
  const std::int64_t extent = x.shape()[at], place = index < 0 ? index + extent : index;
  require(place >= 0 && place<extent, kOp, ": index ", index, " is not along axis ", axis, " of ",
                              x.shape(), extent> 0
              ? text_from(", expected -", extent, " to ", extent - 1)
              : ", which has none");
  return squeeze(slice_axis(x, at, place, place + 1), at);
}

Var flip(const Var& x, const std::vector<int>& axes) {
  const ErrorOp here("flip");
  check("flip", x);
  Window window = whole(x.rank());
  for (const int axis : axes) {
    const int i = x.shape().axis(axis, "flip");
    const auto at = static_cast<std::size_t>(i);
    require(window.step[at] == 1, "flip: axis ", axis, " is named twice");
    window.start[at] = x.shape()[i] - 1;
    window.step[at] = -1;
  }
  return take("flip", x, x.shape(), window);
}

namespace {

// The shape of x padded by so much.
Shape padded_shape(const Var& x, const Numbers& before, const Numbers& after) {
  check("pad", x);
  require_every_axis("pad", "before", before, x.shape());
  require_every_axis("pad", "after", after, x.shape());
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    const std::int64_t first = before[static_cast<std::size_t>(i)],
                       last = after[static_cast<std::size_t>(i)], extent = x.shape()[i];
    require(std::max(first, last) <= kMostOperations && std::min(first, last) >= -extent &&
                first + last >= -extent,
            "pad: ", first, " before and ", last, " after axis ", i, " of ", x.shape(),
            ", expected at most 2^40, and no more taken away than there is");
    shape.push_back(first + extent + last);
  }
  require_operations("pad", "elements of the result", {shape.size()});
  return shape;
}

// Which of `extent` elements stands at place `at`, perhaps beyond them.
std::int64_t mirrored(PadMode mode, std::int64_t at, std::int64_t extent) {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(at, 0, extent - 1);
  if (mode == PadMode::circular) return at < 0 ? at + extent : at < extent ? at : at - extent;
  return at < 0 ? -at : at < extent ? at : 2 * (extent - 1) - at;
}

}  // namespace

Var pad(const Var& x, const Numbers& before, const Numbers& after, double value) {
  const ErrorOp here("pad");
  const Shape shape = padded_shape(x, before, after);
  Numbers start, stop, first;
  for (int i = 0; i < x.rank(); ++i) {
    const auto axis = static_cast<std::size_t>(i);
    start.push_back(std::max<std::int64_t>(-before[axis], 0));
    stop.push_back(x.shape()[i] - std::max<std::int64_t>(-after[axis], 0));
    first.push_back(std::max<std::int64_t>(before[axis], 0));
  }
  const bool is_cut =
      start != of_every_axis(x.rank(), 0) || stop != Numbers(x.shape().begin(), x.shape().end());
  const Var inside = is_cut ? slice(x, start, stop) : x;
  return put("pad", inside, shape, {first, of_every_axis(x.rank(), 1)}, value);
}

Var pad(const Var& x, const Numbers& before, const Numbers& after, PadMode mode) {
  const ErrorOp here("pad");
  const Shape shape = padded_shape(x, before, after);
  Var y = reshape(x, x.shape());  // a result of its own, should nothing be added
  for (int i = 0; i < x.rank(); ++i) {
    const auto axis = static_cast<std::size_t>(i);
    const std::int64_t extent = x.shape()[i], most = std::max(before[axis], after[axis]);
    if (before[axis] == 0 && after[axis] == 0) continue;
    const std::int64_t limit = mode == PadMode::circular  ? extent
                               : mode == PadMode::reflect ? extent - 1
                               : extent > 0               ? kMostOperations
                                                          : 0;
    require(most <= limit, "pad: ", most, " beyond axis ", i, " of ", x.shape(),
            ", expected at most ", limit, " of this mode");
    Numbers places;
    for (std::int64_t at = -before[axis]; at < extent + after[axis]; ++at)
      places.push_back(mirrored(mode, at, extent));
    y = index_select(y, i, Tensor::from(places, {shape[i]}).to(x.device()));
  }
  return y;
}

Var concat(const Vars& xs, int axis) {
  const ErrorOp here("concat");
  check_all("concat", xs);
  axis = xs[0].shape().axis(axis, "concat");
  const auto at = static_cast<std::size_t>(axis);
  const Shape shape = concat_shape(xs, axis);
  Tensor y = Tensor::empty(shape, xs[0].dtype(), xs[0].device());
  Window window = whole(shape.rank());
  std::vector<Shape> parts;
  for (const Var& x : xs) {
    copy("concat", x.shape(), x.value(), whole(x.rank()), y, window);
    window.start[at] += x.shape()[axis];
    parts.push_back(x.shape());
  }
  return record(
      "concat", std::move(y), xs, {},
      [parts, axis](const NodeView& node) -> Vars {
        Vars gradients;
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
          const std::int64_t end = begin + parts[i][axis];
          gradients.push_back(node.wants(i) ? slice_axis(node.cotangent(), axis, begin, end)
                                            : Var());
          begin = end;
        }
        return gradients;
      },
      Derivatives::all);
}

Var stack(const Vars& xs, int axis) {
  const ErrorOp here("stack");
  check_all("stack", xs);
  const Shape& part = xs[0].shape();
  Shape shape;  // of one part in the result
  for (int i = 0; i <= part.rank(); ++i) shape.push_back(1);
  axis = shape.axis(axis, "stack");
  for (int i = 0; i < part.rank(); ++i) shape[i < axis ? i : i + 1] = part[i];
  Vars parts;
  for (const Var& x : xs) {
    require(x.shape() == part, "stack: shapes ", part, " and ", x.shape(), " differ");
    parts.push_back(reshape(x, shape));
  }
  return concat(parts, axis);
}

}  // namespace pliant
