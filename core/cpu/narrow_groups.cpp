#include <pliant/core/cpu/narrow_groups.h>

#include <type_traits>

#include <pliant/core/cpu/vectors.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kRows = NarrowGroups::kRows;
constexpr std::int64_t kRun = 64;  // terms

// Calls f(first, count) for up to kRows rows at a time. Kernels do kRows rows always, the last one
// several times if there are fewer, so that an element's bits do not depend on its place.
template <class F>
void by_rows(std::int64_t rows, F&& f) {
  for (std::int64_t first = 0; first < rows; first += kRows)
    f(first, std::min(kRows, rows - first));
}

// Where kRows rows start.
template <class T>
struct Rows {
  T* row[kRows];
  Rows(T* base, std::int64_t stride, std::int64_t count) {
    for (std::int64_t r = 0; r < kRows; ++r) row[r] = base + std::min(r, count - 1) * stride;
  }
  T* operator[](std::int64_t r) const { return row[r]; }
};

// dy of some rows, once for every channel of its group: [rows][out][channels]. With one channel
// and one output a group that is dy itself.
template <class T>
struct SpreadOutputs {
  const T* data;
  std::int64_t stride;  // of a row

  SpreadOutputs(const NarrowGroups& g, std::int64_t count, const T* dy, std::int64_t dy_stride,
                T* scratch)
      : data(scratch), stride(g.out * g.channels()) {
    if (g.in == 1 && g.out == 1) {
      data = dy;
      stride = dy_stride;
      return;
    }
    for (std::int64_t row = 0; row < count; ++row)
      for (std::int64_t o = 0; o < g.out; ++o) {
        const T* const from = dy + row * dy_stride + o;
        T* to = scratch + row * stride + o * g.channels();
        for (std::int64_t group = 0; group < g.groups; ++group)
          for (std::int64_t i = 0; i < g.in; ++i) *to++ = from[group * g.out];
      }
  }
};

// to[r][c] = sum over i < count of from[r][i * from_step + c] * weights[i * weights_step + c], for
// kRows rows. Of many terms, sums of runs are added up.
template <class T>
void sum_products(std::int64_t channels, std::int64_t count, const Rows<const T>& from,
                  std::int64_t from_step, const T* weights, std::int64_t weights_step,
                  const Rows<T>& to, std::int64_t to_offset) {
  along_channels<T>(channels, [&]<class V>(std::int64_t c, V*) {
    V sum[kRows] = {};
    const auto add = [&](std::int64_t begin, std::int64_t end, V(&sums)[kRows]) {
      for (std::int64_t i = begin; i < end; ++i) {
        V weight, value;
        load(weights + i * weights_step + c, weight);
        for (std::int64_t r = 0; r < kRows; ++r) {
          load(from[r] + i * from_step + c, value);
          sums[r] += value * weight;
        }
      }
    };
    add(0, std::min(count, 2 * kRun), sum);
    for (std::int64_t i = 2 * kRun; i < count; i += kRun) {
      V run[kRows] = {};
      add(i, std::min(count, i + kRun), run);
      for (std::int64_t r = 0; r < kRows; ++r) sum[r] += run[r];
    }
    for (std::int64_t r = 0; r < kRows; ++r) store(sum[r], to[r] + to_offset + c);
  });
}

// Adds a vector, or a number, of T to what is held in double.
template <class T>
void add_to(const T& value, double* held) {
  if constexpr (std::is_arithmetic_v<T>) {
    *held += static_cast<double>(value);
  } else {
    constexpr std::size_t kLanes = sizeof(value) / sizeof(value[0]);
    for (std::size_t i = 0; i < kLanes; ++i) held[i] += static_cast<double>(value[i]);
  }
}

// y [outputs] = bias + products [out][channels] summed over each group's channels.
template <class T>
void add_up_groups(const NarrowGroups& g, const T* products, const T* bias, T* y) {
  if (g.in == 1 && g.out == 1) {
    for (std::int64_t c = 0; c < g.groups; ++c)
      y[c] = bias == nullptr ? products[c] : products[c] + bias[c];
    return;
  }
  for (std::int64_t group = 0; group < g.groups; ++group)
    for (std::int64_t o = 0; o < g.out; ++o) {
      const T* const from = products + o * g.channels() + group * g.in;
      auto sum = static_cast<double>(from[0]);
      for (std::int64_t i = 1; i < g.in; ++i) sum += static_cast<double>(from[i]);
      const std::int64_t k = group * g.out + o;
      y[k] = static_cast<T>(bias == nullptr ? sum : sum + static_cast<double>(bias[k]));
    }
}

}  // namespace

template <class T>
void cpu::arrange_narrow(const NarrowGroups& g, std::int64_t first, const T* weight, T* arranged) {
  const T* from = weight + first * g.out * g.taps * g.in;
  for (std::int64_t k = 0; k < g.outputs(); ++k)
    for (std::int64_t t = 0; t < g.taps; ++t)
      for (std::int64_t i = 0; i < g.in; ++i)
        arranged[g.weight_index(k % g.out, t, k / g.out * g.in + i)] = *from++;
}

template <class T>
void cpu::restore_narrow(const NarrowGroups& g, const double* arranged, T* weight) {
  for (std::int64_t k = 0; k < g.outputs(); ++k)
    for (std::int64_t t = 0; t < g.taps; ++t)
      for (std::int64_t i = 0; i < g.in; ++i)
        *weight++ = static_cast<T>(arranged[g.weight_index(k % g.out, t, k / g.out * g.in + i)]);
}

template <class T>
void cpu::narrow_forward(const NarrowGroups& g, std::int64_t rows, const T* columns,
                         const T* arranged, const T* bias, T* y, T* scratch) {
  const std::int64_t channels = g.channels();
  const std::int64_t width = g.taps * channels, products = g.out * channels;
  by_rows(rows, [&](std::int64_t first, std::int64_t count) {
    const Rows<const T> from(columns + first * width, width, count);
    const Rows<T> to(scratch, products, count);
    for (std::int64_t o = 0; o < g.out; ++o)
      sum_products(channels, g.taps, from, channels, arranged + g.weight_index(o, 0, 0), channels,
                   to, o * channels);
    for (std::int64_t r = 0; r < count; ++r)
      add_up_groups(g, scratch + r * products, bias, y + (first + r) * g.outputs());
  });
}

template <class T>
void cpu::narrow_columns_gradient(const NarrowGroups& g, std::int64_t rows, const T* dy,
                                  std::int64_t dy_stride, const T* arranged, T* columns_gradient,
                                  T* scratch) {
  const std::int64_t channels = g.channels(), width = g.taps * channels;
  by_rows(rows, [&](std::int64_t first, std::int64_t count) {
    const SpreadOutputs<T> outputs(g, count, dy + first * dy_stride, dy_stride, scratch);
    const Rows<const T> from(outputs.data, outputs.stride, count);
    const Rows<T> to(columns_gradient + first * width, width, count);
    for (std::int64_t t = 0; t < g.taps; ++t)
      sum_products(channels, g.out, from, channels, arranged + g.weight_index(0, t, 0), width, to,
                   t * channels);
  });
}

template <class T>
void cpu::narrow_weight_gradient(const NarrowGroups& g, std::int64_t rows, const T* dy,
                                 std::int64_t dy_stride, const T* columns,
                                 double* arranged_gradient, T* scratch) {
  const std::int64_t channels = g.channels(), width = g.taps * channels;
  by_rows(rows, [&](std::int64_t first, std::int64_t count) {
    const SpreadOutputs<T> outputs(g, count, dy + first * dy_stride, dy_stride, scratch);
    const T* const part = columns + first * width;
    for (std::int64_t o = 0; o < g.out; ++o)
      along_channels<T>(channels, [&]<class V>(std::int64_t c, V*) {
        V by[kRows] = {};
        for (std::int64_t r = 0; r < count; ++r)
          load(outputs.data + r * outputs.stride + o * channels + c, by[r]);
        for (std::int64_t t = 0; t < g.taps; ++t) {
          V sum{}, value;
          for (std::int64_t r = 0; r < count; ++r) {
            load(part + r * width + t * channels + c, value);
            sum += by[r] * value;
          }
          add_to(sum, arranged_gradient + g.weight_index(o, t, c));
        }
      });
  });
}

template void cpu::arrange_narrow(const NarrowGroups&, std::int64_t, const float*, float*);
template void cpu::arrange_narrow(const NarrowGroups&, std::int64_t, const double*, double*);
template void cpu::restore_narrow(const NarrowGroups&, const double*, float*);
template void cpu::restore_narrow(const NarrowGroups&, const double*, double*);
template void cpu::narrow_forward(const NarrowGroups&, std::int64_t, const float*, const float*,
                                  const float*, float*, float*);
template void cpu::narrow_forward(const NarrowGroups&, std::int64_t, const double*, const double*,
                                  const double*, double*, double*);
template void cpu::narrow_columns_gradient(const NarrowGroups&, std::int64_t, const float*,
                                           std::int64_t, const float*, float*, float*);
template void cpu::narrow_columns_gradient(const NarrowGroups&, std::int64_t, const double*,
                                           std::int64_t, const double*, double*, double*);
template void cpu::narrow_weight_gradient(const NarrowGroups&, std::int64_t, const float*,
                                          std::int64_t, const float*, double*, float*);
template void cpu::narrow_weight_gradient(const NarrowGroups&, std::int64_t, const double*,
                                          std::int64_t, const double*, double*, double*);

}  // namespace pliant
