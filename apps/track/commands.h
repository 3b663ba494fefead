// The commands of pliant-track, each in a file of its own.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace pliant::track {

using Command = std::function<int()>;  // gives the exit status

// Each adds its options to the app and sets `chosen` once the command line asks for it.
void add_train_command(CLI::App& app, Command& chosen);
void add_eval_command(CLI::App& app, Command& chosen);
void add_tune_command(CLI::App& app, Command& chosen);
void add_run_command(CLI::App& app, Command& chosen);
// `words` is the command line, which each run keeps.
void add_table_command(CLI::App& app, Command& chosen, const std::string& words);

}  // namespace pliant::track
