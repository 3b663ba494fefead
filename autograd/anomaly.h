// AnomalyMode: names the op that made the first NaN or infinity.
#pragma once

namespace pliant {

struct AnomalyOptions {
  bool infinities = true;  // false: only NaN counts, for nets that mask with infinities
};

// While it lives, what every op of this thread computes is looked at, results and gradients, and
// the first number that is not finite is an Error: `anomaly: log made the first NaN: ...`. If it
// came with an input that no op made (data, a parameter), the Error says that. Nothing else
// changes. An element is read once more for each check, and from a GPU copied; when off, an op
// costs one test of a flag.
class AnomalyMode {
 public:
  explicit AnomalyMode(AnomalyOptions options = {});
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  unsigned char before_;
};

}  // namespace pliant
