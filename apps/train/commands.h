// The commands of pliant-train, each in a file of its own.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace pliant::train {

using Command = std::function<int()>;  // gives the exit status

// Each adds its options to the app and sets `chosen` once the command line asks for it.
// The app itself; `command` is how it was called.
void add_train_command(CLI::App& app, Command& chosen, const std::string& command);
void add_eval_command(CLI::App& app, Command& chosen);
void add_predict_command(CLI::App& app, Command& chosen);
void add_summary_command(CLI::App& app, Command& chosen);

}  // namespace pliant::train
