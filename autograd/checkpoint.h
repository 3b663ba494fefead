// checkpoint: a part of a net whose intermediates are computed again instead of being kept.
//
//   Var operator()(Var x) const {
//     for (const Block& block : blocks) x = checkpoint(block, x);
//     ...
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include <pliant/autograd/tape.h>

namespace pliant {

// f(inputs) with the gradient it has anyway, bit for bit. Of the steps inside, the tape keeps
// nothing but `inputs`; when the gradients reach this place f runs a second time, its steps are
// walked and dropped. So a net of n blocks needs the memory of n inputs and one block, at the price
// of a second forward pass.
//
// f must be a function of its arguments, of parameters and Vars it has captured, and of the tape's
// random key (so dropout draws the same mask). Both runs are on the same tape, in the same mode;
// buffers (running statistics) move in the first alone. f lives in the tape until the gradients are
// taken, so what it captured by reference must live as long. A parameter that changed in between,
// and a Var that f let out other than by its result, are Errors. Off the tape, and on one that does
// not record, this is f(inputs).
Var checkpoint(const std::function<Var(const Vars&)>& f, const Vars& inputs);

// Of one input. What can be copied (a lambda) is; a Module cannot and is referred to: it must stay
// where it is until the gradients are taken, and if it did not, that is an Error.
template <class F>
requires std::is_invocable_r_v < Var, const std::remove_cvref_t<F>
&, const Var& > Var checkpoint(F&& f, const Var& x) {
  using Function = std::remove_cvref_t<F>;
  if constexpr (std::copy_constructible<Function>) {
    const std::function<Var(const Var&)> call(std::forward<F>(f));
    require(call != nullptr, "checkpoint: the function is empty");
    return checkpoint(
        std::function<Var(const Vars&)>([call](const Vars& v) -> Var { return call(v[0]); }),
        Vars{x});
  } else {
    static_assert(std::is_lvalue_reference_v<F>,
                  "checkpoint: this would be gone when the gradients are taken; give it a name");
    static_assert(
        requires { f.still_here(); },
        "checkpoint: this cannot be copied and is no Module; give a lambda that calls it");
    const auto call = [&f, still_here = std::function<bool()>(f.still_here())](const Vars& v) {
      require(still_here(),
              "checkpoint: the module was destroyed or moved before the gradients "
              "were taken; keep it where it is until then");
      return Var(f(v[0]));
    };
    return checkpoint(std::function<Var(const Vars&)>(call), Vars{x});
  }
}

}  // namespace pliant
