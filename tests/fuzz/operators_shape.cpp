// Elements moved, chosen and put side by side.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/fuzz/reference.h>

namespace pliant::fuzz {
namespace {

double at_index(const Array& x, const std::vector<std::int64_t>& at) {
  std::int64_t flat = 0;
  for (int axis = 0; axis < x.shape.rank(); ++axis)
    flat = flat * x.shape[axis] + at[static_cast<std::size_t>(axis)];
  return x.values[static_cast<std::size_t>(flat)];
}

std::vector<std::int64_t> indices_of(const std::int64_t* at, int rank) {
  return std::vector<std::int64_t>(at, at + rank);
}

void reshaping(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  Shape to;
  std::int64_t left = x.size();
  for (std::int64_t axes = in.between(0, 3); axes > 0; --axes) {
    const std::int64_t extent = in.attribute(0, 4);
    to.push_back(extent);
    if (extent > 0 && left % extent == 0) left /= extent;
  }
  if (in.coin()) to.push_back(left);
  judge(
      "reshape", {x}, [&](const Vars& v) { return reshape(v[0], to); },
      [&] {
        const Array a(x);
        return Expected{to, std::vector<Sum>(a.values.begin(), a.values.end())};
      });
  const std::int64_t one = in.hostile(), two = in.hostile();
  comes_through([&] { reshape(Var(x), {one, two, -1}); });
}

void permuting(Input& in) {
  const Tensor x = in.tensor(in.shape(5, 3), in.dtype());
  std::vector<int> axes;
  for (int axis = 0; axis < x.rank(); ++axis) axes.push_back(axis);
  for (std::size_t i = axes.size(); i > 1; --i)
    std::swap(axes[i - 1],
              axes[static_cast<std::size_t>(in.between(0, static_cast<std::int64_t>(i) - 1))]);
  if (in.rarely(24)) axes.push_back(in.axis(x.rank()));
  if (in.rarely(24) && !axes.empty()) axes[0] = in.axis(x.rank());
  judge(
      "permute", {x}, [&](const Vars& v) { return permute(v[0], axes); },
      [&] {
        const Array a(x);
        Shape to;
        for (const int axis : axes) to.push_back(x.shape()[axis < 0 ? axis + x.rank() : axis]);
        return expected(to, [&](const std::int64_t* at) {
          std::vector<std::int64_t> from(axes.size());
          for (std::size_t i = 0; i < axes.size(); ++i)
            from[static_cast<std::size_t>(axes[i] < 0 ? axes[i] + x.rank() : axes[i])] = at[i];
          return Sum(at_index(a, from));
        });
      });
}

void slicing(Input& in) {
  const Tensor x = in.tensor(in.shape(3, 6), in.dtype());
  std::vector<std::int64_t> start, stop, step;
  for (int axis = 0; axis < x.rank(); ++axis) {
    start.push_back(in.attribute(0, x.dim(axis)));
    stop.push_back(
        in.attribute(start.back() >= 0 ? std::min(start.back(), x.dim(axis)) : 0, x.dim(axis)));
    step.push_back(in.attribute(1, 3));
  }
  judge(
      "slice", {x}, [&](const Vars& v) { return slice(v[0], start, stop, step); },
      [&] {
        const Array a(x);
        Shape to;
        std::vector<std::int64_t> first;
        for (std::size_t axis = 0; axis < start.size(); ++axis) {
          const std::int64_t extent = x.shape()[static_cast<int>(axis)];
          const std::int64_t begin = start[axis] < 0 ? start[axis] + extent : start[axis];
          const std::int64_t end = stop[axis] < 0 ? stop[axis] + extent : stop[axis];
          first.push_back(begin);
          to.push_back(end <= begin ? 0 : (end - begin - 1) / step[axis] + 1);
        }
        return expected(to, [&](const std::int64_t* at) {
          std::vector<std::int64_t> from = first;
          for (std::size_t axis = 0; axis < from.size(); ++axis)
            from[axis] += at[axis] * step[axis];
          return Sum(at_index(a, from));
        });
      });
}

void padding(Input& in) {
  const Tensor x = in.tensor(in.shape(3, 3), in.dtype());
  std::vector<std::int64_t> before, after;
  for (int axis = 0; axis < x.rank(); ++axis) {
    before.push_back(in.attribute(0, 2));
    after.push_back(in.attribute(0, 2));
  }
  const double value = in.real(-1, 1);
  judge(
      "pad", {x}, [&](const Vars& v) { return pad(v[0], before, after, value); },
      [&] {
        const Array a(x);
        Shape to;
        for (std::size_t axis = 0; axis < before.size(); ++axis)
          to.push_back(before[axis] + x.shape()[static_cast<int>(axis)] + after[axis]);
        return expected(to, [&](const std::int64_t* at) {
          std::vector<std::int64_t> from = indices_of(at, to.rank());
          for (std::size_t axis = 0; axis < from.size(); ++axis) {
            from[axis] -= before[axis];
            if (from[axis] < 0 || from[axis] >= x.shape()[static_cast<int>(axis)])
              return Sum(value);
          }
          return Sum(at_index(a, from));
        });
      });
}

void flipping(Input& in) {
  const Tensor x = in.tensor(in.shape(), in.dtype());
  std::vector<int> axes;
  for (std::int64_t n = in.between(0, 2); n > 0; --n) axes.push_back(in.axis(x.rank()));
  judge(
      "flip", {x}, [&](const Vars& v) { return flip(v[0], axes); },
      [&] {
        const Array a(x);
        return expected(x.shape(), [&](const std::int64_t* at) {
          std::vector<std::int64_t> from = indices_of(at, x.rank());
          for (const int axis : axes) {
            const int i = axis < 0 ? axis + x.rank() : axis;
            from[static_cast<std::size_t>(i)] = x.shape()[i] - 1 - at[i];
          }
          return Sum(at_index(a, from));
        });
      });
}

void joining(Input& in) {
  const Shape shape = in.shape(3, 3);
  const DType dtype = in.dtype();
  std::vector<Tensor> xs;
  const bool stacks = in.coin();
  const int axis = in.axis(stacks ? shape.rank() + 1 : shape.rank());
  for (std::int64_t n = in.between(0, 3); n > 0; --n) {
    Shape one = in.near(shape);
    if (!stacks && axis >= 0 && axis < shape.rank() && in.coin()) one[axis] = in.extent(3);
    xs.push_back(in.tensor(one, dtype));
  }
  judge(
      stacks ? "stack" : "concat", xs,
      [&](const Vars& v) { return stacks ? stack(v, axis) : concat(v, axis); },
      [&] {
        Shape to;
        const int rank = shape.rank() + (stacks ? 1 : 0), where = axis < 0 ? axis + rank : axis;
        std::int64_t along = 0;
        for (const Tensor& x : xs) along += stacks ? 1 : x.dim(where);
        for (int i = 0; i < rank; ++i)
          to.push_back(i == where ? along : xs[0].dim(stacks && i > where ? i - 1 : i));
        std::vector<Array> arrays(xs.begin(), xs.end());
        return expected(to, [&](const std::int64_t* at) {
          std::vector<std::int64_t> from = indices_of(at, rank);
          const auto place = static_cast<std::ptrdiff_t>(where);
          if (stacks) {
            from.erase(from.begin() + place);
            return Sum(at_index(arrays[static_cast<std::size_t>(at[where])], from));
          }
          std::size_t which = 0;
          while (from[static_cast<std::size_t>(where)] >= xs[which].dim(where))
            from[static_cast<std::size_t>(where)] -= xs[which++].dim(where);
          return Sum(at_index(arrays[which], from));
        });
      });
}

void gathering(Input& in) {
  const Tensor x = in.tensor(in.shape(3, 4), in.dtype());
  const int axis = in.axis(x.rank());
  Shape to = x.shape();
  const int where = axis < 0 ? axis + x.rank() : axis;
  if (where >= 0 && where < x.rank()) to[where] = in.extent();
  const std::int64_t extent = where >= 0 && where < x.rank() ? x.dim(where) : 1;
  const Tensor index = in.indices(in.near(to), 0, extent - 1);
  judge(
      "gather", {x}, [&](const Vars& v) { return gather(v[0], axis, index); },
      [&] {
        const Array a(x), b(index);
        return expected(index.shape(), [&](const std::int64_t* at) {
          std::vector<std::int64_t> from = indices_of(at, x.rank());
          from[static_cast<std::size_t>(where)] = static_cast<std::int64_t>(at_index(b, from));
          return Sum(at_index(a, from));
        });
      });
}

void scattering(Input& in) {
  const Tensor y = in.tensor(in.shape(3, 4), in.dtype(), Values::tame);
  const int axis = in.axis(y.rank());
  const std::int64_t extent = in.attribute(1, 5);
  const Tensor index =
      in.indices(in.near(y.shape()), 0, std::clamp<std::int64_t>(extent, 1, 9) - 1);
  judge(
      "scatter_add", {y}, [&](const Vars& v) { return scatter_add(v[0], axis, index, extent); },
      [&] {
        const Array a(y), b(index);
        const int where = axis < 0 ? axis + y.rank() : axis;
        Shape to = y.shape();
        to[where] = extent;
        Expected all{to, std::vector<Sum>(static_cast<std::size_t>(to.size()))};
        each_index(y.shape(), [&](const std::int64_t* at) {
          std::vector<std::int64_t> from = indices_of(at, y.rank());
          const double value = at_index(a, from);
          from[static_cast<std::size_t>(where)] = static_cast<std::int64_t>(at_index(b, from));
          std::int64_t flat = 0;
          for (int i = 0; i < to.rank(); ++i)
            flat = flat * to[i] + from[static_cast<std::size_t>(i)];
          all.values[static_cast<std::size_t>(flat)].add(value);
        });
        return all;
      });
}

void looking_up(Input& in) {
  const Tensor weight = in.tensor({in.extent(6), in.extent(4)}, in.dtype());
  const Tensor indices = in.indices(in.shape(2, 3), 0, weight.dim(0) - 1);
  judge(
      "embedding", {weight}, [&](const Vars& v) { return embedding(v[0], indices); },
      [&] {
        const Array a(weight), b(indices);
        Shape to = indices.shape();
        to.push_back(weight.dim(1));
        return expected(to, [&](const std::int64_t* at) {
          const double row = at_index(b, indices_of(at, indices.rank()));
          return Sum(a(static_cast<std::int64_t>(row), at[indices.rank()]));
        });
      });
}

void hot_labels(Input& in) {
  const std::int64_t classes = in.attribute(1, 6);
  const Tensor labels = in.indices(in.shape(2, 4), 0, std::clamp<std::int64_t>(classes, 1, 8) - 1);
  judge(
      "one_hot", {}, [&](const Vars&) { return Var(one_hot(labels, classes)); },
      [&] {
        const Array a(labels);
        Shape to = labels.shape();
        to.push_back(classes);
        return expected(to, [&](const std::int64_t* at) {
          const double label = at_index(a, indices_of(at, labels.rank()));
          return Sum(label == static_cast<double>(at[labels.rank()]) ? 1 : 0);
        });
      });
}

void stretching(Input& in) {
  const Shape shape = in.shape(3, 3);
  Shape to;
  for (std::int64_t more = in.between(0, 1); more > 0; --more) to.push_back(in.attribute(1, 3));
  for (const std::int64_t extent : shape) to.push_back(extent == 1 ? in.attribute(1, 3) : extent);
  to = in.near(to);
  const Tensor x = in.tensor(shape, in.dtype(), Values::finite);
  judge(
      "broadcast_to", {x}, [&](const Vars& v) { return broadcast_to(v[0], to); },
      [&] {
        const Array a(x);
        return expected(to, [&](const std::int64_t* at) {
          std::vector<std::int64_t> from =
              indices_of(at + (to.rank() - shape.rank()), shape.rank());
          for (int i = 0; i < shape.rank(); ++i)
            if (shape[i] == 1) from[static_cast<std::size_t>(i)] = 0;
          return Sum(at_index(a, from));
        });
      });
  if (to.size() > 4096) return;
  const Tensor y = in.tensor(to, in.dtype(), Values::tame);
  judge(
      "sum_to", {y}, [&](const Vars& v) { return sum_to(v[0], shape); },
      [&] {
        const Array a(y);
        Expected all{shape, std::vector<Sum>(static_cast<std::size_t>(shape.size()))};
        each_index(to, [&](const std::int64_t* at) {
          std::int64_t flat = 0;
          for (int i = 0; i < shape.rank(); ++i)
            flat = flat * shape[i] + (shape[i] == 1 ? 0 : at[i + to.rank() - shape.rank()]);
          all.values[static_cast<std::size_t>(flat)].add(at_index(a, indices_of(at, to.rank())));
        });
        return all;
      });
}

// Tensors themselves: made, cut, converted and filled.
void tensors(Input& in) {
  const Tensor x = in.tensor(in.shape(3, 4), in.dtype());
  comes_through([&] {
    const std::int64_t begin = in.attribute(0, 3), end = in.attribute(0, 4);
    const Tensor rows = x.slice(begin, end);
    expect(rows.dim(0) == end - begin, "slice: gives ", rows.shape());
  });
  const DType to = in.one_of(
      {DType::float32, DType::float64, DType::bfloat16, DType::int64, DType::int32, DType::uint8});
  comes_through([&] {
    const Tensor converted = x.to(to);
    const std::vector<double> a = x.to_vector(), b = converted.to_vector();
    for (std::size_t i = 0; i < a.size() && !is_floating(to); ++i)
      expect(b[i] == std::trunc(a[i]), "to: ", a[i], " became ", b[i]);
  });
  const double value = in.real(-1000, 1000);
  comes_through([&] {
    const Tensor full = Tensor::full({2}, value, to);
    if (!is_floating(to)) expect(full.to_vector()[1] == std::trunc(value), "full: ", value);
  });
  comes_through([&] { Tensor::zeros(Shape{in.hostile(), in.hostile(), in.between(0, 2)}); });
}

}  // namespace

std::vector<NamedOperator> shape_operators() {
  return {{"reshape", reshaping},  {"permute", permuting},       {"slice", slicing},
          {"pad", padding},        {"flip", flipping},           {"concat", joining},
          {"gather", gathering},   {"scatter_add", scattering},  {"embedding", looking_up},
          {"one_hot", hot_labels}, {"broadcast_to", stretching}, {"tensor", tensors}};
}

}  // namespace pliant::fuzz
