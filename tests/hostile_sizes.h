// Sizes that no one can mean, for the tests of what becomes of them: an Error that names the number
// as it was given, or the right result, and at once.
#pragma once

#include <cctype>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <pliant/tests/op_case.h>

namespace pliant::test {

inline constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max(),
                              kMin = std::numeric_limits<std::int64_t>::min(),
                              k62 = std::int64_t{1} << 62, k32 = std::int64_t{1} << 32;
// Nobody means these as a number of pixels.
inline const std::vector<std::int64_t> kHostile = {kMin, -k62, -k32, -1, k32, k62, kMax - 1, kMax};

// Seconds that f takes.
template <class F>
double seconds(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline constexpr double kAtOnce = 5;  // seconds, under a sanitizer on a busy machine

using Use = std::function<void(std::int64_t)>;

// Whether a text has this number, not as a part of a longer one.
inline bool names(const std::string& text, std::int64_t number) {
  const std::string digits = std::to_string(number);
  const auto is_digit = [&](std::size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
  };
  for (std::size_t at = text.find(digits); at != std::string::npos; at = text.find(digits, at + 1))
    if ((at == 0 || !is_digit(at - 1)) && !is_digit(at + digits.size())) return true;
  return false;
}

// `use` of each number is an Error that begins with `who` and names the number.
inline void refuses(const std::string& who, const std::string& what, const Use& use,
                    const std::vector<std::int64_t>& numbers = kHostile) {
  for (const std::int64_t number : numbers) {
    CAPTURE(who);
    CAPTURE(what);
    CAPTURE(number);
    std::string message;
    CHECK(seconds([&] { message = error_of([&] { use(number); }); }) < kAtOnce);
    CAPTURE(message);
    CHECK(message.starts_with(who + ":"));
    CHECK((names(message, number) || contains(message, "negative")));
  }
}

inline Tensor zeros(const Shape& shape) { return Tensor::zeros(shape); }

}  // namespace pliant::test
