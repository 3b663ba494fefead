#include <pliant/apps/mnist/commands.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/core/text.h>

namespace pliant::mnist {

void CommonOptions::add_to(CLI::App& app) {
  app.add_option("--data", data,
                 "folder with the four MNIST files (default: PLIANT_DATA, the cache, a download, "
                 "else procedural digits)")
      ->check(kit::some_path());
  ComputeOptions::add_to(app);
}

std::vector<kit::NamedFile> CommonOptions::data_files() const {
  const std::string folder = data.empty() ? MnistLookup().environment_directory : data;
  std::vector<kit::NamedFile> files;
  if (!folder.empty())
    for (const std::filesystem::path& path : digit_files(folder)) files.push_back({"--data", path});
  return files;
}

DigitSet CommonOptions::load_digits() const {
  MnistLookup lookup;
  lookup.directory = data;
  lookup.notice = [](const std::string& text) { std::cerr << printable(text) << '\n'; };
  DigitSet digits = find_digits(lookup);
  std::cout << "data: " << printable(digits.source) << '\n';
  if (digits.synthetic())
    std::cout << "*** These are NOT MNIST but procedural stand-in digits; the figures below do not "
                 "compare with published ones. ***\n";
  return digits;
}

}  // namespace pliant::mnist
