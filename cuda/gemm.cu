#include <pliant/cuda/gemm.h>

#include <cstddef>
#include <type_traits>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

template <class T>
constexpr cudaDataType kType = std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_64F;
template <class T>
constexpr cublasComputeType_t kCompute =
    std::is_same_v<T, float> ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F;

// cuBLASLt's descriptors, released when the call is over.
struct Operation {
  cublasLtMatmulDesc_t handle = nullptr;
  Operation(const char* op, cublasComputeType_t compute, cudaDataType scale) {
    check(cublasLtMatmulDescCreate(&handle, compute, scale), op, "cublasLtMatmulDescCreate");
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { cublasLtMatmulDescDestroy(handle); }
};

struct Layout {
  cublasLtMatrixLayout_t handle = nullptr;

  // cuBLASLt counts by columns, so a row-major [rows columns] is its [columns rows].
  template <class T>
  Layout(const char* op, const Matrices<T>& matrices, std::int64_t rows, std::int64_t columns,
         std::int64_t batch) {
    check(cublasLtMatrixLayoutCreate(&handle, kType<std::remove_const_t<T>>,
                                     static_cast<std::uint64_t>(columns),
                                     static_cast<std::uint64_t>(rows), matrices.row_stride),
          op, "cublasLtMatrixLayoutCreate");
    const auto count = static_cast<std::int32_t>(batch);
    set(op, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, count);
    set(op, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, matrices.matrix_stride);
  }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  ~Layout() { cublasLtMatrixLayoutDestroy(handle); }

 private:
  template <class V>
  void set(const char* op, cublasLtMatrixLayoutAttribute_t attribute, const V& value) {
    check(cublasLtMatrixLayoutSetAttribute(handle, attribute, &value, sizeof(value)), op,
          "cublasLtMatrixLayoutSetAttribute");
  }
};

struct Preference {
  cublasLtMatmulPreference_t handle = nullptr;
  explicit Preference(const char* op) {
    check(cublasLtMatmulPreferenceCreate(&handle), op, "cublasLtMatmulPreferenceCreate");
  }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  ~Preference() { cublasLtMatmulPreferenceDestroy(handle); }

  template <class V>
  void set(const char* op, cublasLtMatmulPreferenceAttributes_t attribute, const V& value) {
    check(cublasLtMatmulPreferenceSetAttribute(handle, attribute, &value, sizeof(value)), op,
          "cublasLtMatmulPreferenceSetAttribute");
  }
};

// What divides the address of every matrix: cuBLASLt would take 256 for granted.
template <class T>
std::uint32_t alignment(const Matrices<T>& matrices) {
  const auto bits = reinterpret_cast<std::uintptr_t>(matrices.data) |
                    static_cast<std::uintptr_t>(matrices.matrix_stride) * sizeof(T) | 256u;
  return static_cast<std::uint32_t>(bits & (~bits + 1));
}

// The library's own choice of algorithm, which depends on shapes, strides and alignment alone,
// never on timing. Where it cuts k, the parts are added up in a step of their own, in order.
template <class A, class B, class Y>
cublasLtMatmulHeuristicResult_t choose(const char* op, const Operation& operation,
                                       const Matrices<A>& a, const Layout& layout_a,
                                       const Matrices<B>& b, const Layout& layout_b,
                                       const Matrices<Y>& y, const Layout& layout_y) {
  Preference preference(op);
  const auto scratch = static_cast<std::size_t>(kBlasScratchBytes);
  preference.set(op, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, scratch);
  const std::uint32_t reductions =
      CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
  preference.set(op, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(a));
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(b));
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(y));
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(y));
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(blas(), operation.handle, layout_a.handle, layout_b.handle,
                                       layout_y.handle, layout_y.handle, preference.handle, 1,
                                       &result, &found),
        op, "cublasLtMatmulAlgoGetHeuristic");
  require(found > 0, op, ": cuBLASLt has no algorithm for this product");
  return result;
}

// y^T = op(b)^T op(a)^T: what is row-major here is its own transpose there, so the operands change
// places and nothing is transposed that was not before.
template <class T>
void product(const char* op, const ProductSize& size, const Matrices<const T>& a,
             const Matrices<const T>& b, const Matrices<T>& y, Accumulate accumulate) {
  Operation operation(op, kCompute<T>, kType<T>);
  const auto set_transpose = [&](cublasLtMatmulDescAttributes_t attribute, Transpose transpose) {
    const cublasOperation_t value = transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(cublasLtMatmulDescSetAttribute(operation.handle, attribute, &value, sizeof(value)), op,
          "cublasLtMatmulDescSetAttribute");
  };
  set_transpose(CUBLASLT_MATMUL_DESC_TRANSA, b.transpose);
  set_transpose(CUBLASLT_MATMUL_DESC_TRANSB, a.transpose);
  const auto layout = [&](const auto& matrices, std::int64_t rows, std::int64_t columns) {
    const bool flip = matrices.transpose == Transpose::yes;
    return Layout(op, matrices, flip ? columns : rows, flip ? rows : columns, size.batch);
  };
  const Layout left = layout(b, size.k, size.n), right = layout(a, size.m, size.k);
  const Layout result = layout(y, size.m, size.n);
  const auto choice = choose(op, operation, b, left, a, right, y, result);
  const T alpha = 1, beta = accumulate == Accumulate::yes ? T(1) : T(0);
  check(cublasLtMatmul(blas(), operation.handle, &alpha, b.data, left.handle, a.data, right.handle,
                       &beta, y.data, result.handle, y.data, result.handle, &choice.algo,
                       blas_scratch(), choice.workspaceSize, stream()),
        op, "cublasLtMatmul");
}

// y = 0 for matrices whose rows lie row_stride apart.
template <class T>
void clear(const char* op, const ProductSize& size, const Matrices<T>& y) {
  each(op, size.batch * size.m * size.n, [=] __device__(std::int64_t i) {
    const std::int64_t column = i % size.n, row = i / size.n % size.m, batch = i / size.n / size.m;
    y.data[batch * y.matrix_stride + row * y.row_stride + column] = T(0);
  });
}

}  // namespace

template <class T>
void cuda::multiply(const char* op, const ProductSize& size, const Matrices<const T>& a,
                    const Matrices<const T>& b, const Matrices<T>& y, Accumulate accumulate) {
  if (size.batch == 0 || size.m == 0 || size.n == 0) return;
  if (size.k > 0)
    product(op, size, a, b, y, accumulate);
  else if (accumulate == Accumulate::no)
    clear(op, size, y);
}

template <class T>
void cuda::fill_rows(const char* op, std::int64_t rows, std::int64_t n, const T* bias, T* y) {
  each(op, rows * n,
       [=] __device__(std::int64_t i) { y[i] = bias == nullptr ? T(0) : bias[i % n]; });
}

template void cuda::multiply(const char*, const ProductSize&, const Matrices<const float>&,
                             const Matrices<const float>&, const Matrices<float>&, Accumulate);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const double>&,
                             const Matrices<const double>&, const Matrices<double>&, Accumulate);
template void cuda::fill_rows(const char*, std::int64_t, std::int64_t, const float*, float*);
template void cuda::fill_rows(const char*, std::int64_t, std::int64_t, const double*, double*);

}  // namespace pliant
