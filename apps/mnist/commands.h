// The commands of pliant-mnist, each in a file of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/data/mnist.h>

namespace pliant::mnist {

using Command = std::function<int()>;  // gives the exit status

// Each adds its options to the app and sets `chosen` once the command line asks for it.
void add_experiment_command(CLI::App& app, Command& chosen);  // the app itself
void add_train_command(CLI::App& app, Command& chosen);
void add_eval_command(CLI::App& app, Command& chosen);
void add_table_command(CLI::App& app, Command& chosen);
void add_predict_command(CLI::App& app, Command& chosen);

// What the commands that compute on digits take.
struct CommonOptions : kit::ComputeOptions {
  std::string data;

  void add_to(CLI::App& app);
  // The user's own files of images that will be read, if he named a folder of them.
  std::vector<kit::NamedFile> data_files() const;
  // Finds the images and says which.
  DigitSet load_digits() const;
};

}  // namespace pliant::mnist
