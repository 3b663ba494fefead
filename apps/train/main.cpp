// pliant-train: trains a net, plain or deformable, on a folder of pictures, and uses it.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/train/commands.h>
#include <pliant/core/program.h>

namespace pliant::train {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"Trains a net, plain or deformable, on pictures sorted into folders by class."};
  app.set_version_flag("--version", "pliant-train " PLIANT_VERSION);
  Command chosen;
  add_train_command(app, chosen, kit::command_of(argc, argv));
  add_eval_command(app, chosen);
  add_predict_command(app, chosen);
  add_summary_command(app, chosen);
  if (const auto status = kit::end_of_parsing(app, argc, argv)) return *status;
  try {
    return chosen();
  } catch (const kit::Interrupted& interrupted) {
    std::cerr << "\npliant-train: interrupted; what was done is kept, --resume goes on with it\n";
    return 128 + interrupted.signal();
  }
}

}  // namespace
}  // namespace pliant::train

int main(int argc, char** argv) {
  return pliant::run_program("pliant-train", [&] { return pliant::train::run(argc, argv); });
}
