// The op that an Error is of, where ops are made of others.
#pragma once

#include <string>

namespace pliant {

// While it lives, Errors of this thread begin with `op`, a literal: the op that the user called,
// and not one that it is made of: "stack: concat: ..". The outermost of several counts; null,
// around a function of the user's own, lets the ops in there speak for themselves.
class ErrorOp {
 public:
  explicit ErrorOp(const char* op);
  ~ErrorOp();
  ErrorOp(const ErrorOp&) = delete;
  ErrorOp& operator=(const ErrorOp&) = delete;

  // The outermost, or `op` where there is none.
  static const char* name_of(const char* op);
  // The text of an Error with the op before it, unless it begins with that.
  static std::string named(const std::string& text);

 private:
  const char* outer_;
};

}  // namespace pliant
