// The checks behind AnomalyMode; for the .cpp files of autograd/ alone.
#pragma once

#include <span>

#include <pliant/autograd/var.h>

namespace pliant::anomaly {

enum class Looking : unsigned char { off, at_nan, at_all };
inline constinit thread_local Looking looking = Looking::off;

// Sets this thread's mode for a scope.
class Look {
 public:
  explicit Look(Looking now) : before_(looking) { looking = now; }
  ~Look() { looking = before_; }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

 private:
  Looking before_;
};

// Throws if `value`, computed by `op` from `inputs`, holds what this thread looks for.
void check_result(const char* op, const Tensor& value, std::span<const Var> inputs);
// The same of the cotangent of the result of `op`, before its gradient function is called.
void check_cotangent(const char* op, const Tensor& cotangent, Looking looking_for);
// The same of the gradients that it returned; undefined ones are skipped.
void check_gradients(const char* op, const Vars& gradients, Looking looking_for);

}  // namespace pliant::anomaly
