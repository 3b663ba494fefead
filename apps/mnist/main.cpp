// pliant-mnist: trains digit nets and prints the scaled-MNIST table; trains, measures and uses
// single nets.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/mnist/commands.h>
#include <pliant/core/program.h>

namespace pliant::mnist {
namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Trains a four-layer net on MNIST, fine-tunes it and its deformable twins on scaled MNIST, "
      "and prints the table."};
  app.set_version_flag("--version", "pliant-mnist " PLIANT_VERSION);
  Command chosen;
  add_experiment_command(app, chosen);
  add_train_command(app, chosen);
  add_eval_command(app, chosen);
  add_table_command(app, chosen);
  add_predict_command(app, chosen);
  if (const auto status = kit::end_of_parsing(app, argc, argv)) return *status;
  try {
    return chosen();
  } catch (const kit::Interrupted& interrupted) {
    std::cerr << "\npliant-mnist: interrupted; what was done is kept, --resume goes on with it\n";
    return 128 + interrupted.signal();
  }
}

}  // namespace
}  // namespace pliant::mnist

int main(int argc, char** argv) {
  return pliant::run_program("pliant-mnist", [&] { return pliant::mnist::run(argc, argv); });
}
