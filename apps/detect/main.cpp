// pliant-detect: finds objects in pictures by Faster R-CNN, plain or deformable, and says what
// deformation adds.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/detect/commands.h>
#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/core/program.h>

namespace pliant::detect {
namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Trains Faster R-CNN, plain or deformable, to find objects in pictures, and uses it."};
  app.set_version_flag("--version", "pliant-detect " PLIANT_VERSION);
  app.footer(
      "examples:\n"
      "  pliant-detect train --example --preset tiny --out scenes.safetensors --report page\n"
      "  pliant-detect train cells --out net.safetensors\n"
      "  pliant-detect eval cells --weights net.safetensors\n"
      "  pliant-detect predict --weights net.safetensors --out found photos\n"
      "  pliant-detect table cells --checkpoint runs --seeds 1,2,3 --report page");
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
    std::cerr << "\npliant-detect: interrupted; what was done is kept, --resume goes on with it\n";
    return 128 + interrupted.signal();
  }
}

}  // namespace
}  // namespace pliant::detect

int main(int argc, char** argv) {
  return pliant::run_program("pliant-detect", [&] { return pliant::detect::run(argc, argv); });
}
