#include <pliant/layers/dropout.h>

namespace pliant {

Dropout::Dropout(double rate) : rate_(rate) {
  require(rate >= 0 && rate <= 1, "Dropout: the rate is ", rate, ", expected 0 to 1");
}

Rng Dropout::key(const Var& x, std::uint64_t use) const {
  require(!x.on_tape() || x.has_rng(), "Dropout", path().empty() ? "" : " ", path(),
          ": the tape has no random key, so every step would drop the same elements; write "
          "Tape tape({.rng = rng.fork(step)})");
  return x.rng().fork("dropout").fork(path()).fork(use);
}

Var Dropout::operator()(const Var& x, std::uint64_t use) const {
  const ErrorPlace here(path());
  require(x.defined(), "Dropout: x is undefined");
  const bool drops = x.training() && rate_ > 0;
  return observed("Dropout", drops ? dropout(x, rate_, key(x, use), x.step_state()) : x);
}

}  // namespace pliant
