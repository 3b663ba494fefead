// pliant-figures: draws the figures of docs/operators.md.
#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/kit/command_line.h>
#include <pliant/core/parallel.h>
#include <pliant/core/program.h>

namespace pliant {
namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Draws the figures of docs/operators.md as SVG files: every deformable operator at work on a "
      "procedural digit, with the offsets that it learns there. The same bytes at every run."};
  app.footer(
      "Examples:\n"
      "  pliant-figures                   into docs/figures of the current folder\n"
      "  pliant-figures --out /tmp/look   somewhere else");
  std::string out = "docs/figures";
  int threads = 0;
  app.set_version_flag("--version", "pliant-figures " PLIANT_VERSION);
  app.add_option("--out", out, "folder for the files; made if there is none")
      ->capture_default_str();
  app.add_option("--threads", threads, "CPU threads (default: PLIANT_THREADS, else all)")
      ->transform(kit::whole_number(1, 1024));
  if (const auto status = kit::end_of_parsing(app, argc, argv)) return *status;
  if (threads > 0) set_thread_count(threads);
  figures::write_figures(out, std::cout);
  return 0;
}

}  // namespace
}  // namespace pliant

int main(int argc, char** argv) {
  return pliant::run_program("pliant-figures", [&] { return pliant::run(argc, argv); });
}
