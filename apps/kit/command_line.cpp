#include <pliant/apps/kit/command_line.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>

#include <pliant/core/error.h>
#include <pliant/core/text.h>

namespace pliant::kit {
namespace {

// The number, or why there is none.
std::string whole_number_in(const std::string& text, std::uint64_t least, std::uint64_t most,
                            std::uint64_t& number) {
  const std::optional<std::uint64_t> found = number_in<std::uint64_t>(text);
  if (!found || *found < least || *found > most)
    return text_from('\'', text, "' is not a whole number from ", least, " to ", most);
  number = *found;
  return {};
}

}  // namespace

std::vector<std::string> items_of(const char* option, const std::string& text) {
  std::vector<std::string> items;
  std::istringstream all(text + ',');  // getline() drops an empty item at the end
  for (std::string item; std::getline(all, item, ',');) {
    require(!item.empty(), option, ": '", text, "' has an empty item");
    items.push_back(item);
  }
  return items;
}

std::vector<int> stages_of(const char* option, const std::string& text, const char* expected) {
  std::vector<int> stages;
  for (const std::string& part : items_of(option, text)) {
    const std::optional<int> stage = number_in<int>(part);
    require(stage.has_value(), option, ": '", part, "' is no stage; expected ", expected);
    stages.push_back(*stage);
  }
  return stages;
}

std::vector<std::uint64_t> numbers_of(const char* option, const std::vector<std::string>& words) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& word : words)
    for (const std::string& item : items_of(option, word)) {
      std::uint64_t number = 0;
      const std::string wrong =
          whole_number_in(item, 0, std::numeric_limits<std::uint64_t>::max(), number);
      require(wrong.empty(), option, ": ", wrong);
      require(std::find(numbers.begin(), numbers.end(), number) == numbers.end(), option, ": ",
              number, " is given twice");
      numbers.push_back(number);
    }
  return numbers;
}

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  const auto check = [least, most](std::string& text) -> std::string {
    std::uint64_t number = 0;
    std::string wrong = whole_number_in(text, least, most, number);
    if (wrong.empty()) text = std::to_string(number);
    return wrong;
  };
  return {check, ""};
}

CLI::Validator positive_count() { return whole_number(1, std::uint64_t{1} << 40); }

CLI::Validator some_items() {
  const auto check = [](const std::string& text) -> std::string {
    return text.empty() ? "'' has an empty item" : "";
  };
  return {check, ""};
}

CLI::Validator some_path() {
  const auto check = [](const std::string& text) -> std::string {
    if (text == "-") return "'-' names no stream here, expected a path (./- is a file called so)";
    return text.empty() ? "is empty, expected a path" : "";
  };
  return {check, ""};
}

CLI::Validator real_number(const char* expected, bool (*fits)(double)) {
  const auto check = [expected, fits](std::string& text) -> std::string {
    const std::optional<double> number = number_in<double>(text);
    const bool good = number && std::isfinite(*number) && fits(*number);
    return good ? "" : text_from('\'', text, "' is not ", expected);
  };
  return {check, ""};
}

CLI::Validator number_above_0() {
  return real_number("a number above 0", [](double number) { return number > 0; });
}

CLI::Validator number_from_0() {
  return real_number("a number of 0 or more", [](double number) { return number >= 0; });
}

CLI::Validator number_from_0_to_1() {
  return real_number("a number from 0 to 1",
                     [](double number) { return number >= 0 && number <= 1; });
}

CLI::Validator share_between_0_and_1() {
  return real_number("a number above 0 and below 1",
                     [](double number) { return number > 0 && number < 1; });
}

namespace {

std::string program_of(char** argv) { return std::filesystem::path(argv[0]).filename(); }

}  // namespace

std::string command_of(int argc, char** argv) {
  std::string command = program_of(argv);
  for (int i = 1; i < argc; ++i) command += ' ' + printable(argv[i]);
  return command;
}

std::optional<int> end_of_parsing(CLI::App& app, int argc, char** argv, int usage) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    // What is printed may repeat what was given, the program's name too.
    if (error.get_exit_code() == 0) {  // --help, --version
      std::stringstream output;
      app.exit(error, output, output);
      for (std::string line; std::getline(output, line);) std::cout << printable(line) << '\n';
      return 0;
    }
    std::cerr << printable(text_from(program_of(argv), ": ", error.what(), "; see --help")) << '\n';
    return usage != 0 ? usage : error.get_exit_code();
  }
}

}  // namespace pliant::kit
