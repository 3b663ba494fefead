#include <pliant/core/kernels/binary.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  Shape out;
  const int rank = std::max(a.rank(), b.rank());
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const std::int64_t ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    require(ea == eb || ea == 1 || eb == 1, op, ": shapes ", a, " and ", b, " do not broadcast");
    out.push_back(ea == 1 ? eb : ea);
  }
  return out;
}

BroadcastGeometry broadcast_geometry(const Shape& out, const Shape& a, const Shape& b) {
  // Strides of an operand along the output's axes.
  const auto strides = [&](const Shape& shape, std::int64_t* to) {
    std::int64_t stride = 1;
    for (int i = out.rank() - 1; i >= 0; --i) {
      const int axis = i - (out.rank() - shape.rank());
      const std::int64_t extent = axis < 0 ? 1 : shape[axis];
      to[i] = extent == 1 ? 0 : stride;
      stride *= extent;
    }
  };
  std::int64_t a_stride[Shape::kMaxRank] = {}, b_stride[Shape::kMaxRank] = {};
  strides(a, a_stride);
  strides(b, b_stride);

  BroadcastGeometry g{};
  for (int i = 0; i < out.rank(); ++i) {
    if (out[i] == 1) continue;
    const int last = g.rank - 1;
    if (g.rank > 0 && g.a_stride[last] == a_stride[i] * out[i] &&
        g.b_stride[last] == b_stride[i] * out[i]) {
      g.extent[last] *= out[i];
      g.a_stride[last] = a_stride[i];
      g.b_stride[last] = b_stride[i];
    } else {
      g.extent[g.rank] = out[i];
      g.a_stride[g.rank] = a_stride[i];
      g.b_stride[g.rank++] = b_stride[i];
    }
  }
  if (g.rank == 0) {
    g.rank = 1;
    g.extent[0] = 1;
    g.a_stride[0] = g.b_stride[0] = 0;
  }
  return g;
}

namespace cpu {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

// One run along the innermost axis; strides are 0 or 1 there.
template <class T, class F>
void run(std::int64_t n, const T* a, std::int64_t a_stride, const T* b, std::int64_t b_stride, T* y,
         F f) {
  using W = Wide<T>;
  if (a_stride == 1 && b_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(f(W(a[i]), W(b[i])));
  } else if (a_stride == 1) {
    const W fixed = *b;
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(f(W(a[i]), fixed));
  } else if (b_stride == 1) {
    const W fixed = *a;
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(f(fixed, W(b[i])));
  } else {
    std::fill_n(y, n, T(f(W(*a), W(*b))));
  }
}

template <class T, class F>
void walk(const BroadcastGeometry& g, const T* a, const T* b, T* y, F f) {
  const int last = g.rank - 1;
  const std::int64_t inner = g.extent[last], sa = g.a_stride[last], sb = g.b_stride[last];
  if (inner == 0) return;
  const std::int64_t rows = g.size() / inner;
  if (rows == 1) {
    parallel_blocks(inner, kBlock, [&](std::int64_t begin, std::int64_t end) {
      run(end - begin, a + begin * sa, sa, b + begin * sb, sb, y + begin, f);
    });
    return;
  }
  parallel_blocks(rows, std::max<std::int64_t>(1, kBlock / inner),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t row = begin; row < end; ++row) {
                      std::int64_t rest = row, at_a = 0, at_b = 0;
                      for (int i = last - 1; i >= 0; --i) {
                        const std::int64_t index = rest % g.extent[i];
                        rest /= g.extent[i];
                        at_a += index * g.a_stride[i];
                        at_b += index * g.b_stride[i];
                      }
                      run(inner, a + at_a, sa, b + at_b, sb, y + row * inner, f);
                    }
                  });
}

template <class T>
void binary_of(int function, const BroadcastGeometry& g, const T* a, const T* b, T* y) {
  BinaryTableOf<T>::template visit<Wide<T>>(function, [&]<class F>() { walk(g, a, b, y, F{}); });
}

}  // namespace
}  // namespace cpu

constinit BinaryKernel cpu::binary{binary_of, binary_of, binary_of, binary_of};

}  // namespace pliant
