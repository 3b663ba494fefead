#include <pliant/cuda/gemm.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include <pliant/core/gpu_options.h>
#include <pliant/core/kernels/unary.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

template <class T>
constexpr cudaDataType kType = std::is_same_v<T, BFloat16> ? CUDA_R_16BF
                               : std::is_same_v<T, float>  ? CUDA_R_32F
                                                           : CUDA_R_64F;

template <class T>
constexpr const char* kTypeName = std::is_same_v<T, BFloat16> ? "bfloat16"
                                  : std::is_same_v<T, float>  ? "float32"
                                                              : "float64";

template <class T>
cublasComputeType_t compute_type() {
  if (std::is_same_v<T, double>) return CUBLAS_COMPUTE_64F;
  if (std::is_same_v<T, BFloat16>) return CUBLAS_COMPUTE_32F;
  return gpu_options().precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                    : CUBLAS_COMPUTE_32F;
}

// cuBLASLt's descriptors, released when the call is over.
struct Operation {
  cublasLtMatmulDesc_t handle = nullptr;
  Operation(const char* op, cublasComputeType_t compute, cudaDataType scale) {
    check(cublasLtMatmulDescCreate(&handle, compute, scale), op, "cublasLtMatmulDescCreate");
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { cublasLtMatmulDescDestroy(handle); }

  template <class V>
  void set(const char* op, cublasLtMatmulDescAttributes_t attribute, const V& value) {
    check(cublasLtMatmulDescSetAttribute(handle, attribute, &value, sizeof(value)), op,
          "cublasLtMatmulDescSetAttribute");
  }
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

template <class T>
std::uint32_t alignment(const Bias<T>& bias) {
  return alignment(Matrices<const T>{bias.data, 0, bias.stride});
}

// A product as cuBLASLt sees it. What is row-major here is its own transpose there, so it computes
// y^T = op(b)^T op(a)^T: the operands change places and nothing is transposed that was not before,
// and a bias [n], one element for each of its rows, is what its epilogue adds.
template <class T, class Y>
struct Product {
  ProductSize size;
  Matrices<const T> a, b;
  Matrices<Y> y;
  Accumulate accumulate = Accumulate::no;
  Bias<Y> bias = {};
  Activation activation = Activation::none;

  // All that an algorithm is chosen by.
  std::array<std::int64_t, 23> key(cublasComputeType_t compute) const {
    const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
    return {size.m,
            size.n,
            size.k,
            size.batch,
            a.row_stride,
            a.matrix_stride,
            number(a.transpose),
            alignment(a),
            b.row_stride,
            b.matrix_stride,
            number(b.transpose),
            alignment(b),
            y.row_stride,
            y.matrix_stride,
            alignment(y),
            number(accumulate),
            number(bias.data != nullptr),
            bias.stride,
            alignment(bias),
            number(compute),
            number(kType<T>),
            number(kType<Y>),
            number(activation)};
  }
};

// The library's own choice of algorithms for a product, best first, which depends on shapes, strides
// and alignment alone, never on timing.
struct Offer {
  std::array<cublasLtMatmulAlgo_t, 8> algorithms;
  int count;
  cublasStatus_t said;
};
struct Choice {
  Offer offer;
  std::atomic<int> first{0};            // those before have refused to run
  std::atomic<cublasStatus_t> refusal;  // the last one

  explicit Choice(const Offer& made) : offer(made), refusal(made.said) {}
};

// Where an algorithm cuts k, the parts are added up in a step of their own, in order. A combination
// that the library calls invalid is one for which it has no algorithm.
template <class T, class Y>
Offer choose(const char* op, const Product<T, Y>& product, const Operation& operation,
             const Layout& left, const Layout& right, const Layout& result) {
  Preference preference(op);
  const auto scratch = static_cast<std::size_t>(kBlasScratchBytes);
  preference.set(op, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, scratch);
  const bool is_rounded = !std::is_same_v<Y, Wide<Y>>;  // the parts must not be
  const std::uint32_t reductions =
      CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE |
      (is_rounded ? CUBLASLT_REDUCTION_SCHEME_NONE : CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE);
  preference.set(op, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(product.b));
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(product.a));
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(product.y));
  preference.set(op, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(product.y));
  Offer offer{};
  std::array<cublasLtMatmulHeuristicResult_t, std::tuple_size_v<decltype(offer.algorithms)>>
      found{};
  int count = 0;
  offer.said = cublasLtMatmulAlgoGetHeuristic(blas(), operation.handle, left.handle, right.handle,
                                              result.handle, result.handle, preference.handle,
                                              static_cast<int>(found.size()), found.data(), &count);
  if (offer.said != CUBLAS_STATUS_SUCCESS) return offer;
  offer.said = CUBLAS_STATUS_NOT_SUPPORTED;  // unless one of them runs
  for (int i = 0; i < count; ++i)
    if (found[i].state == CUBLAS_STATUS_SUCCESS) offer.algorithms[offer.count++] = found[i].algo;
  return offer;
}

// Choices are made once and kept: asking costs more than a small product.
template <class Key, class Make>
Choice& remembered(const Key& key, Make make) {
  static std::mutex mutex;
  static auto* const choices = new std::map<Key, Choice>;  // NOLINT: lives as long as the process
  const std::lock_guard lock(mutex);
  if (const auto found = choices->find(key); found != choices->end()) return found->second;
  return choices->try_emplace(key, make()).first->second;
}

template <class T, class Y>
void describe(const char* op, const Product<T, Y>& product, Operation& operation) {
  const auto set_transpose = [&](cublasLtMatmulDescAttributes_t attribute, Transpose transpose) {
    operation.set(op, attribute, transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N);
  };
  set_transpose(CUBLASLT_MATMUL_DESC_TRANSA, product.b.transpose);
  set_transpose(CUBLASLT_MATMUL_DESC_TRANSB, product.a.transpose);
  const bool has_bias = product.bias.data != nullptr;
  if (product.activation == Activation::relu)
    operation.set(op, CUBLASLT_MATMUL_DESC_EPILOGUE,
                  has_bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU);
  else if (has_bias)
    operation.set(op, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  if (!has_bias) return;
  operation.set(op, CUBLASLT_MATMUL_DESC_BIAS_POINTER, product.bias.data);
  operation.set(op, CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, product.bias.stride);
}

// In one line all that an algorithm is chosen by.
template <class T, class Y>
std::string text_of(const Product<T, Y>& product) {
  std::ostringstream text;
  const auto matrices = [&](const char* name, const auto& m, std::int64_t rows,
                            std::int64_t columns) {
    text << name << " [" << rows << ' ' << columns << ']'
         << (m.transpose == Transpose::yes ? " transposed" : "") << " (row stride " << m.row_stride
         << ", matrix stride " << m.matrix_stride << ", aligned to " << alignment(m) << " bytes)";
  };
  const ProductSize& size = product.size;
  text << size.batch << " times ";
  matrices("a", product.a, size.m, size.k);
  matrices(" by b", product.b, size.k, size.n);
  matrices(" to y", product.y, size.m, size.n);
  text << ", " << kTypeName<T> << " to "
       << kTypeName<Y> << (product.accumulate == Accumulate::yes ? ", added" : "");
  return text.str();
}

// Success, or what cuBLASLt says of the product; then nothing is done.
template <class T, class Y>
cublasStatus_t run(const char* op, const Product<T, Y>& product) {
  const cublasComputeType_t compute = compute_type<T>();
  Operation operation(op, compute, kType<Wide<T>>);
  describe(op, product, operation);
  const ProductSize& size = product.size;
  const auto layout = [&](const auto& matrices, std::int64_t rows, std::int64_t columns) {
    const bool flip = matrices.transpose == Transpose::yes;
    return Layout(op, matrices, flip ? columns : rows, flip ? rows : columns, size.batch);
  };
  const Layout left = layout(product.b, size.k, size.n), right = layout(product.a, size.m, size.k);
  const Layout result = layout(product.y, size.m, size.n);
  Choice& choice = remembered(product.key(compute),
                              [&] { return choose(op, product, operation, left, right, result); });
  const Wide<T> alpha = 1, beta = product.accumulate == Accumulate::yes ? 1 : 0;
  const Traced traced(op, "cublasLtMatmul");
  for (int i = choice.first; i < choice.offer.count; ++i) {
    const cublasStatus_t status =
        cublasLtMatmul(blas(), operation.handle, &alpha, product.b.data, left.handle,
                       product.a.data, right.handle, &beta, product.y.data, result.handle,
                       product.y.data, result.handle, &choice.offer.algorithms[i], blas_scratch(),
                       static_cast<std::size_t>(kBlasScratchBytes), stream());
    if (status == CUBLAS_STATUS_SUCCESS) return status;
    choice.refusal = status;
    choice.first = i + 1;
  }
  return choice.refusal;
}

// The matrices of a batch one after the other.
template <class T, class Y>
cublasStatus_t run_one_by_one(const char* op, Product<T, Y> product) {
  const auto advance = [](auto& matrices) { matrices.data += matrices.matrix_stride; };
  const std::int64_t batch = std::exchange(product.size.batch, 1);
  for (std::int64_t i = 0; i < batch; ++i) {
    if (const cublasStatus_t status = run(op, product); status != CUBLAS_STATUS_SUCCESS)
      return status;
    advance(product.a);
    advance(product.b);
    advance(product.y);
  }
  return CUBLAS_STATUS_SUCCESS;
}

// Every row of y becomes its matrix's bias, or 0 where there is none.
template <class T>
void fill_rows(const char* op, const ProductSize& size, const Matrices<T>& y, const Bias<T>& bias) {
  each(op, size.batch * size.m * size.n, [=] __device__(std::int64_t i) {
    const std::int64_t column = i % size.n, row = i / size.n % size.m, batch = i / size.n / size.m;
    y.data[batch * y.matrix_stride + row * y.row_stride + column] =
        bias.data == nullptr ? T(Wide<T>(0)) : bias.data[batch * bias.stride + column];
  });
}

template <class T>
void rectify(const char* op, const ProductSize& size, const Matrices<T>& y) {
  each(op, size.batch * size.m * size.n, [=] __device__(std::int64_t i) {
    const std::int64_t column = i % size.n, row = i / size.n % size.m, batch = i / size.n / size.m;
    T& element = y.data[batch * y.matrix_stride + row * y.row_stride + column];
    element = T(unary::Relu<Wide<T>>().value(element));
  });
}

// Whether the epilogue can read each of the vectors 16 bytes at a time.
template <class T>
bool is_aligned(const Bias<T>& bias) {
  return alignment(bias) >= 16;
}

}  // namespace

template <class T, class Y>
void cuda::multiply(const char* op, const ProductSize& size, const Matrices<const T>& a,
                    const Matrices<const T>& b, const Matrices<Y>& y, Accumulate accumulate) {
  if (size.batch == 0 || size.m == 0 || size.n == 0) return;
  if (size.k == 0) {
    if (accumulate == Accumulate::no) fill_rows(op, size, y, Bias<Y>{});
    return;
  }
  const Product<T, Y> product{size, a, b, y, accumulate};
  cublasStatus_t status = run(op, product);
  if (status != CUBLAS_STATUS_SUCCESS && size.batch > 1) status = run_one_by_one(op, product);
  if (status != CUBLAS_STATUS_SUCCESS)
    check(status, op, ("cublasLtMatmul of " + text_of(product)).c_str());
}

template <class T>
void cuda::multiply(const char* op, const ProductSize& size, const Matrices<const T>& a,
                    const Matrices<const T>& b, const Matrices<T>& y, const Bias<T>& bias,
                    Activation activation) {
  if (bias.data == nullptr && activation == Activation::none)
    return multiply(op, size, a, b, y, Accumulate::no);
  if (size.batch == 0 || size.m == 0 || size.n == 0) return;
  if (size.k > 0 && is_aligned(bias) &&
      run(op, Product<T, T>{size, a, b, y, Accumulate::no, bias, activation}) ==
          CUBLAS_STATUS_SUCCESS)
    return;
  fill_rows(op, size, y, bias);
  multiply(op, size, a, b, y, Accumulate::yes);
  if (activation == Activation::relu) rectify(op, size, y);
}

template void cuda::multiply(const char*, const ProductSize&, const Matrices<const float>&,
                             const Matrices<const float>&, const Matrices<float>&, Accumulate);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const double>&,
                             const Matrices<const double>&, const Matrices<double>&, Accumulate);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const BFloat16>&,
                             const Matrices<const BFloat16>&, const Matrices<BFloat16>&,
                             Accumulate);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const BFloat16>&,
                             const Matrices<const BFloat16>&, const Matrices<float>&, Accumulate);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const float>&,
                             const Matrices<const float>&, const Matrices<float>&,
                             const Bias<float>&, Activation);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const BFloat16>&,
                             const Matrices<const BFloat16>&, const Matrices<BFloat16>&,
                             const Bias<BFloat16>&, Activation);
template void cuda::multiply(const char*, const ProductSize&, const Matrices<const double>&,
                             const Matrices<const double>&, const Matrices<double>&,
                             const Bias<double>&, Activation);

}  // namespace pliant
