#include <pliant/apps/kit/training_files.h>

#include <CLI/CLI.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/core/file_name.h>
#include <pliant/layers/train/training_checkpoint.h>

namespace pliant::kit {

CLI::Option* TrainingFiles::add_to(CLI::App& app) {
  CLI::Option* const of_out =
      app.add_option("--out", out, "file of the trained net (safetensors)")->check(some_path());
  app.add_option("--report", report, "write a page into this folder")->check(some_path());
  app.add_option("--log", log, "write figures to this file as they come, a JSON line each")
      ->check(some_path());
  app.add_option("--tensorboard", events, "write event files into this folder")->check(some_path());
  app.add_flag("--resume", resume, "go on with an interrupted training of --out");
  return of_out;
}

std::filesystem::path TrainingFiles::checkpoint() const { return with_suffix(out, ".checkpoint"); }

void TrainingFiles::check(const std::string& json, const std::string& pretrained) const {
  const std::filesystem::path beside = checkpoint();
  require_files_of_their_own({{"the checkpoint beside --out", beside},
                              {"the lock beside --out", with_suffix(out, ".lock")},
                              {"--out", out},
                              {"--log", log},
                              {"--json", json}},
                             {{"--pretrained", pretrained}});
  require_training_checkpoint(beside);
  std::error_code error;
  require(resume || !std::filesystem::exists(beside, error), beside.string(),
          ": holds an interrupted training; add --resume to go on with it, or delete it");
  remove_stale_temporaries(out);
  const AtomicFile proof("--out", out);
}

FileLock TrainingFiles::lock() const {
  return FileLock(with_suffix(out, ".lock"), "--out: another process is training into this file");
}

}  // namespace pliant::kit
