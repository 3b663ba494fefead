#include <pliant/autograd/ops/attention.h>

#include <limits>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/first_element.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/capture.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/attention.h>
#include <pliant/core/kernels/binary.h>

namespace pliant {
namespace {

constexpr const char* kOp = "scaled_dot_product_attention";

Shape leading(const Shape& shape) {
  return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
}

Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

// The mask and the bias as one addend, -infinity where the mask does not hold; undefined without.
Var addend(const AttentionOptions& options, const Var& like) {
  if (!options.mask.defined()) return options.bias;
  const Var rest = options.bias.defined() ? options.bias : Var(scalar_like(0, like));
  return where(options.mask, rest, scalar_like(-std::numeric_limits<double>::infinity(), like));
}

// How `bias` is broadcast to the matrices of `scores`, [.. L S].
AttentionBias broadcast_bias(const Shape& bias, const Shape& scores) {
  const auto extent = [&](int from_end) {
    return from_end <= bias.rank() ? bias[-from_end] : std::int64_t{1};
  };
  AttentionBias to;
  to.column = extent(1) == 1 ? 0 : 1;
  to.row = extent(2) == 1 ? 0 : extent(1);
  to.rank = scores.rank() - 2;
  std::int64_t step = extent(1) * extent(2);
  for (int axis = to.rank - 1; axis >= 0; --axis) {
    const std::int64_t here = extent(scores.rank() - axis);
    to.extent[axis] = scores[axis];
    to.stride[axis] = here == 1 ? 0 : step;
    step *= here;
  }
  return to;
}

struct Settings {
  AttentionGeometry g;
  Rng key;
  StepState step;
};

Vars gradients(const Settings& settings, const Shape& scores, const NodeView& node) {
  const AttentionGeometry& g = settings.g;
  const Tensor dy = node.cotangent().value();
  const Tensor query = node.saved(0).value(), key = node.saved(1).value(),
               value = node.saved(2).value(), bias = node.saved(3).value(),
               y = node.saved(4).value(), rows = node.saved(5).value();
  const auto wanted = [&](std::size_t input, const Shape& shape) {
    return node.wants(input) ? Tensor::empty(shape, dy.dtype(), dy.device()) : Tensor();
  };
  Tensor dquery = wanted(0, query.shape()), dkey = wanted(1, key.shape()),
         dvalue = wanted(2, value.shape()), dbias = wanted(3, scores);
  if (dy.size() == 0 || g.s == 0) {
    make_zero({&dquery, &dkey, &dvalue, &dbias});
  } else {
    Workspace workspace(dy.device());
    visit_floating(kOp, dy.dtype(), [&]<class T>() {
      kernel<AttentionGradient<T>, cpu::attention_gradient, cuda::attention_gradient>(
          kOp, dy.device())(g,
                            {.query = query.data<T>(),
                             .key = key.data<T>(),
                             .value = value.data<T>(),
                             .bias = data_or_null<T>(bias),
                             .y = y.data<T>(),
                             .rows = reinterpret_cast<const AttentionRow<T>*>(rows.data<T>()),
                             .dy = dy.data<T>(),
                             .dquery = mutable_or_null<T>(dquery),
                             .dkey = mutable_or_null<T>(dkey),
                             .dvalue = mutable_or_null<T>(dvalue),
                             .dbias = mutable_or_null<T>(dbias)},
                            workspace);
    });
  }
  return {dquery, dkey, dvalue, node.wants(3) ? sum_to(dbias, bias.shape()) : Var()};
}

// The same in public ops.
Vars gradients_on_tape(const Settings& settings, const Shape& scores, const NodeView& node) {
  const AttentionGeometry& g = settings.g;
  const Var query = node.saved(0), key = node.saved(1), value = node.saved(2), bias = node.saved(3),
            dy = node.cotangent();
  const auto dropped = [&](const Var& x) {
    return g.dropout.n > 0 ? dropout(x, g.dropout.rate, settings.key, settings.step) : x;
  };
  Var score = matmul(query, transpose(key, -2, -1)) * g.scale;
  if (bias.defined()) score = score + bias;
  if (g.is_causal) {
    const Var below = tril(Tensor::full({g.l, g.s}, 1, dy.dtype(), dy.device()));
    score =
        where(below.value(), score, scalar_like(-std::numeric_limits<double>::infinity(), score));
  }
  const Tensor largest = max(detach(score), {-1}, KeepDim::yes).value();
  const Var powers = exp(score - where(isfinite(largest), largest, scalar_like(0, largest)));
  const Var total = sum(powers, {-1}, KeepDim::yes);
  const Var weight = powers / where(ne(total, 0.0), total, scalar_like(1, total));
  const Var dweight = dropped(matmul(dy, transpose(value, -2, -1)));
  const Var dscore = weight * (dweight - sum(weight * dweight, {-1}, KeepDim::yes));
  return {node.wants(0) ? matmul(dscore, key) * g.scale : Var(),
          node.wants(1) ? matmul(transpose(dscore, -2, -1), query) * g.scale : Var(),
          node.wants(2) ? matmul(transpose(dropped(weight), -2, -1), dy) : Var(),
          node.wants(3) ? sum_to(reshape(dscore, scores), bias.shape()) : Var()};
}

Var attend(const Settings& settings, const Shape& scores, const Var& query, const Var& key,
           const Var& value, const Var& bias) {
  const AttentionGeometry& g = settings.g;
  Tensor y = Tensor::empty(with_matrix(leading(scores), g.l, g.v), query.dtype(), query.device());
  Tensor rows = Tensor::empty({g.batch, g.l, 2}, query.dtype(), query.device());
  if (g.s == 0) y.fill(0);
  if (y.size() > 0 && g.s > 0) {
    Workspace workspace(query.device());
    visit_floating(kOp, query.dtype(), [&]<class T>() {
      static_assert(sizeof(AttentionRow<T>) == 2 * sizeof(T));
      kernel<AttentionForward<T>, cpu::attention_forward, cuda::attention_forward>(
          kOp, query.device())(g,
                               {.query = query.value().data<T>(),
                                .key = key.value().data<T>(),
                                .value = value.value().data<T>(),
                                .bias = data_or_null<T>(bias.value()),
                                .y = y.mutable_data<T>(),
                                .rows = reinterpret_cast<AttentionRow<T>*>(rows.mutable_data<T>())},
                               workspace);
    });
  }
  return record(
      kOp, y, {query, key, value, bias}, {query, key, value, bias, y, rows},
      [settings, scores](const NodeView& node) {
        return node.creates_graph() ? gradients_on_tape(settings, scores, node)
                                    : gradients(settings, scores, node);
      },
      Derivatives::all);
}

}  // namespace

Var scaled_dot_product_attention(const Var& query, const Var& key, const Var& value,
                                 const AttentionOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(query)) {
    AttentionOptions wide = options;
    wide.bias = widened(options.bias);
    return in_float32(kOp, scaled_dot_product_attention, query, key, value, wide);
  }
  for (const auto& [name, var] : {Named{"query", &query}, {"key", &key}, {"value", &value}}) {
    require(var->defined(), kOp, ": the ", name, " is undefined");
    require(var->rank() >= 2, kOp, ": the ", name, " has shape ", var->shape(),
            ", expected [.. L E], [.. S E] and [.. S V]");
  }
  require_same_kind(
      kOp, {{"query", &query}, {"key", &key}, {"value", &value}, {"the bias", &options.bias}});
  const std::int64_t l = query.dim(-2), s = key.dim(-2), e = query.dim(-1), v = value.dim(-1);
  require(key.dim(-1) == e && value.dim(-2) == s && e >= 1, kOp, ": query ", query.shape(),
          ", key ", key.shape(), " and value ", value.shape(),
          ", expected [.. L E], [.. S E] and [.. S V] with E of at least 1");
  const Shape batch =
      broadcast_shape(kOp, broadcast_shape(kOp, leading(query.shape()), leading(key.shape())),
                      leading(value.shape()));
  const Shape scores = with_matrix(batch, l, s);
  const auto require_broadcasts = [&](const char* what, const Shape& shape) {
    bool fits = shape.rank() <= scores.rank();
    for (int axis = 1; axis <= shape.rank() && fits; ++axis)
      fits = shape[-axis] == 1 || shape[-axis] == scores[-axis];
    require(fits, kOp, ": the ", what, " has shape ", shape, ", expected one that broadcasts to ",
            scores);
  };
  if (options.mask.defined()) {
    require_broadcasts("mask", options.mask.shape());
    require(options.mask.device() == query.device(), kOp, ": the mask is on ",
            options.mask.device(), ", the query on ", query.device());
  }
  if (options.bias.defined()) require_broadcasts("bias", options.bias.shape());
  const double rate = options.dropout,
               scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(e)));
  require(rate >= 0 && rate <= 1, kOp, ": the dropout is ", rate, ", expected 0 to 1");
  require(std::isfinite(scale), kOp, ": the scale is ", scale);
  const StepState step = rate > 0 ? options.step : StepState();
  if (rate > 0 && !step.defined()) require_not_recording(kOp);
  if (step.defined())
    require(step.device() == query.device(), kOp, ": the query is on ", query.device(),
            ", the StepState on ", step.device());
  const Var bias = addend(options, query);
  AttentionGeometry g{.batch = batch.size(), .l = l, .s = s, .e = e, .v = v, .scale = scale};
  g.is_causal = options.causal;
  if (bias.defined()) g.bias = broadcast_bias(bias.shape(), scores);
  if (rate > 0)
    g.dropout = {scores.size(), options.key, rate,
                 step.defined() ? step.counter().data<std::int64_t>() : nullptr,
                 first_element(query, scores.size())};
  const auto whole = [&](const Var& x) {
    return leading(x.shape()) == batch ? x
                                       : broadcast_to(x, with_matrix(batch, x.dim(-2), x.dim(-1)));
  };
  return attend({g, options.key, step}, scores, whole(query), whole(key), whole(value), bias);
}

}  // namespace pliant
