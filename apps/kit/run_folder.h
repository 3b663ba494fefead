// RunFolder: where a table keeps its runs, and the options that every table has.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/core/file_lock.h>

namespace CLI {
class App;
}  // namespace CLI

namespace pliant::kit {

struct RunFolder {
  std::string checkpoint, on = "test", commit = "unknown", report;
  std::vector<std::string> seeds = {"1"};
  bool resume = false;

  // `of_seeds`: what a seed decides; `tool` gives --commit.
  void add_to(CLI::App& app, const char* of_seeds, const char* tool);

  bool on_val() const { return on == "val"; }
  // Makes the folder; while the lock lives, no other process writes there.
  FileLock open() const;
  // An Error if it holds earlier runs and --resume was not given.
  void require_resume_if(bool holds_runs) const;
};

}  // namespace pliant::kit
