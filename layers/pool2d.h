// Pooling as layers, so that it shows in summary(); the functions alone do as well.
#pragma once

#include <pliant/autograd/ops/pool2d.h>
#include <pliant/layers/module.h>
#include <pliant/layers/observer.h>

namespace pliant {

// [N H W C] -> [N P Q C], see max_pool2d.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const MaxPoolOptions& options = {}) : options_(options) {}
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("MaxPool2d", max_pool2d(x, options_), 0,
                    {.input = x.shape(),
                     .kernel = options_.kernel,
                     .conv = {.stride = options_.stride.value_or(options_.kernel),
                              .padding = options_.padding,
                              .dilation = options_.dilation}});
  }

 private:
  MaxPoolOptions options_;
};

// [N H W C] -> [N P Q C], see avg_pool2d.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const AvgPoolOptions& options = {}) : options_(options) {}
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("AvgPool2d", avg_pool2d(x, options_), 0,
                    {.input = x.shape(),
                     .kernel = options_.kernel,
                     .conv = {.stride = options_.stride.value_or(options_.kernel),
                              .padding = options_.padding}});
  }

 private:
  AvgPoolOptions options_;
};

// [N H W C] -> [N P Q C] with P x Q = output, see adaptive_avg_pool2d.
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(Size2 output) : output_(output) {}
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("AdaptiveAvgPool2d", adaptive_avg_pool2d(x, output_));
  }

 private:
  Size2 output_;
};

// [N H W C] -> [N C].
class GlobalAvgPool2d : public Module {
 public:
  Var operator()(const Var& x) const {
    const ErrorPlace here(path());
    return observed("GlobalAvgPool2d", global_avg_pool2d(x), x.size());
  }
};

}  // namespace pliant
