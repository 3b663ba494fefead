#include <pliant/autograd/gradcheck.h>

#include <cmath>
#include <limits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>

namespace pliant {
namespace {

using Function = std::function<Var(const Vars&)>;

// Signs and sizes that no symmetry of a function hides from.
Tensor direction(const Var& like, const Rng& rng) {
  require(like.defined(), "gradcheck: the function gave an undefined Var");
  Tensor r = Tensor::empty(like.shape(), DType::float64);
  double* const to = r.mutable_data<double>();
  for (std::int64_t i = 0; i < r.size(); ++i)
    to[i] = rng.uniform(static_cast<std::uint64_t>(i), 0.5, 1.5) *
            ((rng.bits(static_cast<std::uint64_t>(i)) & 1) != 0 ? 1 : -1);
  return r.to(like.device());
}

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to_vector(), y = b.to_vector();
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += x[i] * y[i];
  return total;
}

std::vector<Tensor> clones(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> copies;
  copies.reserve(tensors.size());
  for (const Tensor& tensor : tensors) copies.push_back(tensor.clone());
  return copies;
}

void check(const char* name, const Function& f, const std::vector<Tensor>& inputs,
           const std::vector<Parameter>& parameters) {
  require(f != nullptr, name, ": the function is empty");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require(inputs[i].defined(), name, ": input ", i, " is undefined");
    require(inputs[i].dtype() == DType::float64, name, ": inputs must be float64, got ",
            inputs[i].dtype());
  }
  for (const Parameter& parameter : parameters)
    require(parameter.value().dtype() == DType::float64, name, ": ", parameter.name(),
            " must be float64, got ", parameter.value().dtype());
}

// Compares gradients with the slopes of a loss along each element.
class Judge {
 public:
  Judge(const char* name, const GradcheckOptions& options) : name_(name), options_(options) {}

  // Moves each element of `at` (in place) and compares the slope with the gradient (null: zero).
  void compare(const std::string& what, Tensor at, const Tensor* gradient,
               const std::function<double()>& loss) {
    const std::vector<double> values = at.to_vector();
    const std::vector<double> analytic =
        gradient != nullptr ? gradient->to_vector() : std::vector<double>(values.size(), 0.0);
    const auto put = [&](std::size_t i, double value) {
      const auto row = static_cast<std::int64_t>(i);
      at.reshape({-1}).slice(row, row + 1).fill(value);
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
      double above = 0, below = 0;
      try {
        put(i, values[i] + options_.step);
        above = loss();
        put(i, values[i] - options_.step);
        below = loss();
      } catch (...) {
        put(i, values[i]);
        throw;
      }
      put(i, values[i]);
      judge(what, i, analytic[i], (above - below) / (2 * options_.step), "central difference");
    }
  }

  void judge(const std::string& what, std::size_t element, double analytic, double expected,
             const char* reference) {
    double ratio =
        std::abs(analytic - expected) / (options_.atol + options_.rtol * std::abs(expected));
    if (!(std::isfinite(analytic) && std::isfinite(expected)))
      ratio = std::numeric_limits<double>::infinity();
    if (ratio < result_.worst) return;
    result_.worst = ratio;
    result_.message =
        text_from(name_, ": ", what, " element ", element, ": gradient ", analytic, ", ", reference,
                  ' ', expected, " (", ratio, " times the tolerance)");
  }

  GradcheckResult result() {
    result_.passed = result_.worst <= 1.0;
    return result_;
  }

 private:
  const char* name_;
  const GradcheckOptions& options_;
  GradcheckResult result_;
};

class Checker {
 public:
  Checker(const Function& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options)
      : f_(f), options_(options), inputs_(clones(inputs)) {}

  GradcheckResult run(const std::vector<Parameter>& parameters) {
    Tape tape({.mode = options_.mode, .buffers = Buffers::keep, .rng = options_.rng});
    Vars vars;
    for (const Tensor& input : inputs_) vars.push_back(tape.variable(input.clone()));
    const Var y = f_(vars);
    direction_ = direction(y, options_.rng.fork("gradcheck"));
    const Gradients gradients = tape.gradients(y, {}, {.cotangent = direction_});

    Judge judge("gradcheck", options_);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      judge.compare("input " + std::to_string(i), inputs_[i], gradients.find(vars[i]),
                    [&] { return loss(); });
    for (const Parameter& parameter : parameters)
      judge.compare(parameter.name(), parameter.value(), gradients.find(parameter),
                    [&] { return loss(); });
    return judge.result();
  }

 private:
  double loss() const {
    const Tape tape(
        {.mode = options_.mode, .record = false, .buffers = Buffers::keep, .rng = options_.rng});
    Vars vars;
    for (const Tensor& input : inputs_) vars.push_back(tape.input(input));
    return dot(f_(vars).value(), direction_);
  }

  const Function& f_;
  const GradcheckOptions& options_;
  std::vector<Tensor> inputs_;
  Tensor direction_;
};

class SecondChecker {
 public:
  SecondChecker(const Function& f, const std::vector<Tensor>& inputs,
                const GradcheckOptions& options, const std::vector<Parameter>& parameters)
      : f_(f), options_(options), parameters_(parameters), inputs_(clones(inputs)) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) names_.push_back("input " + std::to_string(i));
  }

  GradcheckResult run() {
    Judge judge("gradgradcheck", options_);
    add_cotangent();
    const Tape tape(tape_options());
    const Vars vars = variables(tape);
    const Gradients first = tape.gradients(scalar(vars), {}, {.create_graph = true});
    Var total;  // G
    const std::vector<Tensor> plain = plain_gradients();
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const Var gradient = first_gradient(first, vars, i);
      directions_.push_back(direction(plain[i], options_.rng.fork("second").fork(i)));
      agree(judge, i, gradient, plain[i]);
      if (!gradient.wants_gradient()) continue;  // it is constant
      const Var part = sum(gradient * directions_.back());
      total = total.defined() ? total + part : part;
    }
    Gradients second;
    if (total.defined()) second = tape.gradients(total);
    for (std::size_t i = 0; i < plain.size(); ++i)
      judge.compare(name(i), place(i), total.defined() ? found(second, vars, i) : nullptr,
                    [&] { return loss(); });
    return judge.result();
  }

 private:
  TapeOptions tape_options() const {
    return {.mode = options_.mode, .buffers = Buffers::keep, .rng = options_.rng};
  }

  // r becomes the last input.
  void add_cotangent() {
    const Tape tape(tape_options());
    Vars vars;
    for (const Tensor& input : inputs_) vars.push_back(tape.variable(input));
    inputs_.push_back(direction(f_(vars), options_.rng.fork("gradcheck")).clone());
    names_.emplace_back("the cotangent");
  }

  Vars variables(const Tape& tape) const {
    Vars vars;
    for (const Tensor& input : inputs_) vars.push_back(tape.variable(input.clone()));
    return vars;
  }

  Var scalar(const Vars& vars) const {
    return sum(f_(Vars(vars.begin(), vars.end() - 1)) * vars.back());
  }

  // The gradients by what is number i: an input, r, or a parameter.
  const std::string& name(std::size_t i) const {
    return i < inputs_.size() ? names_[i] : parameters_[i - inputs_.size()].name();
  }
  Tensor place(std::size_t i) const {
    return i < inputs_.size() ? inputs_[i] : parameters_[i - inputs_.size()].value();
  }
  const Tensor* found(const Gradients& gradients, const Vars& vars, std::size_t i) const {
    return i < vars.size() ? gradients.find(vars[i]) : gradients.find(parameters_[i - vars.size()]);
  }
  Var first_gradient(const Gradients& gradients, const Vars& vars, std::size_t i) const {
    if (found(gradients, vars, i) == nullptr)
      return Tensor::zeros(place(i).shape(), DType::float64, place(i).device());
    return i < vars.size() ? gradients.var(vars[i]) : gradients.var(parameters_[i - vars.size()]);
  }

  std::vector<Tensor> plain_gradients() const {
    const Tape tape(tape_options());
    const Vars vars = variables(tape);
    const Gradients gradients = tape.gradients(scalar(vars));
    std::vector<Tensor> all;
    for (std::size_t i = 0; i < inputs_.size() + parameters_.size(); ++i)
      all.push_back(first_gradient(gradients, vars, i).value());
    return all;
  }

  double loss() const {
    const std::vector<Tensor> plain = plain_gradients();
    double total = 0;
    for (std::size_t i = 0; i < plain.size(); ++i) total += dot(plain[i], directions_[i]);
    return total;
  }

  void agree(Judge& judge, std::size_t i, const Var& gradient, const Tensor& plain) const {
    const std::vector<double> a = gradient.value().to_vector(), b = plain.to_vector();
    for (std::size_t k = 0; k < a.size(); ++k)
      judge.judge(name(i), k, a[k], b[k], "with create_graph, without it");
  }

  const Function& f_;
  const GradcheckOptions& options_;
  const std::vector<Parameter>& parameters_;
  std::vector<Tensor> inputs_;
  std::vector<std::string> names_;
  std::vector<Tensor> directions_;
};

}  // namespace

GradcheckResult gradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options,
                          const std::vector<Parameter>& parameters) {
  check("gradcheck", f, inputs, parameters);
  return Checker(f, inputs, options).run(parameters);
}

GradcheckResult gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options,
                              const std::vector<Parameter>& parameters) {
  check("gradgradcheck", f, inputs, parameters);
  return SecondChecker(f, inputs, options, parameters).run();
}

}  // namespace pliant
