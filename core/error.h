// The one exception of the library, and the one way to throw it.
#pragma once

#include <stdexcept>
#include <string>

#include <pliant/core/text.h>

namespace pliant {

// Says in one line what is wrong: the thing, what was found, what was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Of what a file or a user gave, an Error shows what is printable.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(printable(text_from(parts...)));
}

// Throws an Error made of `parts` unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(parts...);
}

}  // namespace pliant
