// Command lines: numbers that are what they look like, and messages that can be printed.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/text.h>

namespace pliant {

// Reads all of `text` as a number of the C locale; nothing if it is none or out of T's range.
template <class T>
std::optional<T> number_in(const std::string& text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// For Option::transform: digits alone, in decimal; CLI11 itself takes -1 for 2^64 - 1, 010 for 8.
inline CLI::Validator whole_number(std::uint64_t least,
                                   std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
  const auto check = [least, most](std::string& text) -> std::string {
    const std::optional<std::uint64_t> number = number_in<std::uint64_t>(text);
    if (!number || *number < least || *number > most)
      return text_from('\'', text, "' is not a whole number from ", least, " to ", most);
    text = std::to_string(*number);
    return {};
  };
  return {check, ""};
}

// The items of an option's "a,b,c"; an empty one is an Error.
inline std::vector<std::string> items_of(const char* option, const std::string& text) {
  std::vector<std::string> items;
  std::istringstream all(text + ',');  // getline() drops an empty item at the end
  for (std::string item; std::getline(all, item, ',');) {
    require(!item.empty(), option, ": '", text, "' has an empty item");
    items.push_back(item);
  }
  return items;
}

// For Option::check, of a list whose default is none.
inline CLI::Validator some_items() {
  const auto check = [](const std::string& text) -> std::string {
    return text.empty() ? "'' has an empty item" : "";
  };
  return {check, ""};
}

// The whole numbers of an option's words "1,2,3"; what is none, or there twice, is an Error.
inline std::vector<std::uint64_t> numbers_of(const char* option,
                                             const std::vector<std::string>& words) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& word : words)
    for (std::string item : items_of(option, word)) {
      const std::string wrong = whole_number(0)(item);
      require(wrong.empty(), option, ": ", wrong);
      const std::uint64_t number = *number_in<std::uint64_t>(item);
      require(std::find(numbers.begin(), numbers.end(), number) == numbers.end(), option, ": ",
              number, " is given twice");
      numbers.push_back(number);
    }
  return numbers;
}

// For Option::check, of a path: an unset variable of the shell in quotes is no way to say "none",
// and standard output, which others mean by -, has what is printed already.
inline CLI::Validator some_path() {
  const auto check = [](const std::string& text) -> std::string {
    if (text == "-") return "'-' names no stream here, expected a path (./- is a file called so)";
    return text.empty() ? "is empty, expected a path" : "";
  };
  return {check, ""};
}

// What counts: images, epochs, steps.
inline CLI::Validator positive_count() { return whole_number(1, std::uint64_t{1} << 40); }

// For Option::check.
inline CLI::Validator real_number(const char* expected, bool (*fits)(double)) {
  const auto check = [expected, fits](std::string& text) -> std::string {
    const std::optional<double> number = number_in<double>(text);
    const bool good = number && std::isfinite(*number) && fits(*number);
    return good ? "" : text_from('\'', text, "' is not ", expected);
  };
  return {check, ""};
}

inline CLI::Validator number_above_0() {
  return real_number("a number above 0", [](double number) { return number > 0; });
}

inline CLI::Validator number_from_0() {
  return real_number("a number of 0 or more", [](double number) { return number >= 0; });
}

// Parses the command line; gives the exit status if the program is to end at once: 0 after --help,
// else `usage` or, without it, CLI11's own.
inline std::optional<int> end_of_parsing(CLI::App& app, int argc, char** argv, int usage = 0) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::stringstream output, errors;  // both may repeat what was given, the program's name too
    const int status = app.exit(error, output, errors);
    for (std::string line; std::getline(output, line);) std::cout << printable(line) << '\n';
    for (std::string line; std::getline(errors, line);) std::cerr << printable(line) << '\n';
    return status == 0 || usage == 0 ? status : usage;
  }
}

}  // namespace pliant
