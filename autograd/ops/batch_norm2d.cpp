#include <pliant/autograd/ops/batch_norm2d.h>

#include <vector>

#include <pliant/autograd/batch_part.h>
#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/norm_gradients.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/batch_norm2d.h>

namespace pliant {
namespace {

constexpr const char* kOp = "batch_norm2d";

BatchNorm2dGeometry checked_geometry(const Var& x, const Var& weight, const Var& bias,
                                     const Var& running_mean, const Var& running_var, double eps) {
  const char* const op = ErrorOp::name_of(kOp);
  require(x.defined(), op, ": the input is undefined");
  require(x.rank() >= 2, op, ": the input has shape ", x.shape(), ", expected [N H W C] or [N C]");
  const std::int64_t channels = x.dim(x.rank() - 1);
  const Shape expected{channels};
  const auto check = [&](const char* what, const Var& var) {
    require(var.defined(), op, ": the ", what, " is undefined");
    require(var.shape() == expected, op, ": the ", what, " has shape ", var.shape(), ", expected ",
            expected, " (input ", x.shape(), ")",
            layout_hint(x.shape(), var.rank() == 1 ? var.shape()[0] : -1));
  };
  check("weight", weight);
  check("bias", bias);
  check("running mean", running_mean);
  check("running variance", running_var);
  require_same_kind(op, x);
  require_wide_kind(op, x,
                    {{"weight", &weight},
                     {"bias", &bias},
                     {"running_mean", &running_mean},
                     {"running_var", &running_var}});
  require(eps >= 0, op, ": eps is ", eps, ", expected at least 0");
  return {.rows = channels == 0 ? 0 : x.value().size() / channels, .c = channels, .eps = eps};
}

// ---- a batch in parts ----

// Of the rows of all parts: means [c] and sums of squared deviations [c], from those of these rows;
// `rows` becomes the number of all.
Tensor joined_moments(const BatchPart& part, const Tensor& moments, std::int64_t& rows) {
  std::vector<double> mine = moments.to_vector();
  mine.push_back(static_cast<double>(rows));
  const std::vector<double> all = part.gather(mine);
  const std::size_t channels = mine.size() / 2;
  std::vector<double> joined(mine.size() - 1);
  double before = 0;
  for (std::size_t at = 0; at < all.size(); at += mine.size()) {
    const double* const theirs = all.data() + at;
    const double count = theirs[2 * channels];
    for (std::size_t j = 0; j < channels && before + count > 0; ++j)
      join_moments(before, joined[j], joined[channels + j], count, theirs[j], theirs[channels + j]);
    before += count;
  }
  rows = static_cast<std::int64_t>(before);
  return Tensor::from(joined, {static_cast<std::int64_t>(joined.size())}).to(moments.device());
}

Tensor summed(const BatchPart& part, const Tensor& sums) {
  std::vector<double> all = sums.to_vector();
  part.sum(all);
  return Tensor::from(all, sums.shape()).to(sums.device());
}

// ---- gradients ----

Vars gradients(const BatchNorm2dGeometry& g, NormStatistics statistics, const BatchPart* part,
               const NodeView& node) {
  const Tensor& dy = node.cotangent().value();
  const Tensor x = node.saved(0).value(), weight = node.saved(1).value(),
               mean = node.saved(2).value(), rstd = node.saved(3).value();
  const auto wanted = [&](std::size_t input, const Shape& shape, DType dtype) {
    return node.wants(input) ? Tensor::empty(shape, dtype, dy.device()) : Tensor();
  };
  Tensor dx = wanted(0, dy.shape(), dy.dtype()), dweight = wanted(1, {g.c}, wide_of(dy.dtype())),
         dbias = wanted(2, {g.c}, wide_of(dy.dtype()));
  const auto run = [&](Tensor by_x, Tensor by_weight, Tensor by_bias, Tensor sums,
                       const Tensor& all_sums) {
    Workspace workspace(dy.device());
    visit_any_floating(kOp, dy.dtype(), [&]<class T>() {
      using W = Wide<T>;
      kernel<BatchNorm2dGradient<T>, cpu::batch_norm2d_gradient, cuda::batch_norm2d_gradient>(
          kOp, dy.device())(g, statistics,
                            {.x = data_or_null<T>(x),
                             .weight = data_or_null<W>(weight),
                             .mean = data_or_null<double>(mean),
                             .rstd = rstd.data<double>(),
                             .dy = dy.data<T>(),
                             .dx = mutable_or_null<T>(by_x),
                             .dweight = mutable_or_null<W>(by_weight),
                             .dbias = mutable_or_null<W>(by_bias),
                             .sums = mutable_or_null<double>(sums),
                             .all_sums = data_or_null<double>(all_sums)},
                            workspace);
    });
  };
  if (part == nullptr || !dx.defined()) {
    run(dx, dweight, dbias, {}, {});
  } else {
    const Tensor sums = Tensor::empty({2 * g.c}, DType::float64, dy.device());
    run({}, dweight, dbias, sums, {});
    run(dx, {}, {}, {}, summed(*part, sums));
  }
  return {dx, dweight, dbias};
}

// The same in public ops.
Vars gradients_on_tape(const BatchNorm2dGeometry& g, NormStatistics statistics,
                       const NodeView& node) {
  const Var x = node.saved(0), weight = node.saved(1);
  if (statistics == NormStatistics::of_batch)
    return norm_gradients(node, x, weight, {g.rows, g.c}, {0}, g.eps);
  const Var& dy = node.cotangent();
  const DType wide = wide_of(dy.dtype());
  const Var rstd = node.saved(3).value().to(wide);
  const Var mean = node.wants(1) ? node.saved(2).value().to(wide) : Tensor();
  return {node.wants(0) ? dy * (weight * rstd) : Var(),
          node.wants(1) ? sum_to(dy * ((x - mean) * rstd), {g.c}) : Var(),
          node.wants(2) ? sum_to(dy, {g.c}) : Var()};
}

// What a node of either form keeps: x and the mean only for the gradients that read them. `part` if
// the statistics are of a batch in parts.
Var record_step(const BatchNorm2dGeometry& g, NormStatistics statistics, const BatchPart* part,
                const Var& x, const Var& weight, const Var& bias, const Tensor& mean,
                const Tensor& rstd, Tensor y) {
  const bool needs_x =
      weight.wants_gradient() || (x.wants_gradient() && statistics == NormStatistics::of_batch);
  return record(
      kOp, std::move(y), {x, weight, bias},
      {keep_if(needs_x, x), keep_if(x.wants_gradient(), weight), keep_if(needs_x, mean), rstd},
      [=](const NodeView& node) {
        if (!node.creates_graph()) return gradients(g, statistics, part, node);
        require(part == nullptr, kOp, ": no second derivative through a batch in parts");
        return gradients_on_tape(g, statistics, node);
      },
      Derivatives::all);
}

}  // namespace

BatchStatistics batch_norm2d_training(const Var& x, const Var& weight, const Var& bias,
                                      const Tensor& running_mean, const Tensor& running_var,
                                      const BatchNorm2dOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(weight))
    return batch_norm2d_training(x, widened(weight), widened(bias), widened(running_mean),
                                 widened(running_var), options);
  BatchNorm2dGeometry g = checked_geometry(x, weight, bias, running_mean, running_var, options.eps);
  const double momentum = options.momentum;
  const char* const op = ErrorOp::name_of(kOp);
  require(momentum >= 0 && momentum <= 1, op, ": momentum is ", momentum, ", expected 0 to 1");
  g.momentum = momentum;
  const auto channels = [&](DType dtype) { return Tensor::empty({g.c}, dtype, x.device()); };
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor mean = channels(DType::float64), rstd = channels(DType::float64);
  Tensor new_mean = channels(weight.dtype()), new_var = channels(weight.dtype());
  const auto run = [&](Tensor moments, const Tensor& all_moments) {
    Workspace workspace(x.device());
    visit_any_floating(kOp, x.dtype(), [&]<class T>() {
      using W = Wide<T>;
      kernel<BatchNorm2dTrainingForward<T>, cpu::batch_norm2d_training_forward,
             cuda::batch_norm2d_training_forward>(kOp, x.device())(
          g,
          {.x = x.value().data<T>(),
           .weight = weight.value().data<W>(),
           .bias = bias.value().data<W>(),
           .running_mean = running_mean.data<W>(),
           .running_var = running_var.data<W>(),
           .y = y.mutable_data<T>(),
           .mean = mean.mutable_data<double>(),
           .rstd = rstd.mutable_data<double>(),
           .new_mean = new_mean.mutable_data<W>(),
           .new_var = new_var.mutable_data<W>(),
           .moments = mutable_or_null<double>(moments),
           .all_moments = data_or_null<double>(all_moments)},
          workspace);
    });
  };
  const BatchPart* const part = x.coupled_part();
  g.all_rows = g.rows;
  Tensor of_all;
  if (part != nullptr) {
    const Tensor moments = Tensor::empty({2 * g.c}, DType::float64, x.device());
    run(moments, {});
    of_all = joined_moments(*part, moments, g.all_rows);
  }
  require(g.all_rows >= 2, op, ": training needs at least two values per channel, got ", g.all_rows,
          " (input ", x.shape(), ")");
  run({}, of_all);
  return {record_step(g, NormStatistics::of_batch, part, x, weight, bias, mean, rstd, std::move(y)),
          new_mean, new_var};
}

Var batch_norm2d(const Var& x, const Var& weight, const Var& bias, const Tensor& running_mean,
                 const Tensor& running_var, const BatchNorm2dOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(weight))
    return batch_norm2d(x, widened(weight), widened(bias), widened(running_mean),
                        widened(running_var), options);
  const BatchNorm2dGeometry g =
      checked_geometry(x, weight, bias, running_mean, running_var, options.eps);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor mean = Tensor::empty({g.c}, DType::float64, x.device());
  Tensor rstd = Tensor::empty({g.c}, DType::float64, x.device());
  Workspace workspace(x.device());
  visit_any_floating(kOp, x.dtype(), [&]<class T>() {
    using W = Wide<T>;
    kernel<BatchNorm2dForward<T>, cpu::batch_norm2d_forward, cuda::batch_norm2d_forward>(
        kOp, x.device())(g,
                         {.x = x.value().data<T>(),
                          .weight = weight.value().data<W>(),
                          .bias = bias.value().data<W>(),
                          .running_mean = running_mean.data<W>(),
                          .running_var = running_var.data<W>(),
                          .y = y.mutable_data<T>(),
                          .mean = mean.mutable_data<double>(),
                          .rstd = rstd.mutable_data<double>()},
                         workspace);
  });
  return record_step(g, NormStatistics::given, nullptr, x, weight, bias, mean, rstd, std::move(y));
}

}  // namespace pliant
