#include <pliant/autograd/internal/backward.h>

#include <algorithm>
#include <utility>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/convert.h>

namespace pliant {

// ---- NodeView ----

Var NodeView::saved(std::size_t index) const {
  const std::shared_ptr<TapeState>& tape = backward_.tape();
  const TapeState::Node& node = tape->nodes[node_];
  const TapeState::Saved& saved = node.saved.at(index);
  if (saved.tensor.version() != saved.version)
    fail(node.op, ": a tensor that its gradient needs (", saved.tensor.shape(),
         ") was changed in place after the op ran; take gradients first, or change a clone()");
  if (backward_.creates_graph() && saved.slot >= 0)
    return TapeState::var(saved.tensor, tape, saved.slot);
  return saved.tensor;
}

bool NodeView::wants(std::size_t index) const {
  return backward_.tape()->nodes[node_].inputs.at(index) >= 0;
}

bool NodeView::creates_graph() const { return backward_.creates_graph(); }

// ---- Backward ----

namespace {

// As visit_floating(), of those narrower than float64.
template <class F>
void visit_narrow(DType dtype, F&& f) {
  if (dtype == DType::bfloat16)
    f.template operator()<BFloat16>();
  else
    f.template operator()<float>();
}

void check_loss(const TapeState& tape, const Var& loss, bool on_this_tape,
                const Tensor& cotangent) {
  require(loss.defined(), "gradients: the loss is undefined");
  require(loss.on_tape(),
          "gradients: the loss is not on the tape; compute it from "
          "tape.input(x), tape.variable(x) or tape(parameter)");
  require(on_this_tape, "gradients: the loss lies on another tape");
  require(tape.options.record, "gradients: this tape does not record (TapeOptions::record)");
  require(!tape.spent,
          "gradients: this tape's gradients were taken already; name all that is "
          "wanted in one call, or record anew (or take the first ones with create_graph)");
  require(loss.wants_gradient(),
          "gradients: the loss depends on no variable and no unfrozen "
          "parameter of this tape");
  require(TapeState::slot(loss) != TapeState::kInside,
          "gradients: the loss was computed inside a checkpoint");
  if (!cotangent.defined()) {
    require(loss.size() == 1, "gradients: the loss has shape ", loss.shape(),
            ", not one element; take sum() or mean(), or give GradientsOptions::cotangent");
  } else {
    require(cotangent.shape() == loss.shape() && cotangent.dtype() == loss.dtype() &&
                cotangent.device() == loss.device(),
            "gradients: the cotangent is ", cotangent.dtype(), ' ', cotangent.shape(), " on ",
            cotangent.device(), ", the loss ", loss.dtype(), ' ', loss.shape(), " on ",
            loss.device());
  }
}

}  // namespace

Gradients Backward::run(const std::shared_ptr<TapeState>& tape, const Var& loss,
                        const std::vector<Var>& wanted, const GradientsOptions& options) {
  check_loss(*tape, loss, loss.tape_ == tape, options.cotangent);
  for (const Var& var : wanted)
    require(var.tape_ == tape && var.wants_gradient() && var.slot_ != TapeState::kInside,
            "gradients: a wanted Var is not on this tape, or does not depend on anything trained");
  Backward backward(tape, options);
  tape->spent = true;  // if this fails half way, too
  backward.grow();
  for (const Var& var : wanted) backward.keep_[static_cast<std::size_t>(var.slot_)] = true;
  backward.add(loss.slot_, options.cotangent.defined()
                               ? options.cotangent
                               : Tensor::full(loss.shape(), 1.0, loss.dtype(), loss.device()));
  if (options.ready)
    backward.walk_and_tell();
  else
    backward.walk(0);
  tape->spent = !options.create_graph;
  return backward.results(wanted);
}

void Backward::grow() {
  gradients_.resize(tape_->slots.size());
  keep_.resize(tape_->slots.size(), false);
}

void Backward::Sum::add(Var term, bool in_place) {
  if (!defined()) {
    dtype = term.dtype();
    value = std::move(term);
  } else if (terms < kFew || dtype == DType::float64) {
    value = pliant::add(value, term);
  } else if (terms == kFew || !in_place) {
    value = pliant::add(convert(value, DType::float64), convert(term, DType::float64));
  } else {
    Tensor sum = std::exchange(value, Var()).value();
    visit_narrow(dtype, [&]<class T>() {
      kernel<AddWide<T>, cpu::add_wide, cuda::add_wide>("gradients", sum.device())(
          sum.size(), term.value().data<T>(), sum.mutable_data<double>());
    });
    value = sum;
  }
  ++terms;
}

Var Backward::Sum::total() const { return defined() ? convert(value, dtype) : Var(); }

void Backward::add(int slot, Var gradient) {
  gradients_[static_cast<std::size_t>(slot)].add(std::move(gradient), !graph_);
}

std::vector<std::vector<std::size_t>> Backward::first_reads() const {
  std::vector<std::size_t> parameter_of(tape_->slots.size(), tape_->parameters.size());
  for (std::size_t p = 0; p < tape_->parameters.size(); ++p)
    parameter_of[static_cast<std::size_t>(tape_->parameters[p].second)] = p;
  std::vector<bool> met(tape_->parameters.size(), false);
  std::vector<std::vector<std::size_t>> first(tape_->nodes.size());
  for (std::size_t i = 0; i < tape_->nodes.size(); ++i)
    for (const int slot : tape_->nodes[i].inputs) {
      if (slot < 0) continue;
      const std::size_t p = parameter_of[static_cast<std::size_t>(slot)];
      if (p == met.size() || met[p]) continue;
      met[p] = true;
      first[i].push_back(p);
    }
  return first;
}

void Backward::walk_and_tell() {
  const std::vector<std::vector<std::size_t>> first = first_reads();
  const anomaly::Look away(anomaly::Looking::off);
  for (std::size_t i = tape_->nodes.size(); i-- > 0;) {
    visit(i);
    for (const std::size_t p : first[i]) {
      const auto& [parameter, slot] = tape_->parameters[p];
      if (const Var gradient = gradients_[static_cast<std::size_t>(slot)].total();
          gradient.defined())
        ready_(parameter, gradient.value());
    }
  }
}

void Backward::walk(std::size_t first) {
  // Whatever ops compute on the way is told of as the gradient of the node.
  const anomaly::Look away(anomaly::Looking::off);
  for (std::size_t i = tape_->nodes.size(); i-- > first;) visit(i);
}

void Backward::visit(std::size_t i) {
  const auto output = static_cast<std::size_t>(tape_->nodes[i].output);
  Var cotangent = gradients_[output].total();
  if (!keep_[output]) gradients_[output] = {};
  // Out of the node, because nodes move when one is added.
  GradientFunction gradient = std::exchange(tape_->nodes[i].gradient, nullptr);
  if (cotangent.defined()) take(i, std::move(cotangent), gradient);
  if (graph_)
    tape_->nodes[i].gradient = std::move(gradient);
  else
    tape_->nodes[i].saved.clear();
}

void Backward::take(std::size_t node, Var cotangent, const GradientFunction& gradient) {
  const char* const op = tape_->nodes[node].op;
  require(!graph_ || tape_->nodes[node].derivatives == Derivatives::all, op,
          ": no second derivative; its gradient is a kernel of its own and cannot be recorded "
          "(GradientsOptions::create_graph)");
  const bool look = looking_ != anomaly::Looking::off;
  if (look) anomaly::check_cotangent(op, cotangent.value(), looking_);
  Vars gradients;
  {
    const NodeView view(*this, node, std::move(cotangent));
    const Tensor& given = view.cotangent().value();  // others may see the same elements
    const std::uint64_t version = given.version();
    const ErrorOp here(op);
    gradients = gradient(view);
    require(given.version() == version, op,
            ": its gradient function changed the cotangent in place; change a clone()");
  }
  if (look) anomaly::check_gradients(op, gradients, looking_);
  const std::size_t inputs = tape_->nodes[node].inputs.size();
  require(gradients.size() == inputs, op, ": its gradient function returned ", gradients.size(),
          " gradients for ", inputs, " inputs");
  for (std::size_t k = 0; k < inputs; ++k) {
    const int slot = tape_->nodes[node].inputs[k];  // anew: add() may record a node
    if (slot < 0 || !gradients[k].defined()) continue;
    const TapeState::Kind& expected = tape_->slots[static_cast<std::size_t>(slot)];
    const Tensor& got = gradients[k].value();
    if (!expected.fits(got)) [[unlikely]]
      fail(op, ": the gradient by input ", k, " is ", TapeState::Kind(got), ", expected ",
           expected);
    add(slot, std::move(gradients[k]));
  }
}

void Backward::detour(const char* op, const Var& cotangent, const std::function<Var()>& again) {
  const std::size_t first = tape_->nodes.size();
  const ErrorOp none(nullptr);
  const Var y = again();
  require(y.tape_ == tape_ && y.slot_ >= 0 && y.shape() == cotangent.shape() &&
              y.dtype() == cotangent.dtype(),
          op, ": when run again the function gave ", y.dtype(), ' ', y.shape(), ", not ",
          cotangent.dtype(), ' ', cotangent.shape(), " on the same tape; it must be a function of ",
          "its arguments, of parameters and of the tape's random key");
  grow();
  add(y.slot_, cotangent);
  walk(first);
  if (!graph_)
    tape_->nodes.erase(tape_->nodes.begin() + static_cast<std::ptrdiff_t>(first),
                       tape_->nodes.end());
}

// What ops pass on (add gives both its inputs one tensor) and what the caller gave (a cotangent)
// has other handles to it.
Tensor Backward::own(Var gradient) {
  Tensor tensor = std::move(gradient).value();
  return tensor.unique() ? tensor : tensor.clone();
}

Gradients Backward::results(const std::vector<Var>& wanted) {
  Gradients result;
  result.tape_ = tape_;
  const auto taken = [&](int slot) {  // what may be asked for twice stays
    const auto place = static_cast<std::size_t>(slot);
    Var gradient = gradients_[place].total();
    if (!graph_ && !keep_[place]) gradients_[place] = {};
    return gradient;
  };
  for (const auto& [parameter, slot] : tape_->parameters)
    if (Var gradient = taken(slot); gradient.defined()) {
      if (graph_) result.on_tape_.emplace_back(parameter.id(), gradient);
      result.entries_.push_back({parameter, own(std::move(gradient))});
    }
  std::sort(result.entries_.begin(), result.entries_.end(),
            [](const auto& a, const auto& b) { return a.parameter.id() < b.parameter.id(); });
  const auto put = [&](int slot) {
    if (Var gradient = taken(slot); gradient.defined()) {
      const Var on_tape = graph_ ? gradient : Var();
      result.vars_.push_back({slot, own(std::move(gradient)), on_tape});
    }
  };
  for (const int slot : tape_->variables) put(slot);
  for (const Var& var : wanted) put(var.slot_);
  return result;
}

}  // namespace pliant
