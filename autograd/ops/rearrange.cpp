#include <pliant/autograd/ops/rearrange.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/error_op.h>
#include <pliant/core/sizes.h>
#include <pliant/core/text.h>

namespace pliant {
namespace {

const Shape& shape_of(const char* op, const Var& x) {
  require(x.defined(), op, ": x is undefined");
  return x.shape();
}

// A matrix of ones where column - row passes the test, zeros elsewhere.
template <class Keep>
Var triangle(const char* op, const Var& x, Keep keep) {
  const ErrorOp here(op);
  require(shape_of(op, x).rank() >= 2, op, ": expected matrices [... R C], got ", x.shape());
  const std::int64_t rows = x.dim(-2), columns = x.dim(-1);
  Tensor mask = Tensor::zeros({rows, columns}, DType::float32);
  float* at = mask.mutable_data<float>();
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) *at++ = keep(c - r) ? 1.0F : 0.0F;
  return where(mask.to(x.dtype()).to(x.device()), x, scalar_like(0, x));
}

std::int64_t checked_factor(const char* op, const Var& x, std::int64_t factor) {
  require(shape_of(op, x).rank() == 4, op, ": expected maps [N H W C], got ", x.shape());
  require(factor >= 1, op, ": the factor is ", factor, ", expected at least 1");
  return checked_product(op, {factor, factor});
}

}  // namespace

Var squeeze(const Var& x, const std::vector<int>& axes) {
  const Shape& shape = shape_of("squeeze", x);
  std::vector<bool> gone(static_cast<std::size_t>(shape.rank()), false);
  for (const int axis : axes) {
    const int at = shape.axis(axis, "squeeze");
    require(shape[at] == 1, "squeeze: axis ", axis, " of ", shape, " has extent ", shape[at],
            ", expected 1");
    require(!gone[static_cast<std::size_t>(at)], "squeeze: axis ", axis, " of ", shape,
            " is named twice, expected each axis once");
    gone[static_cast<std::size_t>(at)] = true;
  }
  Shape left;
  for (int i = 0; i < shape.rank(); ++i)
    if (axes.empty() ? shape[i] != 1 : !gone[static_cast<std::size_t>(i)]) left.push_back(shape[i]);
  return reshape(x, left);
}

Var unsqueeze(const Var& x, int axis) {
  const Shape& shape = shape_of("unsqueeze", x);
  const int at = axis < 0 ? axis + shape.rank() + 1 : axis;
  require(at >= 0 && at <= shape.rank(), "unsqueeze: axis ", axis, " for ", shape,
          ", expected at most ", shape.rank());
  Shape wider;
  for (int i = 0; i <= shape.rank(); ++i) {
    if (i == at) wider.push_back(1);
    if (i < shape.rank()) wider.push_back(shape[i]);
  }
  return reshape(x, wider);
}

Var transpose(const Var& x, int a, int b) {
  const ErrorOp here("transpose");
  const Shape& shape = shape_of("transpose", x);
  std::vector<int> axes(static_cast<std::size_t>(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[static_cast<std::size_t>(shape.axis(a, "transpose"))],
            axes[static_cast<std::size_t>(shape.axis(b, "transpose"))]);
  return permute(x, axes);
}

Var flatten(const Var& x, int first, int last) {
  const Shape& shape = shape_of("flatten", x);
  if (shape.rank() == 0) return reshape(x, Shape{1});
  const int from = shape.axis(first, "flatten"), to = shape.axis(last, "flatten");
  require(from <= to, "flatten: axes ", first, " to ", last, " of ", shape, " are none");
  Shape flat;
  for (int i = 0; i < shape.rank(); ++i) {
    if (i <= from || i > to)
      flat.push_back(shape[i]);
    else
      flat[from] *= shape[i];
  }
  return reshape(x, flat);
}

namespace {

// Were each a slice of its own, its gradient would be as large as x. So the parts are of one node,
// which has no elements: they leave their cotangents with it, and it puts those together.
Vars parts_of(const Var& x, const std::vector<std::int64_t>& sizes, int axis) {
  Vars values;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    values.push_back(slice_axis(x.value(), axis, begin, begin + size));
    begin += size;
  }
  const auto token = [dtype = x.dtype(), device = x.device()] {
    return Tensor::empty({0}, dtype, device);
  };
  std::vector<Shape> shapes;
  for (const Var& value : values) shapes.push_back(value.shape());
  const auto cotangents = std::make_shared<Vars>(values.size());
  const Var whole = record(
      "split", token(), {x}, {},
      [cotangents, shapes, axis](const NodeView& node) -> Vars {
        Vars all = std::exchange(*cotangents, Vars(shapes.size()));
        const Tensor& like = node.cotangent().value();
        for (std::size_t i = 0; i < all.size(); ++i)
          if (!all[i].defined()) all[i] = Tensor::zeros(shapes[i], like.dtype(), like.device());
        return {concat(all, axis)};
      },
      Derivatives::all);
  Vars parts;
  for (std::size_t i = 0; i < values.size(); ++i)
    parts.push_back(record(
        "split", values[i].value(), {whole}, {},
        [cotangents, i, token](const NodeView& node) -> Vars {
          (*cotangents)[i] = node.cotangent();
          return {token()};
        },
        Derivatives::all));
  return parts;
}

}  // namespace

Vars split(const Var& x, std::int64_t size, int axis) {
  const Shape& shape = shape_of("split", x);
  require(size >= 1, "split: parts of ", size, " elements, expected at least 1");
  const std::int64_t extent = shape[shape.axis(axis, "split")];
  std::vector<std::int64_t> sizes;
  for (std::int64_t left = extent; left > 0; left -= size) sizes.push_back(std::min(left, size));
  if (sizes.empty()) sizes.push_back(0);
  return split(x, sizes, axis);
}

Vars split(const Var& x, const std::vector<std::int64_t>& sizes, int axis) {
  const ErrorOp here("split");
  const Shape& shape = shape_of("split", x);
  const int at = shape.axis(axis, "split");
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) {
    require(size >= 0 && size <= shape[at] - sum, "split: a part of ", size, " elements after ",
            sum, " of the ", shape[at], " along axis ", axis);
    sum += size;
  }
  require(sum == shape[at], "split: the parts have ", sum, " elements, axis ", axis, " of ", shape,
          " has ", shape[at]);
  return parts_of(x, sizes, at);
}

Vars split(const Var& x, std::initializer_list<std::int64_t> sizes, int axis) {
  return split(x, std::vector(sizes), axis);
}

Var repeat(const Var& x, const std::vector<std::int64_t>& counts) {
  const ErrorOp here("repeat");
  const Shape& shape = shape_of("repeat", x);
  const int more = static_cast<int>(counts.size()) - shape.rank();
  require(more >= 0, "repeat: ", counts.size(), " counts for ", shape, ", expected at least ",
          shape.rank());
  Shape now;
  for (int i = 0; i < more; ++i) now.push_back(1);
  for (int i = 0; i < shape.rank(); ++i) now.push_back(shape[i]);
  Var result = reshape(x, now);
  // One axis at a time, as [before 1 rest] -> [before count rest], so that any rank will do.
  std::int64_t before = 1;
  for (int axis = 0; axis < now.rank(); ++axis) {
    const std::int64_t count = counts[static_cast<std::size_t>(axis)];
    require(count >= 0, "repeat: a count is ", count, ", expected at least 0");
    std::int64_t rest = 1;
    for (int i = axis; i < now.rank(); ++i) rest *= now[i];
    now[axis] = checked_product("repeat", {count, now[axis]});
    if (count != 1)
      result =
          reshape(broadcast_to(reshape(result, {before, 1, rest}), {before, count, rest}), now);
    before = checked_product("repeat", {before, now[axis]});
  }
  return result;
}

Var roll(const Var& x, std::int64_t shift, int axis) {
  const ErrorOp here("roll");
  const Shape& shape = shape_of("roll", x);
  const int at = shape.axis(axis, "roll");
  const std::int64_t extent = shape[at];
  if (extent == 0 || shift % extent == 0) return reshape(x, shape);
  const std::int64_t by = (shift % extent + extent) % extent;
  return concat({slice_axis(x, at, extent - by, extent), slice_axis(x, at, 0, extent - by)}, at);
}

Var tril(const Var& x, std::int64_t diagonal) {
  return triangle("tril", x, [diagonal](std::int64_t d) { return d <= diagonal; });
}

Var triu(const Var& x, std::int64_t diagonal) {
  return triangle("triu", x, [diagonal](std::int64_t d) { return d >= diagonal; });
}

Var pixel_shuffle(const Var& x, std::int64_t factor) {
  const ErrorOp here("pixel_shuffle");
  const std::int64_t square = checked_factor("pixel_shuffle", x, factor);
  const Shape s = x.shape();
  require(s[3] % square == 0, "pixel_shuffle: ", s[3], " channels do not divide into ", square);
  const Var apart = reshape(x, Shape{s[0], s[1], s[2], s[3] / square, factor, factor});
  return reshape(permute(apart, {0, 1, 4, 2, 5, 3}),
                 Shape{s[0], checked_product("pixel_shuffle", {s[1], factor}),
                       checked_product("pixel_shuffle", {s[2], factor}), s[3] / square});
}

Var pixel_unshuffle(const Var& x, std::int64_t factor) {
  const ErrorOp here("pixel_unshuffle");
  const std::int64_t square = checked_factor("pixel_unshuffle", x, factor);
  const Shape s = x.shape();
  require(s[1] % factor == 0 && s[2] % factor == 0, "pixel_unshuffle: a map of ", s[1], " x ", s[2],
          " does not divide into squares of ", factor);
  const Var apart = reshape(x, Shape{s[0], s[1] / factor, factor, s[2] / factor, factor, s[3]});
  return reshape(permute(apart, {0, 1, 3, 5, 2, 4}),
                 Shape{s[0], s[1] / factor, s[2] / factor,
                       checked_product("pixel_unshuffle", {s[3], square})});
}

Var index_select(const Var& x, int axis, const Tensor& given) {
  const ErrorOp here("index_select");
  const Shape& shape = shape_of("index_select", x);
  const int at = shape.axis(axis, "index_select");
  const Tensor indices = as_int64(given);
  require(indices.defined() && indices.rank() == 1 && indices.dtype() == DType::int64,
          "index_select: the indices must be integers [K], got ",
          indices.defined() ? text_from(indices.dtype(), ' ', indices.shape()) : "none");
  const std::int64_t before =
      std::accumulate(shape.begin(), shape.begin() + at, std::int64_t{1}, std::multiplies<>());
  if (before == 1) {  // rows of a table
    Shape rows{shape[at], 1};
    for (int i = at + 1; i < shape.rank(); ++i) rows[1] *= shape[i];
    Shape result = shape;
    result[at] = indices.size();
    return reshape(embedding(reshape(x, rows), indices), result);
  }
  std::vector<int> axes(static_cast<std::size_t>(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  std::vector<int> back = axes;
  std::rotate(axes.begin(), axes.begin() + at, axes.begin() + at + 1);  // the axis to the front
  std::rotate(back.begin(), back.begin() + 1, back.begin() + at + 1);
  return permute(index_select(permute(x, axes), 0, indices), back);
}

}  // namespace pliant
