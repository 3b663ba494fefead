// Linear: a matrix product over the last axis that owns its weight and bias.
#pragma once

#include <pliant/autograd/ops/matmul.h>
#include <pliant/layers/conv2d.h>

namespace pliant {

struct LinearOptions {
  Bias bias = Bias::yes;
  // Of the weight; uniform within 1/sqrt(in) unless given: small, as fits the last layer of a
  // classifier, whose first logits should be near zero. The bias: zeros.
  Initialiser initialiser = {};
  Activation activation = Activation::none;  // applied as the product is written
};

// [... in] -> [... out]. Parameters: weight [out in], bias [out].
class Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});

  Var operator()(const Var& x) const;

  Parameter weight, bias;  // bias is undefined without one

 private:
  Activation activation_;
};

}  // namespace pliant
