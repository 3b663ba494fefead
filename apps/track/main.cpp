// pliant-track: follows a target through a video by SiamRPN, plain or deformable.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/track/commands.h>
#include <pliant/core/program.h>

namespace pliant::track {
namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Trains SiamRPN, plain or deformable, to follow a target through a video, and uses it."};
  app.set_version_flag("--version", "pliant-track " PLIANT_VERSION);
  app.footer(
      "examples:\n"
      "  pliant-track train --example --preset tiny --out shapes.safetensors\n"
      "  pliant-track train vot --arm replace --out net.safetensors\n"
      "  pliant-track eval vot --weights net.safetensors\n"
      "  pliant-track tune vot --weights net.safetensors\n"
      "  pliant-track run frames --box 120,80,40,60 --weights net.safetensors --out followed\n"
      "  pliant-track table vot --checkpoint runs --seeds 1,2,3 --report page");
  app.require_subcommand(1);
  Command chosen;
  add_train_command(app, chosen);
  add_eval_command(app, chosen);
  add_tune_command(app, chosen);
  add_run_command(app, chosen);
  add_table_command(app, chosen, kit::command_of(argc, argv));
  if (const auto status = kit::end_of_parsing(app, argc, argv)) return *status;
  try {
    return chosen();
  } catch (const kit::Interrupted& interrupted) {
    std::cerr << "\npliant-track: interrupted; what was done is kept, --resume goes on with it\n";
    return 128 + interrupted.signal();
  }
}

}  // namespace
}  // namespace pliant::track

int main(int argc, char** argv) {
  return pliant::run_program("pliant-track", [&] { return pliant::track::run(argc, argv); });
}
