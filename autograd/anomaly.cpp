#include <pliant/autograd/anomaly.h>

#include <algorithm>
#include <cmath>

#include <pliant/autograd/internal/anomaly_check.h>
#include <pliant/core/error_op.h>

namespace pliant {
namespace anomaly {
namespace {

struct Finding {
  std::int64_t element = -1;  // -1: none
  const char* what = "";
  explicit operator bool() const { return element >= 0; }
};

template <class T>
Finding look_at(std::span<const T> values, Looking looking_for) {
  // One test for the whole tensor first: x - x is 0 of the finite and NaN of the others.
  T all = 0;
  for (const T x : values) all += x - x;
  if (all == 0) return {};
  const auto bad = [=](T x) {
    return std::isnan(x) || (looking_for == Looking::at_all && std::isinf(x));
  };
  const auto found = std::find_if(values.begin(), values.end(), bad);
  if (found == values.end()) return {};
  return {found - values.begin(), std::isnan(*found) ? "NaN" : "infinity"};
}

Finding look_at(const Tensor& tensor, Looking looking_for) {
  if (!tensor.defined() || tensor.size() == 0) return {};
  const Tensor here = tensor.to(Device::cpu());
  if (here.dtype() == DType::float32) return look_at(here.span<float>(), looking_for);
  if (here.dtype() == DType::float64) return look_at(here.span<double>(), looking_for);
  if (here.dtype() == DType::bfloat16) return look_at(here.to(DType::float32), looking_for);
  return {};
}

}  // namespace

void check_result(const char* op, const Tensor& value, std::span<const Var> inputs) {
  const Finding found = look_at(value, looking);
  if (!found) return;
  const ErrorOp none(nullptr);  // what follows names the op itself
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (const Finding given = look_at(inputs[i].value(), looking))
      fail("anomaly: ", op, " was given ", given.what, " by no op that was looked at: element ",
           given.element, " of its input ", i, ", ", inputs[i].dtype(), ' ', inputs[i].shape(),
           " (data, a parameter, or computed before the AnomalyMode)");
  fail("anomaly: ", op, " made the first ", found.what, ": element ", found.element,
       " of its result, ", value.dtype(), ' ', value.shape(), "; its inputs hold none");
}

void check_cotangent(const char* op, const Tensor& cotangent, Looking looking_for) {
  if (const Finding found = look_at(cotangent, looking_for))
    fail("anomaly: the gradient by the result of ", op, " is the first ", found.what, ": element ",
         found.element, " of ", cotangent.dtype(), ' ', cotangent.shape(),
         "; it was given, or summed from finite parts");
}

void check_gradients(const char* op, const Vars& gradients, Looking looking_for) {
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (const Finding found = look_at(gradients[i].value(), looking_for))
      fail("anomaly: the gradient of ", op, " made the first ", found.what, ": element ",
           found.element, " of the gradient by its input ", i, ", ", gradients[i].dtype(), ' ',
           gradients[i].shape(), "; the gradient by its result holds none");
}

}  // namespace anomaly

AnomalyMode::AnomalyMode(AnomalyOptions options)
    : before_(static_cast<unsigned char>(anomaly::looking)) {
  anomaly::looking = options.infinities ? anomaly::Looking::at_all : anomaly::Looking::at_nan;
}

AnomalyMode::~AnomalyMode() { anomaly::looking = static_cast<anomaly::Looking>(before_); }

}  // namespace pliant
