// Activation functions as layers, for Sequential and so that they show in summary(); the functions
// of autograd/ops/activation.h alone do as well. Any shape -> the same.
#pragma once

#include <pliant/autograd/ops/activation.h>
#include <pliant/layers/initialisers.h>
#include <pliant/layers/module.h>

namespace pliant {

class Relu : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Relu", relu(x));
  }
};

class LeakyRelu : public Module {
 public:
  explicit LeakyRelu(double negative_slope = 0.01) : negative_slope_(negative_slope) {}
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("LeakyRelu", leaky_relu(x, negative_slope_));
  }

 private:
  double negative_slope_;
};

class Gelu : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Gelu", gelu(x));
  }
};

class Silu : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Silu", silu(x));
  }
};

class Tanh : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Tanh", tanh(x));
  }
};

class Sigmoid : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Sigmoid", sigmoid(x));
  }
};

class GeluTanh : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("GeluTanh", gelu_tanh(x));
  }
};

class Mish : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Mish", mish(x));
  }
};

class Hardswish : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Hardswish", hardswish(x));
  }
};

class Softplus : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Softplus", softplus(x));
  }
};

class Glu : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Glu", glu(x));
  }
};

// Parameter: weight [channels], 0.25 at the start; one for all channels, or one each.
class PRelu : public Module {
 public:
  explicit PRelu(std::int64_t channels = 1) {
    const ErrorOp here("PRelu");
    require(channels >= 1, "PRelu: over ", channels, " channels, expected at least 1");
    weight = own("weight", Parameter(Shape{channels}), init::constant(0.25));
  }
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("PRelu", prelu(x, x.lift(weight)));
  }

  Parameter weight;
};

}  // namespace pliant
