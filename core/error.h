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
  explicit ErrorPlace(const std::string& path) : outer_(innermost_) {
    if (!path.empty()) innermost_ = &path;
  }
  ~ErrorPlace() { innermost_ = outer_; }
  ErrorPlace(const ErrorPlace&) = delete;
  ErrorPlace& operator=(const ErrorPlace&) = delete;

  // The text of an Error with the place in it, unless that or a part of it is named already.
  static std::string named(const std::string& text) {
    if (innermost_ == nullptr || names(text, *innermost_)) return text;
    const std::string place = " (" + *innermost_ + ")";
    const std::size_t colon = text.find(": ");
    return colon == std::string::npos ? text + place
                                      : text.substr(0, colon) + place + text.substr(colon);
  }

 private:
  static bool names(const std::string& text, const std::string& path) {
    for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
      const char before = at == 0 ? ' ' : text[at - 1], after = (text + "  ")[at + path.size()];
      if ((before == ' ' || before == '(') && (after == ')' || after == ':')) return true;
      if (before == ' ' && after == '.' && text[at + path.size() + 1] > '9') return true;
    }
    return false;
  }

  inline static thread_local const std::string* innermost_ = nullptr;
  const std::string* outer_;
};

// Says in one line what is wrong: the thing, what was found, what was expected.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(ErrorPlace::named(text)) {}
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
