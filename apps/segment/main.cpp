// pliant-segment: gives every pixel a class by DeepLabv3+, plain or deformable, and says what
// deformation adds.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/segment/commands.h>
#include <pliant/core/program.h>

namespace pliant::segment {
namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Trains DeepLabv3+, plain or deformable, to give every pixel of a picture a class, and uses "
      "it."};
  app.set_version_flag("--version", "pliant-segment " PLIANT_VERSION);
  app.footer(
      "examples:\n"
      "  pliant-segment train --example --preset tiny --out scenes.safetensors --report page\n"
      "  pliant-segment train streets --out net.safetensors\n"
      "  pliant-segment predict --weights net.safetensors --out labelled photos\n"
      "  pliant-segment table streets --checkpoint runs --seeds 1,2,3 --report page");
  app.require_subcommand(1);
  Command chosen;
  add_train_command(app, chosen);
  add_eval_command(app, chosen);
  add_predict_command(app, chosen);
  add_table_command(app, chosen, kit::command_of(argc, argv));
  if (const auto status = kit::end_of_parsing(app, argc, argv)) return *status;
  try {
    return chosen();
  } catch (const kit::Interrupted& interrupted) {
    std::cerr << "\npliant-segment: interrupted; what was done is kept, --resume goes on with it\n";
    return 128 + interrupted.signal();
  }
}

}  // namespace
}  // namespace pliant::segment

int main(int argc, char** argv) {
  return pliant::run_program("pliant-segment", [&] { return pliant::segment::run(argc, argv); });
}
