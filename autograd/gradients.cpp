#include <pliant/autograd/gradients.h>

#include <algorithm>
#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>

namespace pliant {

Gradients::Gradients(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.parameter.id() < b.parameter.id(); });
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& [parameter, gradient] = entries_[i];
    require(gradient.defined() && gradient.shape() == parameter.value().shape(),
            "gradients: that of ", parameter.name(), " is ",
            gradient.defined() ? text_from(gradient.shape()) : "undefined", ", expected ",
            parameter.value().shape());
    require(i == 0 || entries_[i - 1].parameter.id() != parameter.id(), "gradients: two of ",
            parameter.name());
  }
}

const Tensor* Gradients::find(const Parameter& parameter) const& {
  for (const Entry& entry : entries_)
    if (entry.parameter == parameter) return &entry.gradient;
  return nullptr;
}

const Tensor& Gradients::operator[](const Parameter& parameter) const& {
  const Tensor* const gradient = find(parameter);
  require(gradient != nullptr, "gradients: none for ", parameter.name(),
          " (the loss does not depend on it, or it is frozen)");
  return *gradient;
}

const Gradients::OfVar* Gradients::of(const Var& var) const {
  require(var.defined(), "gradients: the Var is undefined");
  require(var.tape_ == tape_, "gradients: this Var lies on another tape");
  for (const OfVar& one : vars_)
    if (one.slot == var.slot_) return &one;
  return nullptr;
}

const Tensor* Gradients::find(const Var& var) const& {
  const OfVar* const found = of(var);
  return found == nullptr ? nullptr : &found->gradient;
}

const Tensor& Gradients::operator[](const Var& var) const& {
  const Tensor* const gradient = find(var);
  require(gradient != nullptr,
          "gradients: none for this Var; make it with tape.variable(), or name "
          "it in tape.gradients(loss, {var}); and the loss must depend on it");
  return *gradient;
}

Var Gradients::var(const Parameter& parameter) const {
  const Tensor& gradient = (*this)[parameter];
  for (const auto& [id, var] : on_tape_)
    if (id == parameter.id()) return var;
  return gradient;
}

Var Gradients::var(const Var& wanted) const {
  const Tensor& gradient = (*this)[wanted];
  const Var& on_tape = of(wanted)->on_tape;
  return on_tape.defined() ? on_tape : gradient;
}

Gradients& Gradients::operator+=(const Gradients& other) {
  std::vector<Entry> all = entries_;
  for (const Entry& theirs : other.entries_) {
    const auto mine = std::find_if(all.begin(), all.end(), [&](const Entry& entry) {
      return entry.parameter == theirs.parameter;
    });
    if (mine == all.end())
      all.push_back({theirs.parameter, theirs.gradient.clone()});
    else
      mine->gradient = add(mine->gradient, theirs.gradient).value();
  }
  std::sort(all.begin(), all.end(),
            [](const Entry& a, const Entry& b) { return a.parameter.id() < b.parameter.id(); });
  entries_ = std::move(all);
  return *this;
}

Gradients& Gradients::operator*=(double factor) {
  for (Entry& entry : entries_) entry.gradient = (Var(entry.gradient) * factor).value();
  for (OfVar& one : vars_) one.gradient = (Var(one.gradient) * factor).value();
  return *this;
}

double Gradients::norm() const {
  const auto squares = [this](double unit) {  // of the gradients divided by it
    double all = 0;
    for (const Entry& entry : entries_)
      all += sum_of_squares(Var(entry.gradient.to(DType::float64)) / unit).value().item();
    return all;
  };
  const double near = squares(1);  // those of float32 fit float64
  constexpr double kSmallest = 1e-280, kLargest = 1e300;
  if (near > kSmallest && near < kLargest) return std::sqrt(near);
  double largest = 0;
  for (const Entry& entry : entries_)
    if (entry.gradient.size() > 0)
      largest = std::max(largest, max(abs(entry.gradient.to(DType::float64))).value().item());
  if (!(largest > 0 && std::isfinite(largest))) return std::sqrt(near);
  const double unit = std::ldexp(1.0, std::ilogb(largest));
  return unit * std::sqrt(squares(unit));
}

double Gradients::clip(double max_norm) {
  require(max_norm > 0, "clip: max_norm must be positive, got ", max_norm);
  const double before = norm();
  constexpr double kSmallest = 1e-30;  // a factor that float32 holds exactly enough
  const double factor = max_norm / before;
  if (before > max_norm && factor < kSmallest) *this *= std::sqrt(factor);
  if (before > max_norm) *this *= factor < kSmallest ? std::sqrt(factor) : factor;
  return before;
}

void Gradients::clip_values(double limit) {
  require(limit > 0, "clip_values: limit must be positive, got ", limit);
  for (Entry& entry : entries_) entry.gradient = clamp(entry.gradient, -limit, limit).value();
  for (OfVar& one : vars_) one.gradient = clamp(one.gradient, -limit, limit).value();
}

}  // namespace pliant
