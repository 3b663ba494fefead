// How far a tensor is from the one expected.
#pragma once

#include <string>

#include <pliant/tests/conformance/case.h>

namespace pliant::conformance {

struct Deviation {
  bool passed = true;
  std::string tensor;   // e.g. grad.weight
  double ratio = 0;     // |got - want| / allowed of the element furthest out
  double worst = 0;     // its |got - want|; infinity for a NaN or an infinity out of place
  std::string message;  // of a failure: that element, or the shapes
};

// Element by element |got - want| <= absolute + relative |want|. A NaN passes only against a NaN,
// an infinity only against the same infinity. Any floating dtype of `got`, any device; `want`
// float64 on the CPU.
Deviation compare(const std::string& name, const Tensor& got, const Tensor& want,
                  const Tolerance& tolerance);

}  // namespace pliant::conformance
