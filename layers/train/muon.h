// Muon.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/train/adam.h>

namespace pliant {

// What the rate of an [A B] matrix is multiplied by.
enum class MuonRate : unsigned char {
  match_rms_adamw,  // 0.2 sqrt(max(A, B)): steps as large as AdamW's, whose rates suit it (Liu et
                    // al. 2025)
  original,         // sqrt(max(1, A / B)): rates are about 0.02 (Jordan et al. 2024)
};

// Weights of two axes and more, as matrices [A B] of the first axis and all others: m = momentum *
// m + gradient; d = nesterov ? gradient + momentum * m : m; p *= 1 - lr * weight_decay; p -= lr *
// factor * O(d), where O brings the singular values of d near 1 by that many Newton-Schulz steps x
// = 3.4445 x - 4.7750 (x x^T) x + 2.0315 (x x^T)^2 x from x = d / |d|. All else (biases, norms) is
// moved as by AdamW, and so are the weights that by_adamw names by patterns of their paths: those
// of embeddings and of the last layer, as is usual. (Jordan et al. 2024, as torch.optim.Muon, which
// iterates in bfloat16, where here it is the parameter's type)
struct MuonOptions {
  double lr = 1e-3;
  double momentum = 0.95;
  bool nesterov = true;
  int newton_schulz_steps = 5;
  MuonRate rate = MuonRate::match_rms_adamw;
  double weight_decay = 0.1;
  std::vector<std::string> by_adamw = {};  // one that matches no path is an Error
  double beta1 = 0.9;                      // these three are AdamW's
  double beta2 = 0.999;
  double eps = 1e-8;
  std::vector<std::string> may_lack = {};
};

class Muon : public Adam {
 public:
  explicit Muon(std::vector<Parameter> parameters, const MuonOptions& options = {})
      : Muon(std::vector<ParameterGroup>{{std::move(parameters), 1, {}}}, options) {}
  explicit Muon(const std::vector<ParameterGroup>& groups, const MuonOptions& options = {});

 private:
  Move update(Slot& slot, const Tensor& gradient) override;
  MuonOptions options_;
};

}  // namespace pliant
