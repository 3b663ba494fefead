// Text for people: the same under every locale, and printable whatever it is made of.
#pragma once

#include <cstdint>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace pliant {

// One line that a terminal prints as it stands: control characters and bytes that are no UTF-8
// become '?', and what is longer than `longest` bytes is cut and ends in "...".
std::string printable(std::string_view text, std::size_t longest = std::string_view::npos);

// `text` without the bytes after the first `longest`, and without a character that these cut.
std::string_view cut_to(std::string_view text, std::size_t longest);

// As printf's "%.*f" and "%.*g" in the C locale.
std::string fixed(double value, int decimals);
std::string general(double value, int digits);

// 387072 -> "387,072".
std::string grouped(std::int64_t number);

// What the system's error number `error` (errno) means, in English.
std::string reason_of(int error);

namespace detail {
// The sign of a NaN says nothing.
template <class T>
decltype(auto) without_nan_sign(const T& part) {
  if constexpr (std::is_floating_point_v<T>)
    return part == part ? part : std::numeric_limits<T>::quiet_NaN();
  else
    return (part);
}
}  // namespace detail

// The parts one after the other, as a stream of the classic locale prints them.
template <class... Parts>
std::string text_from(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  (text << ... << detail::without_nan_sign(parts));
  return text.str();
}

}  // namespace pliant
