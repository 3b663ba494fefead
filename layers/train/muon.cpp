#include <pliant/layers/train/muon.h>

#include <algorithm>
#include <cmath>

#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/internal/paths.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {
namespace {

AdamOptions adamw_options(const MuonOptions& options) {
  return {.lr = options.lr,
          .beta1 = options.beta1,
          .beta2 = options.beta2,
          .eps = options.eps,
          .weight_decay = options.weight_decay,
          .may_lack = options.may_lack};
}

// Extents of a weight as a matrix.
std::pair<std::int64_t, std::int64_t> matrix_of(const Tensor& weight) {
  const std::int64_t rows = weight.dim(0);
  return {rows, rows == 0 ? 0 : weight.size() / rows};
}

// Its singular values brought near 1.
Var orthogonalised(const Var& matrix, int steps) {
  constexpr double kSmallest = 1e-7;
  const bool tall = matrix.dim(0) > matrix.dim(1);
  Var x = tall ? transpose(matrix, 0, 1) : matrix;
  x = x / maximum(sqrt(sum_of_squares(x)), scalar_like(kSmallest, x));
  for (int i = 0; i < steps; ++i) {
    const Var gram = linear(x, x);  // x x^T, of the smaller side
    x = x * 3.4445 + matmul(gram * -4.7750 + matmul(gram, gram) * 2.0315, x);
  }
  return tall ? transpose(x, 0, 1) : x;
}

double rate_factor(MuonRate rate, const Tensor& weight) {
  const auto [rows, columns] = matrix_of(weight);
  const double a = static_cast<double>(std::max<std::int64_t>(rows, 1)),
               b = static_cast<double>(std::max<std::int64_t>(columns, 1));
  return rate == MuonRate::original ? std::sqrt(std::max(1.0, a / b))
                                    : 0.2 * std::sqrt(std::max(a, b));
}

}  // namespace

Muon::Muon(const std::vector<ParameterGroup>& groups, const MuonOptions& options)
    : Adam(
          "Muon", Decay::decoupled,
          [&](const Parameter& parameter) -> Names {
            if (parameter.shape().rank() < 2 ||
                any_path_matches(options.by_adamw, parameter.name()))
              return memory_of(AdamOptions())(parameter);
            return {"momentum"};
          },
          groups, adamw_options(options)),
      options_(options) {
  require(options.momentum >= 0 && options.momentum < 1, "Muon: momentum ", options.momentum,
          " must lie in [0, 1)");
  require(options.newton_schulz_steps >= 1 && options.newton_schulz_steps < 100,
          "Muon: newton_schulz_steps ", options.newton_schulz_steps, " must lie in [1, 100)");
  for (const std::string& pattern : options.by_adamw) matching("by_adamw", pattern);
}

Optimizer::Move Muon::update(Slot& slot, const Tensor& gradient) {
  if (slot.memory_names.size() > 1) return Adam::update(slot, gradient);
  const Tensor& value = slot.parameter.value();
  const auto [rows, columns] = matrix_of(value);
  const Var momentum = Var(slot.memory[0]) * options_.momentum + gradient;
  const Var towards = options_.nesterov ? gradient + momentum * options_.momentum : momentum;
  const Var turned =
      orthogonalised(reshape(towards, {rows, columns}), options_.newton_schulz_steps);
  const double factor = rate_factor(options_.rate, value);
  return visit_floating("Muon", value.dtype(), [&]<class T>() -> Move {
    // lr * factor * (turned + weight_decay / factor * p)
    const auto make = [&](double lr, std::int64_t) {
      return SgdStep<T>{.lr = static_cast<T>(lr * factor),
                        .momentum = 0,
                        .dampening = 0,
                        .weight_decay = static_cast<T>(slot.weight_decay / factor),
                        .nesterov = false,
                        .first = false};
    };
    return [&slot, step = of_step<SgdStep<T>>(slot, make, factor), momentum = momentum.value(),
            turned = turned.value(),
            run = kernel<SgdKernel<T>, cpu::sgd_step, cuda::sgd_step>("Muon", value.device())] {
      slot.memory[0].copy_from(momentum);
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), turned.data<T>(), moved.mutable_data<T>(), nullptr);
    };
  });
}

}  // namespace pliant
