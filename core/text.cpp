#include <pliant/core/text.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace pliant {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// A character of UTF-8 and its number of bytes; no bytes if there is none, in the shortest form, at
// the start of `text`.
struct Character {
  unsigned code = 0;
  std::size_t bytes = 0;
};

Character first_character(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  unsigned code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte_at(text, i) & 0x3F);
  }
  constexpr std::array<unsigned, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < kLeast[bytes] || code > 0x10FFFF || surrogate ? Character{}
                                                              : Character{code, bytes};
}

// What steers a terminal, ends a line or turns the direction of writing.
bool is_control(unsigned code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x200E && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string number(double value, std::chars_format format, int precision) {
  if (std::isnan(value)) return "nan";
  std::array<char, 400> text;  // the longest double has 309 digits before the point
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format,
                                 std::clamp(precision, 0, 64));
  return {text.data(), end.ptr};
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  const std::string_view shown = cut_to(text, longest);
  std::string result;
  for (std::size_t i = 0; i < shown.size();) {
    const Character c = first_character(shown.substr(i));
    if (c.bytes == 0 || is_control(c.code))
      result += '?';
    else
      result += shown.substr(i, c.bytes);
    i += std::max<std::size_t>(c.bytes, 1);
  }
  return shown.size() < text.size() ? result + "..." : result;
}

std::string_view cut_to(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && longest - end < 4 && (byte_at(text, end) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string reason_of(int error) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
  const char* const text = ::strerrordesc_np(error);
#else
  const char* const text = std::strerror(error);
#endif
  return text == nullptr ? "error " + std::to_string(error) : text;
}

std::string fixed(double value, int decimals) {
  return number(value, std::chars_format::fixed, decimals);
}

std::string general(double value, int digits) {
  return number(value, std::chars_format::general, digits);
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace pliant
