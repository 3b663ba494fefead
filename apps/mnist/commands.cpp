#include <pliant/apps/mnist/commands.h>

#include <iostream>

#include <pliant/apps/mnist/json_text.h>
#include <pliant/core/gpu_options.h>
#include <pliant/core/instruction_set.h>
#include <pliant/core/parallel.h>

namespace pliant {

void CommonOptions::add_to(CLI::App& app) {
  app.add_option("--data", data,
                 "folder with the four MNIST files (default: PLIANT_DATA, the cache, a download, "
                 "else procedural digits)")
      ->check(some_path());
  add_compute_to(app);
}

void CommonOptions::add_compute_to(CLI::App& app) {
  app.add_option("--device", device, "where to compute")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--threads", threads, "CPU threads (default: PLIANT_THREADS, else all)")
      ->transform(whole_number(1, 1024));
  app.add_option("--json", json, "write the results to this file too")->check(some_path());
}

void CommonOptions::add_precision_to(CLI::App& app) {
  app.add_option("--precision", precision,
                 "of training: float32; tf32: products on a GPU's matrix units; bfloat16: "
                 "activations too, with float32 weights, sums and statistics")
      ->check(CLI::IsMember({"float32", "tf32", "bfloat16"}))
      ->capture_default_str();
}

Device CommonOptions::set_up() const {
  if (precision == "tf32") set_gpu_options({.precision = Precision::tf32});
  if (threads > 0) set_thread_count(threads);
  // What is wrong with a variable of the environment is said here, and costs no download.
  static_cast<void>(thread_count());
  static_cast<void>(instruction_set());
  if (device == "cpu") return Device::cpu();
  return device == "cuda" ? Device::cuda() : Device::best();
}

std::vector<NamedFile> CommonOptions::data_files() const {
  const std::string folder = data.empty() ? MnistLookup().environment_directory : data;
  std::vector<NamedFile> files;
  if (!folder.empty())
    for (const std::filesystem::path& path : digit_files(folder)) files.push_back({"--data", path});
  return files;
}

DigitSet CommonOptions::load_digits() const {
  MnistLookup lookup;
  lookup.directory = data;
  lookup.notice = [](const std::string& text) { std::cerr << printable(text) << '\n'; };
  DigitSet digits = find_digits(lookup);
  std::cout << "data: " << printable(digits.source) << '\n';
  if (digits.synthetic())
    std::cout << "*** These are NOT MNIST but procedural stand-in digits; the figures below do not "
                 "compare with published ones. ***\n";
  return digits;
}

namespace {

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  const auto name = [&](const std::filesystem::path& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  return name(a) == name(b);
}

}  // namespace

void require_files_of_their_own(const std::vector<NamedFile>& written,
                                const std::vector<NamedFile>& read) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto require_other = [&](const NamedFile& other) {
      require(written[i].path.empty() || other.path.empty() ||
                  !is_same_file(written[i].path, other.path),
              written[i].option, ": ", written[i].path.string(), " is the file of ", other.option,
              " too and would be written over it; name another");
    };
    for (std::size_t j = 0; j < i; ++j) require_other(written[j]);
    for (const NamedFile& each : read) require_other(each);
  }
}

JsonFile::JsonFile(const std::string& path) {
  if (path.empty()) return;
  remove_stale_temporaries(path);
  file_ = std::make_unique<AtomicFile>("--json", path);
}

void JsonFile::write(const nlohmann::ordered_json& json) {
  if (!file_) return;
  file_->write(dump_json(json, 1) + "\n");
  file_->commit();
}

}  // namespace pliant
