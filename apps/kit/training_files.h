// TrainingFiles: the files that a command which trains is given, and --resume.
#pragma once

#include <filesystem>
#include <string>

#include <pliant/core/file_lock.h>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pliant::kit {

struct TrainingFiles {
  std::string out, report, log, events;
  bool resume = false;

  // Gives --out, which a command may require.
  CLI::Option* add_to(CLI::App& app);

  std::filesystem::path checkpoint() const;  // beside --out
  // Before anything is begun: each can be written and is a file of its own and none of those that
  // are read, and none holds an interrupted training unless it is to go on.
  void check(const std::string& json, const std::string& pretrained) const;
  // While it lives, no other process trains into --out.
  FileLock lock() const;
};

}  // namespace pliant::kit
