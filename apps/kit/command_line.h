// Command lines: numbers that are what they look like, and messages that can be printed. CLI11
// itself is for the sources that declare options.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace pliant::kit {

// Reads all of `text` as a number of the C locale; nothing if it is none or out of T's range.
template <class T>
std::optional<T> number_in(const std::string& text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The items of an option's "a,b,c"; an empty one is an Error.
std::vector<std::string> items_of(const char* option, const std::string& text);
// The numbers of stages in an option's "3,4"; what is none is an Error that says what was `expected`.
std::vector<int> stages_of(const char* option, const std::string& text, const char* expected);
// The whole numbers of an option's words "1,2,3"; what is none is an Error.
std::vector<std::uint64_t> numbers_of(const char* option, const std::vector<std::string>& words);

// For Option::transform: digits alone, in decimal; CLI11 itself takes -1 for 2^64 - 1, 010 for 8.
CLI::Validator whole_number(std::uint64_t least,
                            std::uint64_t most = std::numeric_limits<std::uint64_t>::max());
// What counts: images, epochs, steps.
CLI::Validator positive_count();

// For Option::check, of a list whose default is none.
CLI::Validator some_items();
// For Option::check, of a path: an unset variable of the shell in quotes is no way to say "none".
CLI::Validator some_path();
// For Option::check.
CLI::Validator real_number(const char* expected, bool (*fits)(double));
CLI::Validator number_above_0();
CLI::Validator number_from_0();
CLI::Validator number_from_0_to_1();
CLI::Validator share_between_0_and_1();  // neither of them

// The command line as it was given, after the program's name.
std::string command_of(int argc, char** argv);

// Parses the command line; gives the exit status if the program is to end at once: 0 after --help,
// else `usage` or, without it, CLI11's own.
std::optional<int> end_of_parsing(CLI::App& app, int argc, char** argv, int usage = 0);

}  // namespace pliant::kit
