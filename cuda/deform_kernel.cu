// Deformable kernels on the GPU, element by element from the shared formula: every thread makes the
// taps it needs itself. Deterministic and right for any shape; products with the weights by tiles,
// as in deform_conv.cu, are the way to more speed.
#include <pliant/core/kernels/deform_kernel.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "deform_kernel";

// What one thread knows of its place; offset may be null. Passed by value.
template <class T>
struct Kernels {
  DeformKernelGeometry g;
  const T* offset;
  const T* rotation;

  __device__ std::int64_t in() const { return g.conv.c / g.conv.groups; }
  __device__ std::int64_t out() const { return g.conv.k / g.conv.groups; }
  __device__ std::int64_t positions() const { return g.scope_h * g.scope_w; }
  __device__ std::int64_t rows() const { return g.conv.n * g.conv.p * g.conv.q; }
  __device__ std::int64_t map(std::int64_t row) const {
    return row / (g.conv.p * g.conv.q) * g.conv.h * g.conv.w * g.conv.c;
  }
  // Where channel c of a tap is found in the scope.
  __device__ BilinearTap<T> scope(std::int64_t row, std::int64_t c, std::int64_t t) const {
    const T* const pair = rotation + 2 * rotation_pair(g, row, c % g.rotation_groups, t);
    return scope_tap(g, t / g.conv.s, t % g.conv.s, pair[0], pair[1]);
  }
  // What a tap reads of x: without offsets one pixel, as a tap that lies on it.
  __device__ BilinearTap<T> sample(std::int64_t row, std::int64_t t) const {
    const DeformGeometry deformed{g.conv, 1, Boundary::zero_pad};
    const std::int64_t pair = 2 * deform_pair(deformed, row, 0, t);
    return deform_tap(deformed, row / g.conv.q % g.conv.p, row % g.conv.q, t / g.conv.s,
                      t % g.conv.s, offset == nullptr ? T(0) : offset[pair],
                      offset == nullptr ? T(0) : offset[pair + 1]);
  }
  // First weight of (k, scope position 0, channel c).
  __device__ std::int64_t weight_at(std::int64_t k, std::int64_t c) const {
    return k * positions() * in() + c % in();
  }
};

// Row `row` of a tap over values `stride` apart.
template <class T>
__device__ T read(const BilinearTap<T>& tap, const T (&row)[4], const T* from,
                  std::int64_t stride) {
  T sum = 0;
  for (int i = 0; i < 4; ++i)
    if (tap.pixel[i] >= 0) sum += row[i] * from[std::int64_t{tap.pixel[i]} * stride];
  return sum;
}

template <class T>
void forward(const Kernels<T>& kernels, const T* x, const T* weight, const T* bias, T* y) {
  const Conv2dGeometry& conv = kernels.g.conv;
  cuda::each(kOp, conv.n * conv.p * conv.q * conv.k, [=] __device__(std::int64_t at) {
    const Conv2dGeometry& g = kernels.g.conv;
    const std::int64_t row = at / g.k, k = at % g.k;
    const std::int64_t first = k / kernels.out() * kernels.in();
    T sum = bias == nullptr ? T(0) : bias[k];
    for (std::int64_t t = 0; t < kernels.g.taps(); ++t) {
      const BilinearTap<T> sample = kernels.sample(row, t);
      for (std::int64_t c = first; c < first + kernels.in(); ++c) {
        const BilinearTap<T> scope = kernels.scope(row, c, t);
        sum += read(sample, sample.weight, x + kernels.map(row) + c, g.c) *
               read(scope, scope.weight, weight + kernels.weight_at(k, c), kernels.in());
      }
    }
    y[at] = sum;
  });
}

// The gradient of channel c of a sample: dy times the weights that the location gives the tap.
template <class T>
__device__ T sample_gradient(const Kernels<T>& kernels, const BilinearTap<T>& scope,
                             std::int64_t row, std::int64_t c, const T* weight, const T* dy) {
  const std::int64_t first = c / kernels.in() * kernels.out();
  T sum = 0;
  for (std::int64_t k = first; k < first + kernels.out(); ++k)
    sum += dy[row * kernels.g.conv.k + k] *
           read(scope, scope.weight, weight + kernels.weight_at(k, c), kernels.in());
  return sum;
}

// One thread owns a channel of an image and walks its locations in order, as in map_offsets.
template <class T>
void data_gradient(const Kernels<T>& kernels, const T* weight, const T* dy, T* dx) {
  const Conv2dGeometry& conv = kernels.g.conv;
  cuda::set_to_zero(kOp, dx, conv.n * conv.h * conv.w * conv.c);
  cuda::each(kOp, conv.n * conv.c, [=] __device__(std::int64_t owner) {
    const Conv2dGeometry& g = kernels.g.conv;
    const std::int64_t c = owner % g.c, first = owner / g.c * g.p * g.q;
    T* const to = dx + kernels.map(first) + c;
    for (std::int64_t row = first; row < first + g.p * g.q; ++row)
      for (std::int64_t t = 0; t < kernels.g.taps(); ++t) {
        const BilinearTap<T> sample = kernels.sample(row, t);
        const T slope = sample_gradient(kernels, kernels.scope(row, c, t), row, c, weight, dy);
        for (int i = 0; i < 4; ++i)
          if (sample.pixel[i] >= 0)
            to[std::int64_t{sample.pixel[i]} * g.c] += slope * sample.weight[i];
      }
  });
}

template <class T>
void offset_gradient(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy,
                     T* doffset) {
  const Conv2dGeometry& conv = kernels.g.conv;
  cuda::each(kOp, conv.n * conv.p * conv.q * conv.r * conv.s, [=] __device__(std::int64_t at) {
    const std::int64_t row = at / kernels.g.taps(), t = at % kernels.g.taps(), c = kernels.g.conv.c;
    const BilinearTap<T> sample = kernels.sample(row, t);
    T by_row = 0, by_column = 0;
    for (std::int64_t i = 0; i < c; ++i) {
      const T slope = sample_gradient(kernels, kernels.scope(row, i, t), row, i, weight, dy);
      by_row += slope * read(sample, sample.d_row, x + kernels.map(row) + i, c);
      by_column += slope * read(sample, sample.d_column, x + kernels.map(row) + i, c);
    }
    doffset[2 * at] = by_row;
    doffset[2 * at + 1] = by_column;
  });
}

template <class T>
void rotation_gradient(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy,
                       T* drotation) {
  const Conv2dGeometry& conv = kernels.g.conv;
  const std::int64_t groups = kernels.g.rotation_groups, taps = kernels.g.taps();
  cuda::each(kOp, conv.n * conv.p * conv.q * groups * taps, [=] __device__(std::int64_t at) {
    const std::int64_t row = at / taps / groups, group = at / taps % groups, t = at % taps;
    const Conv2dGeometry& g = kernels.g.conv;
    const BilinearTap<T> scope = kernels.scope(row, group, t), sample = kernels.sample(row, t);
    T by_row = 0, by_column = 0;
    for (std::int64_t c = group; c < g.c; c += groups) {
      const T value = read(sample, sample.weight, x + kernels.map(row) + c, g.c);
      const std::int64_t first = c / kernels.in() * kernels.out();
      for (std::int64_t k = first; k < first + kernels.out(); ++k) {
        const T slope = value * dy[row * g.k + k];
        const T* const from = weight + kernels.weight_at(k, c);
        by_row += slope * read(scope, scope.d_row, from, kernels.in());
        by_column += slope * read(scope, scope.d_column, from, kernels.in());
      }
    }
    drotation[2 * at] = by_row;
    drotation[2 * at + 1] = by_column;
  });
}

// One thread owns a pair of channels and walks all locations in order.
template <class T>
void weight_gradient(const Kernels<T>& kernels, const T* x, const T* dy, T* dweight) {
  const Conv2dGeometry& conv = kernels.g.conv;
  const std::int64_t in = conv.c / conv.groups;
  cuda::set_to_zero(kOp, dweight, conv.k * kernels.g.scope_h * kernels.g.scope_w * in);
  cuda::each(kOp, conv.k * in, [=] __device__(std::int64_t owner) {
    const std::int64_t k = owner / in, c = k / kernels.out() * in + owner % in;
    T* const to = dweight + kernels.weight_at(k, c);
    for (std::int64_t row = 0; row < kernels.rows(); ++row)
      for (std::int64_t t = 0; t < kernels.g.taps(); ++t) {
        const BilinearTap<T> sample = kernels.sample(row, t), scope = kernels.scope(row, c, t);
        const T slope = dy[row * kernels.g.conv.k + k] *
                        read(sample, sample.weight, x + kernels.map(row) + c, kernels.g.conv.c);
        for (int i = 0; i < 4; ++i)
          if (scope.pixel[i] >= 0) to[scope.pixel[i] * in] += slope * scope.weight[i];
      }
  });
}

template <class T>
void gradient(const Kernels<T>& kernels, const T* x, const T* weight, const T* dy, T* dx,
              T* doffset, T* drotation, T* dweight) {
  if (dx != nullptr) data_gradient(kernels, weight, dy, dx);
  if (doffset != nullptr) offset_gradient(kernels, x, weight, dy, doffset);
  if (drotation != nullptr) rotation_gradient(kernels, x, weight, dy, drotation);
  if (dweight != nullptr) weight_gradient(kernels, x, dy, dweight);
}

}  // namespace

void cuda::deform_kernel_forward(const DeformKernelGeometry& g, const float* x, const float* offset,
                                 const float* rotation, const float* weight, const float* bias,
                                 float* y, Workspace&) {
  forward(Kernels<float>{g, offset, rotation}, x, weight, bias, y);
}

void cuda::deform_kernel_forward(const DeformKernelGeometry& g, const double* x,
                                 const double* offset, const double* rotation, const double* weight,
                                 const double* bias, double* y, Workspace&) {
  forward(Kernels<double>{g, offset, rotation}, x, weight, bias, y);
}

void cuda::deform_kernel_gradient(const DeformKernelGeometry& g, const float* x,
                                  const float* offset, const float* rotation, const float* weight,
                                  const float* dy, float* dx, float* doffset, float* drotation,
                                  float* dweight, Workspace&) {
  gradient(Kernels<float>{g, offset, rotation}, x, weight, dy, dx, doffset, drotation, dweight);
}

void cuda::deform_kernel_gradient(const DeformKernelGeometry& g, const double* x,
                                  const double* offset, const double* rotation,
                                  const double* weight, const double* dy, double* dx,
                                  double* doffset, double* drotation, double* dweight, Workspace&) {
  gradient(Kernels<double>{g, offset, rotation}, x, weight, dy, dx, doffset, drotation, dweight);
}

}  // namespace pliant
