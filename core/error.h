// The one exception of the library, and the one way to throw it.
#pragma once

#include <stdexcept>
#include <string>

#include <pliant/core/text.h>

namespace pliant {

// While it lives, Errors of this thread name the place of the net that they were made in, the
// innermost: "conv2d (layer1.0.conv1): ...". Layers make one of their path, which must outlive it;
// an empty path leaves the place as it is.
class ErrorPlace {
 public:
  explicit ErrorPlace(const std::string& path);
  ~ErrorPlace();
  ErrorPlace(const ErrorPlace&) = delete;
  ErrorPlace& operator=(const ErrorPlace&) = delete;

  // The text of an Error with the place in it, unless that or a part of it is named already.
  static std::string named(const std::string& text);

 private:
  const std::string* outer_;
};

// Says in one line what is wrong: the thing, what was found, what was expected.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(ErrorPlace::named(text)) {}
};

// What an Error shows of a part; tensor.h has one for Tensors.
template <class T>
const T& error_part(const T& part) {
  return part;
}

// Of what a file or a user gave, an Error shows what is printable.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(printable(text_from(error_part(parts)...)));
}

// Throws an Error made of `parts` unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(parts...);
}

}  // namespace pliant
