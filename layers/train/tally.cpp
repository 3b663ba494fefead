#include <pliant/layers/train/tally.h>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/tally.h>

namespace pliant {
namespace {

constexpr const char* kWho = "Tally";

std::int64_t checked_rows(std::int64_t rows) {
  require(rows >= 1, kWho, ": for ", rows, " rows a step, expected at least 1");
  return rows;
}

}  // namespace

Tally::Tally(Device device, std::int64_t rows)
    : right_(Tensor::zeros({checked_rows(rows)}, DType::int64, device)),
      loss_sum_(Tensor::zeros({1}, DType::float64, device)),
      wrong_(Tensor::from<std::int64_t>({0, 1}, {2}).to(device)) {}

void Tally::add(const Var& logits, const Tensor& given, const Var& loss) {
  const Tensor labels = as_int64(given);
  require(logits.rank() == 2 && labels.shape() == Shape{logits.dim(0)}, kWho, ": the logits are ",
          logits.shape(), ", the labels ", labels.shape(), ", expected [N C] and [N]");
  require(labels.size() <= right_.size(), kWho, ": ", labels.size(), " rows, made for ",
          right_.size());
  require(labels.device() == right_.device() && logits.device() == right_.device(), kWho,
          ": logits on ", logits.device(), ", labels on ", labels.device(), ", expected ",
          right_.device());
  const Tensor guesses = argmax(logits.value(), -1);
  count(labels.size(), guesses.data<std::int64_t>(), labels.data<std::int64_t>(), loss);
}

void Tally::add(const Var& loss) {
  const auto* const pair = wrong_.data<std::int64_t>();
  count(1, pair, pair + 1, loss);
}

void Tally::count(std::int64_t rows, const std::int64_t* guesses, const std::int64_t* labels,
                  const Var& loss) {
  require(loss.size() == 1, kWho, ": the loss has shape ", loss.shape(), ", expected a scalar");
  visit_floating(kWho, loss.dtype(), [&]<class T>() {
    kernel<TallyStep<T>, cpu::tally, cuda::tally>(kWho, loss.device())(
        rows, guesses, labels, loss.value().data<T>(), right_.mutable_data<std::int64_t>(),
        loss_sum_.mutable_data<double>());
  });
}

Totals Tally::take() {
  Totals totals{.loss_sum = loss_sum_.item()};
  const Tensor right = right_.to(Device::cpu());
  for (const std::int64_t count : right.span<std::int64_t>()) totals.right += count;
  right_.fill(0);
  loss_sum_.fill(0);
  return totals;
}

}  // namespace pliant
