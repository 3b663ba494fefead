#include <pliant/layers/train/running_mean.h>

#include <limits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

constexpr const char* kWho = "RunningMean";
constexpr std::int64_t kMostValues = std::int64_t{1} << 53;  // that float64 counts exactly

}  // namespace

void RunningMean::add(const Var& mean, std::int64_t count) {
  require(mean.defined() && mean.size() == 1, kWho, ": expected a scalar, got ", mean.value());
  require(count >= 0 && count <= kMostValues, kWho, ": the count is ", count, ", expected 0 to ",
          kMostValues);
  if (count == 0) return;
  if (!sums_.defined()) sums_ = Tensor::zeros({2}, DType::float64, mean.device());
  require(mean.device() == sums_.device(), kWho, ": a value on ", mean.device(),
          ", those before on ", sums_.device());
  const Var one = Tensor::full({1}, 1, DType::float64, mean.device());
  const Var value = reshape(mean.value().to(DType::float64), {1});
  const Var more = concat({value, one}, 0) * static_cast<double>(count);
  sums_.copy_from((Var(sums_) + more).value());
}

void RunningMean::add(double mean, std::int64_t count) {
  add(Tensor::full({1}, mean, DType::float64, sums_.defined() ? sums_.device() : Device()), count);
}

void RunningMean::reset() {
  if (sums_.defined()) sums_.fill(0);  // where a captured step adds to
}

double RunningMean::value() const {
  if (!sums_.defined()) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> sums = sums_.to_vector();
  return sums[0] / sums[1];
}

std::int64_t RunningMean::count() const {
  if (!sums_.defined()) return 0;
  const double count = sums_.to_vector()[1];
  require(count <= static_cast<double>(kMostValues), kWho, ": more than ", kMostValues, " values");
  return static_cast<std::int64_t>(count);
}

}  // namespace pliant
