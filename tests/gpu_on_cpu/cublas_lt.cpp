// cuBLASLt, as far as cuda/gemm.cu calls it: column-major products, one element after the other.
#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

#include <pliant/core/bfloat16.h>
#include <pliant/core/error.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/gpu_on_cpu/device.h>

using pliant::BFloat16;

namespace {

// Attributes by their number. One that was set by another size than it has is an error.
class Attributes {
 public:
  void set(int name, const void* value, std::size_t bytes) {
    values_[name].assign(static_cast<const char*>(value), static_cast<const char*>(value) + bytes);
  }
  template <class V>
  V get(int name, V otherwise) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    pliant::require(found->second.size() == sizeof(V), "cuBLASLt: attribute ", name, " was set by ",
                    found->second.size(), " bytes, it has ", sizeof(V));
    V value;
    std::memcpy(&value, found->second.data(), sizeof value);
    return value;
  }

 private:
  std::map<int, std::vector<char>> values_;
};

struct Desc : Attributes {
  cublasComputeType_t compute;
  cudaDataType_t scale;
};
struct Layout : Attributes {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t leading;
};
struct Preference : Attributes {};

Desc& of(cublasLtMatmulDesc_t handle) { return *reinterpret_cast<Desc*>(handle); }
Layout& of(cublasLtMatrixLayout_t handle) { return *reinterpret_cast<Layout*>(handle); }
Preference& of(cublasLtMatmulPreference_t handle) { return *reinterpret_cast<Preference*>(handle); }

// Of an address, as far as an algorithm asks for.
std::uint64_t alignment(const void* address) {
  const auto bits = reinterpret_cast<std::uintptr_t>(address) | 256u;
  return bits & (~bits + 1);
}

double element(cudaDataType_t type, const void* from, std::int64_t at) {
  if (type == CUDA_R_64F) return static_cast<const double*>(from)[at];
  if (type == CUDA_R_32F) return static_cast<double>(static_cast<const float*>(from)[at]);
  return static_cast<double>(static_cast<float>(static_cast<const BFloat16*>(from)[at]));
}
void put(cudaDataType_t type, void* to, std::int64_t at, double value) {
  if (type == CUDA_R_64F)
    static_cast<double*>(to)[at] = value;
  else if (type == CUDA_R_32F)
    static_cast<float*>(to)[at] = static_cast<float>(value);
  else
    static_cast<BFloat16*>(to)[at] = BFloat16(static_cast<float>(value));
}

// A matrix of a product: op(m)[row, column] of the batch's item `at`.
struct Operand {
  cudaDataType_t type;
  const void* data;
  std::int64_t rows, columns, leading, stride, batch;
  bool transposed;

  Operand(const Layout& layout, const void* from, bool transposed_)
      : type(layout.type),
        data(from),
        rows(static_cast<std::int64_t>(layout.rows)),
        columns(static_cast<std::int64_t>(layout.columns)),
        leading(layout.leading),
        stride(layout.get<std::int64_t>(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, 0)),
        batch(layout.get<std::int32_t>(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 1)),
        transposed(transposed_) {}

  std::int64_t height() const { return transposed ? columns : rows; }
  std::int64_t width() const { return transposed ? rows : columns; }
  std::int64_t index(std::int64_t at, std::int64_t row, std::int64_t column) const {
    return at * stride + (transposed ? column + row * leading : row + column * leading);
  }
  double element(std::int64_t at, std::int64_t row, std::int64_t column) const {
    return ::element(type, data, index(at, row, column));
  }
};

struct Epilogue {
  bool adds_bias, rectifies;
  const void* bias;
  std::int64_t bias_stride;

  explicit Epilogue(const Desc& desc)
      : bias(desc.get<const void*>(CUBLASLT_MATMUL_DESC_BIAS_POINTER, nullptr)),
        bias_stride(desc.get<std::int64_t>(CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, 0)) {
    const auto which = desc.get(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
    adds_bias = which == CUBLASLT_EPILOGUE_BIAS || which == CUBLASLT_EPILOGUE_RELU_BIAS;
    rectifies = which == CUBLASLT_EPILOGUE_RELU || which == CUBLASLT_EPILOGUE_RELU_BIAS;
  }
  bool is_default() const { return !adds_bias && !rectifies; }
};

bool transposes(const Desc& desc, cublasLtMatmulDescAttributes_t which) {
  return desc.get(which, CUBLAS_OP_N) == CUBLAS_OP_T;
}

struct Product {
  Operand a, b, d;
  Epilogue epilogue;
  double alpha, beta;
  void* to;

  // Whether all shapes fit; columns lie within their leading dimensions.
  bool fits() const {
    for (const Operand* operand : {&a, &b, &d})
      if (operand->leading < operand->rows || operand->batch != d.batch) return false;
    return a.height() == d.rows && b.width() == d.columns && a.width() == b.height() &&
           (!epilogue.adds_bias || epilogue.bias != nullptr);
  }

  void run() const {
    pliant::parallel_for(d.batch * d.columns, [this](std::int64_t i) {
      for (std::int64_t row = 0; row < d.rows; ++row) compute(i / d.columns, row, i % d.columns);
    });
  }

 private:
  void compute(std::int64_t at, std::int64_t row, std::int64_t column) const {
    double sum = 0;
    for (std::int64_t k = 0; k < a.width(); ++k)
      sum += a.element(at, row, k) * b.element(at, k, column);
    sum *= alpha;
    if (beta != 0) sum += beta * d.element(at, row, column);
    if (epilogue.adds_bias) sum += element(d.type, epilogue.bias, at * epilogue.bias_stride + row);
    put(d.type, to, d.index(at, row, column), epilogue.rectifies && sum < 0 ? 0 : sum);
  }
};

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusName(cublasStatus_t) { return "cublasStatus"; }
const char* cublasLtGetStatusString(cublasStatus_t) { return "an error"; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* handle, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  auto* const desc = new Desc;
  desc->compute = compute;
  desc->scale = scale;
  *handle = reinterpret_cast<cublasLtMatmulDesc_t>(desc);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t handle) {
  delete &of(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t handle,
                                              cublasLtMatmulDescAttributes_t name,
                                              const void* value, std::size_t bytes) {
  of(handle).set(name, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* handle, cudaDataType type,
                                          std::uint64_t rows, std::uint64_t columns,
                                          std::int64_t leading) {
  auto* const layout = new Layout;
  layout->type = type;
  layout->rows = rows;
  layout->columns = columns;
  layout->leading = leading;
  *handle = reinterpret_cast<cublasLtMatrixLayout_t>(layout);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t handle) {
  delete &of(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t handle,
                                                cublasLtMatrixLayoutAttribute_t name,
                                                const void* value, std::size_t bytes) {
  of(handle).set(name, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* handle) {
  *handle = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t handle) {
  delete &of(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t handle,
                                                    cublasLtMatmulPreferenceAttributes_t name,
                                                    const void* value, std::size_t bytes) {
  of(handle).set(name, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

constexpr std::size_t kRefused = 4;  // of an algorithm's data: whether it does not run

// One algorithm, which demands all the alignment that it is promised, the bias's too. As the
// library's, it has no epilogue in float64.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[],
                                              int* count) {
  *count = 0;
  if (requested < 1) return CUBLAS_STATUS_INVALID_VALUE;
  const Epilogue epilogue(of(desc));
  if (!epilogue.is_default() && of(d).type == CUDA_R_64F) return CUBLAS_STATUS_NOT_SUPPORTED;
  const pliant::gpu_on_cpu::Faults& faults = pliant::gpu_on_cpu::faults();
  if (!epilogue.is_default() && faults.no_epilogues) return CUBLAS_STATUS_INVALID_VALUE;
  if (faults.no_batches && of(d).get<std::int32_t>(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 1) > 1)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  results[0] = {};
  constexpr std::array kNames = {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                 CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                 CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    results[0].algo.data[i] = of(preference).get<std::uint32_t>(kNames[i], 256);
  results[0].algo.data[3] = epilogue.adds_bias ? alignment(epilogue.bias) : 1;
  // As the library may, others that do not run in the end.
  *count = std::min(faults.refused_algorithms + 1, requested);
  std::fill(results + 1, results + *count, results[0]);
  for (int i = 0; i < std::min(faults.refused_algorithms, *count); ++i)
    results[i].algo.data[kRefused] = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void* alpha,
                              const void* from_a, cublasLtMatrixLayout_t a, const void* from_b,
                              cublasLtMatrixLayout_t b, const void* beta, const void* from_c,
                              cublasLtMatrixLayout_t c, void* to, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t* algo, void*, std::size_t, cudaStream_t) {
  const Desc& how = of(desc);
  const Product product{Operand(of(a), from_a, transposes(how, CUBLASLT_MATMUL_DESC_TRANSA)),
                        Operand(of(b), from_b, transposes(how, CUBLASLT_MATMUL_DESC_TRANSB)),
                        Operand(of(d), to, false),
                        Epilogue(how),
                        element(how.scale, alpha, 0),
                        element(how.scale, beta, 0),
                        to};
  if (from_c != to || c != d || !product.fits()) return CUBLAS_STATUS_INVALID_VALUE;
  if (algo->data[kRefused] != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  const std::array<const void*, 4> addresses = {from_a, from_b, to, product.epilogue.bias};
  for (std::size_t i = 0; i < addresses.size(); ++i)
    if (alignment(addresses[i]) < algo->data[i]) return CUBLAS_STATUS_INVALID_VALUE;
  const auto work = [product](pliant::gpu_on_cpu::Order) { product.run(); };
  return pliant::gpu_on_cpu::launch(work) == cudaSuccess ? CUBLAS_STATUS_SUCCESS
                                                         : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
