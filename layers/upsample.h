// Upsample: maps made larger by interpolation, as a layer, so that it shows in summary().
#pragma once

#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/module.h>

namespace pliant {

// [N H W C] -> [N P Q C], see upsample2d.
class Upsample : public Module {
 public:
  explicit Upsample(const UpsampleOptions& options) : options_(options) {}
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("Upsample", upsample2d(x, options_));
  }

 private:
  UpsampleOptions options_;
};

}  // namespace pliant
