// The commands of pliant-mnist, each in a file of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/command_line.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/device.h>
#include <pliant/data/mnist.h>

namespace pliant {

using Command = std::function<int()>;  // gives the exit status

// Each adds its options to the app and sets `chosen` once the command line asks for it.
void add_experiment_command(CLI::App& app, Command& chosen);  // the app itself
void add_train_command(CLI::App& app, Command& chosen);
void add_eval_command(CLI::App& app, Command& chosen);
void add_table_command(CLI::App& app, Command& chosen);
void add_predict_command(CLI::App& app, Command& chosen);

// A file that a command line names, by the option that names it.
struct NamedFile {
  std::string option;
  std::filesystem::path path;  // empty: none
};

// What is written must be files of their own: not one another, nor what is read, by other names or
// through links either. Called before anything is written.
void require_files_of_their_own(const std::vector<NamedFile>& written,
                                const std::vector<NamedFile>& read);

// What all commands that compute take.
struct CommonOptions {
  std::string data, device = "auto", json, precision = "float32";
  int threads = 0;

  void add_to(CLI::App& app);
  void add_compute_to(CLI::App& app);    // all but --data
  void add_precision_to(CLI::App& app);  // of commands that train
  // Sets the number of threads and the GPU's precision, and gives the device.
  Device set_up() const;
  // The user's own files of pictures that will be read, if he named a folder of them.
  std::vector<NamedFile> data_files() const;
  // Finds the pictures and says which.
  DigitSet load_digits() const;
};

// The file of --json, if any: opened at the start, so that a path that cannot be written costs no
// training; written at the end, whole or not at all.
class JsonFile {
 public:
  explicit JsonFile(const std::string& path);
  void write(const nlohmann::ordered_json& json);

 private:
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace pliant
