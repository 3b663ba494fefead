#include <pliant/autograd/gradcheck.h>

#include <cmath>
#include <limits>
#include <sstream>

namespace pliant {
namespace {

class Checker {
 public:
  Checker(const std::function<Var(const Vars&)>& f, const std::vector<Tensor>& inputs,
          const GradcheckOptions& options)
      : f_(f), options_(options) {
    for (const Tensor& input : inputs) inputs_.push_back(input.clone());
  }

  GradcheckResult run(const std::vector<Parameter>& parameters) {
    for (const Tensor& input : inputs_)
      require(input.dtype() == DType::float64, "gradcheck: inputs must be float64, got ",
              input.dtype());
    for (const Parameter& parameter : parameters)
      require(parameter.value().dtype() == DType::float64, "gradcheck: ", parameter.name(),
              " must be float64, got ", parameter.value().dtype());

    Tape tape({.mode = options_.mode, .buffers = Buffers::keep, .rng = options_.rng});
    Vars vars;
    for (const Tensor& input : inputs_) vars.push_back(tape.variable(input.clone()));
    const Var y = f_(vars);
    direction_ = direction(y);
    const Gradients gradients = tape.gradients(y, {}, {.cotangent = direction_});

    for (std::size_t i = 0; i < inputs_.size(); ++i)
      compare("input " + std::to_string(i), inputs_[i], gradients.find(vars[i]));
    for (const Parameter& parameter : parameters)
      compare(parameter.name(), parameter.value(), gradients.find(parameter));
    result_.passed = result_.worst <= 1.0;
    return result_;
  }

 private:
  Tensor direction(const Var& y) const {
    Tensor r = Tensor::empty(y.shape(), DType::float64);
    const Rng rng = options_.rng.fork("gradcheck");
    double* const to = r.mutable_data<double>();
    for (std::int64_t i = 0; i < r.size(); ++i)
      to[i] = rng.uniform(static_cast<std::uint64_t>(i), 0.5, 1.5) *
              ((rng.bits(static_cast<std::uint64_t>(i)) & 1) != 0 ? 1 : -1);
    return r.to(y.device());
  }

  double loss() const {
    const Tape tape(
        {.mode = options_.mode, .record = false, .buffers = Buffers::keep, .rng = options_.rng});
    Vars vars;
    for (const Tensor& input : inputs_) vars.push_back(tape.input(input));
    const std::vector<double> y = f_(vars).value().to_vector();
    const std::vector<double> r = direction_.to_vector();
    double total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) total += y[i] * r[i];
    return total;
  }

  // Moves each element of `at` (in place) and compares the slope with the gradient (null: zero).
  void compare(const std::string& name, Tensor at, const Tensor* gradient) {
    const std::vector<double> values = at.to_vector();
    const std::vector<double> analytic =
        gradient != nullptr ? gradient->to_vector() : std::vector<double>(values.size(), 0.0);
    const auto put = [&](std::size_t i, double value) {
      const auto row = static_cast<std::int64_t>(i);
      at.reshape({-1}).slice(row, row + 1).fill(value);
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
      put(i, values[i] + options_.step);
      const double above = loss();
      put(i, values[i] - options_.step);
      const double below = loss();
      put(i, values[i]);
      judge(name, i, analytic[i], (above - below) / (2 * options_.step));
    }
  }

  void judge(const std::string& name, std::size_t element, double analytic, double numeric) {
    double ratio =
        std::abs(analytic - numeric) / (options_.atol + options_.rtol * std::abs(numeric));
    if (!(std::isfinite(analytic) && std::isfinite(numeric)))
      ratio = std::numeric_limits<double>::infinity();
    if (ratio < result_.worst) return;
    result_.worst = ratio;
    std::ostringstream text;
    text << "gradcheck: " << name << " element " << element << ": gradient " << analytic
         << ", central difference " << numeric << " (" << ratio << " times the tolerance)";
    result_.message = text.str();
  }

  const std::function<Var(const Vars&)>& f_;
  GradcheckOptions options_;
  std::vector<Tensor> inputs_;
  Tensor direction_;
  GradcheckResult result_;
};

}  // namespace

GradcheckResult gradcheck(const std::function<Var(const Vars&)>& f,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options,
                          const std::vector<Parameter>& parameters) {
  return Checker(f, inputs, options).run(parameters);
}

}  // namespace pliant
