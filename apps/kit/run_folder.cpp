#include <pliant/apps/kit/run_folder.h>

#include <CLI/CLI.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/core/error.h>
#include <pliant/core/file_name.h>

namespace pliant::kit {

void RunFolder::add_to(CLI::App& app, const char* of_seeds, const char* tool) {
  app.add_option("--seeds", seeds, of_seeds)->delimiter(',')->capture_default_str();
  app.add_option("--checkpoint", checkpoint, "folder in which runs are kept")
      ->check(some_path())
      ->required();
  app.add_flag("--resume", resume, "the folder holds earlier runs");
  app.add_option("--on", on, "which set nets are judged on; val: to choose by")
      ->check(CLI::IsMember({"test", "val"}))
      ->capture_default_str();
  app.add_option("--commit", commit, text_from("kept in each run; ", tool, " gives it"))
      ->capture_default_str();
  app.add_option("--report", report, "write a page into this folder")->check(some_path());
}

FileLock RunFolder::open() const {
  std::error_code error;
  std::filesystem::create_directories(checkpoint, error);
  require(!error, checkpoint, ": cannot be made a folder: ", reason_of(error.value()));
  return FileLock(std::filesystem::path(checkpoint) / "lock",
                  "--checkpoint: another run is writing into this folder");
}

void RunFolder::require_resume_if(bool holds_runs) const {
  require(resume || !holds_runs, "--checkpoint: ", checkpoint,
          " holds an earlier run; add --resume to go on with it, or name another folder");
}

}  // namespace pliant::kit
