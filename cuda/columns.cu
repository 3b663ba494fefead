#include <pliant/cuda/columns.h>

#include <pliant/cuda/gemm.h>

namespace pliant {
namespace {

using namespace cuda;

// A group's part of each matrix; the groups are the batch of one product.
template <class T>
Matrices<T> of_columns(const ColumnsGeometry& g, T* columns) {
  return {columns, g.width, g.taps * g.in};
}
template <class T>
Matrices<T> of_weight(const ColumnsGeometry& g, T* weight) {
  return {weight, g.taps * g.in, g.out * g.taps * g.in};
}
template <class T>
Matrices<T> of_output(const ColumnsGeometry& g, Slice slice, T* y) {
  const std::int64_t k = g.groups * g.out;
  return {y + slice.begin * k, k, g.out};
}

template <class T>
Matrices<T> transposed(Matrices<T> matrices) {
  matrices.transpose = Transpose::yes;
  return matrices;
}

}  // namespace

template <class T>
void cuda::multiply_columns(const char* op, const ColumnsGeometry& g, Slice slice, const T* columns,
                            const T* weight, const T* bias, T* y) {
  multiply(op, {slice.rows(), g.out, g.taps * g.in, g.groups}, of_columns(g, columns),
           transposed(of_weight(g, weight)), of_output(g, slice, y), Bias<T>{bias, g.out});
}

template <class T>
void cuda::columns_gradient(const char* op, const ColumnsGeometry& g, Slice slice, const T* dy,
                            const T* weight, T* columns) {
  multiply(op, {slice.rows(), g.taps * g.in, g.out, g.groups}, of_output(g, slice, dy),
           of_weight(g, weight), of_columns(g, columns), Accumulate::no);
}

template <class T>
void cuda::add_weight_gradient(const char* op, const ColumnsGeometry& g, Slice slice, const T* dy,
                               const T* columns, Wide<T>* dweight) {
  multiply(op, {g.out, g.taps * g.in, slice.rows(), g.groups}, transposed(of_output(g, slice, dy)),
           of_columns(g, columns), of_weight(g, dweight), Accumulate::yes);
}

template void cuda::multiply_columns(const char*, const ColumnsGeometry&, Slice, const float*,
                                     const float*, const float*, float*);
template void cuda::multiply_columns(const char*, const ColumnsGeometry&, Slice, const double*,
                                     const double*, const double*, double*);
template void cuda::multiply_columns(const char*, const ColumnsGeometry&, Slice, const BFloat16*,
                                     const BFloat16*, const BFloat16*, BFloat16*);
template void cuda::columns_gradient(const char*, const ColumnsGeometry&, Slice, const BFloat16*,
                                     const BFloat16*, BFloat16*);
template void cuda::add_weight_gradient<BFloat16>(const char*, const ColumnsGeometry&, Slice,
                                                  const BFloat16*, const BFloat16*, float*);
template void cuda::columns_gradient(const char*, const ColumnsGeometry&, Slice, const float*,
                                     const float*, float*);
template void cuda::columns_gradient(const char*, const ColumnsGeometry&, Slice, const double*,
                                     const double*, double*);
template void cuda::add_weight_gradient<float>(const char*, const ColumnsGeometry&, Slice,
                                               const float*, const float*, float*);
template void cuda::add_weight_gradient<double>(const char*, const ColumnsGeometry&, Slice,
                                                const double*, const double*, double*);

}  // namespace pliant
