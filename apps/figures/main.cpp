// pliant-figures: draws the figures of docs/operators.md.
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include <pliant/apps/figures/figures.h>
#include <pliant/core/parallel.h>

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
      ->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  if (threads > 0) set_thread_count(threads);
  figures::write_figures(out, std::cout);
  return 0;
}

}  // namespace
}  // namespace pliant

int main(int argc, char** argv) {
  try {
    return pliant::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "pliant-figures: " << error.what() << '\n';
    return 1;
  }
}
