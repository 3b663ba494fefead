// Classifier: a net that labels pictures, whichever its architecture.
#pragma once

#include <pliant/layers/layers.h>

namespace pliant::mnist {

class Classifier : public Module {
 public:
  Classifier() = default;
  Classifier(Classifier&&) noexcept = default;
  Classifier& operator=(Classifier&&) noexcept = default;
  virtual ~Classifier() = default;

  // images [N H W 1] in 0..1 -> logits [N classes].
  virtual Var operator()(const Var& images) const = 0;
};

}  // namespace pliant::mnist
