// pliant-mnist: trains digit nets and prints the scaled-MNIST table; measures saved nets.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>

#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/experiment.h>
#include <pliant/apps/mnist/report.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-mnist                                the table, about ten minutes on 2 cores
  pliant-mnist --preset quick                 the same in about a minute, on fewer images
  pliant-mnist --deform dcn1 --rows none,bn,offsets --json table.json
  pliant-mnist --data ~/mnist --save nets     keep the trained nets
  pliant-mnist eval --weights nets/dcn2-offsets.safetensors

rows:
  none        the regular net, trained on plain digits, not fine-tuned
  bn          regular, BatchNorm fine-tuned on scaled digits (the control: no deformation)
  all         regular, everything fine-tuned (the other control)
  offsets     deformable, offset and mask heads alone, BatchNorm's statistics frozen too
  offsets+bn  deformable, heads and BatchNorm
  deform-all  deformable, everything)";

// What both commands take.
struct Common {
  std::string data, device = "auto", json;
  int threads = 0;
};

struct Preset {
  std::int64_t epochs, finetune_epochs, batch, train_images;
};

const std::map<std::string, Preset>& presets() {
  static const std::map<std::string, Preset> all = {
      {"quick", {1, 1, 32, 8000}}, {"standard", {3, 2, 64, 0}}, {"full", {10, 20, 32, 0}}};
  return all;
}

void add_common(CLI::App& app, Common& common) {
  app.add_option("--data", common.data,
                 "folder with the four MNIST files (default: PLIANT_DATA, the cache, a download, "
                 "else procedural digits)");
  app.add_option("--device", common.device, "where to compute")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--threads", common.threads, "CPU threads (default: all)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--json", common.json, "write the results to this file too");
}

Device device_from(const std::string& name) {
  if (name == "cpu") return Device::cpu();
  return name == "cuda" ? Device::cuda() : Device::best();
}

// Results go to a temporary file that is then renamed. It is opened at the start, so that a path
// that cannot be written costs no training.
class JsonFile {
 public:
  explicit JsonFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    file_.open(path_ + ".part");
    require(file_.good(), "--json: cannot write ", path_);
  }
  JsonFile(const JsonFile&) = delete;
  JsonFile& operator=(const JsonFile&) = delete;
  ~JsonFile() {
    std::error_code ignored;
    if (file_.is_open()) std::filesystem::remove(path_ + ".part", ignored);
  }
  void write(const nlohmann::ordered_json& json) {
    if (path_.empty()) return;
    file_ << json.dump(2) << '\n';
    file_.close();
    std::error_code error;
    if (!file_.fail()) std::filesystem::rename(path_ + ".part", path_, error);
    require(!file_.fail() && !error, "--json: cannot write ", path_);
  }

 private:
  std::string path_;
  std::ofstream file_;
};

DigitSet load_digits(const Common& common) {
  MnistLookup lookup;
  lookup.directory = common.data;
  lookup.notice = [](const std::string& text) { std::cerr << text << '\n'; };
  DigitSet digits = find_digits(lookup);
  std::cout << "data: " << digits.source << '\n';
  if (digits.synthetic())
    std::cout << "*** These are NOT MNIST but procedural stand-in digits; the figures below do not "
                 "compare with published ones. ***\n";
  return digits;
}

void set_up_threads(const Common& common) {
  set_thread_count(common.threads > 0 ? common.threads
                                      : static_cast<int>(std::thread::hardware_concurrency()));
}

void print_row(const RowResult& row) {
  std::cout << (row.model == "regular" ? "regular" : row.deform) << ", " << row.finetune << ": "
            << percent(row.mnist) << " plain, " << percent(row.scaled) << " scaled, "
            << grouped(row.images_seen) << " images in " << clock_time(row.seconds);
  if (row.seconds > 0)
    std::cout << " (" << static_cast<int>(row.images_per_second()) << " images/s, loader wait "
              << percent(row.wait_seconds / row.seconds) << ")";
  if (row.frozen_tensors > 0)
    std::cout << "; " << row.frozen_tensors << " frozen tensors unchanged, byte for byte";
  std::cout << std::endl;
}

int run_table(const Common& common, ExperimentOptions options) {
  set_up_threads(common);
  options.device = device_from(common.device);
  JsonFile file(common.json);
  const DigitSet digits = load_digits(common);
  std::cout << "preset " << options.preset << ", seed " << options.seed << ", " << options.device
            << ", " << thread_count() << " threads\n";
  const std::vector<RowResult> rows = run_experiment(digits, options, print_row);
  const PublishedWeights published =
      options.validate
          ? PublishedWeights{"not with --validate, which leaves the test set alone", {}}
          : evaluate_published(make_test_sets(digits.test()), options.device);
  std::cout << '\n'
            << (options.validate ? "measured on held-out training images\n" : "")
            << table_of(rows, published, digits.name);
  if (digits.synthetic()) std::cout << "\n*** procedural stand-in digits, NOT MNIST ***\n";

  nlohmann::ordered_json json;
  json["dataset"] = digits.name;
  json["preset"] = options.preset;
  json["seed"] = options.seed;
  json["device"] = options.device.is_cpu() ? "cpu" : "cuda";
  json["threads"] = thread_count();
  json["table"] = nlohmann::ordered_json::array();
  for (const RowResult& row : rows) json["table"].push_back(json_of(row));
  file.write(json);
  return 0;
}

int run_eval(const Common& common, const std::string& weights) {
  set_up_threads(common);
  const Device device = device_from(common.device);
  JsonFile file(common.json);
  DigitNet net = load_digit_net(weights);
  net.to(device);
  const DigitSet digits = load_digits(common);
  const Accuracies accuracies = evaluate(net, make_test_sets(digits.test()), device);
  std::cout << weights << " (" << name_of(net.deform()) << "): " << percent(accuracies.mnist)
            << " plain, " << percent(accuracies.scaled) << " scaled\n";
  file.write({{"mnist", accuracies.mnist}, {"scaled", accuracies.scaled}});
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Trains a four-layer net on MNIST, fine-tunes it and its deformable twin on scaled MNIST, "
      "and "
      "prints the table."};
  app.footer(kExamples);
  app.set_version_flag("--version", "pliant-mnist " PLIANT_VERSION);
  Common common;
  ExperimentOptions options;
  std::string rows = "none,bn,all,offsets,offsets+bn", deform = name_of(options.deform);
  std::int64_t epochs = 0, finetune_epochs = 0, batch = 0, train_images = 0;
  add_common(app, common);
  app.add_option("--preset", options.preset, "quick, standard or full (10 + 20 epochs, batch 32)")
      ->check(CLI::IsMember({"quick", "standard", "full"}))
      ->capture_default_str();
  app.add_option("--rows", rows, "which rows, separated by commas; see below")
      ->capture_default_str();
  app.add_option("--deform", deform, "dcn1, dcn2 (with a mask) or offset-field (per channel)")
      ->check(CLI::IsMember({"dcn1", "dcn2", "offset-field"}))
      ->capture_default_str();
  const auto positive = CLI::Range(std::int64_t{1}, std::int64_t{1} << 40);
  app.add_option("--epochs", epochs, "of the regular net on plain digits")->check(positive);
  app.add_option("--finetune-epochs", finetune_epochs, "of every row on scaled digits")
      ->check(positive);
  app.add_option("--batch", batch, "images a step")->check(positive);
  app.add_option("--lr", options.lr, "peak learning rate on plain digits")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--finetune-lr", options.finetune_lr,
                 "the same in fine-tuning, for every row (default: each row's own, see the README)")
      ->check(CLI::PositiveNumber);
  app.add_option("--train-images", train_images, "use only so many training images")
      ->check(positive);
  app.add_option("--base", options.base,
                 "start from this trained regular net (a file of --save) and do not train one")
      ->check(CLI::ExistingFile);
  app.add_option("--seed", options.seed, "of everything random but the scaled test set")
      ->capture_default_str();
  app.add_option("--save", options.save_to, "keep the trained nets in this folder");
  app.add_flag("--validate", options.validate,
               "measure on 5,000 held-out training images, for making choices");

  Common eval_common;
  std::string weights;
  CLI::App* const eval = app.add_subcommand("eval", "measure a saved net on both test sets");
  add_common(*eval, eval_common);
  eval->add_option("--weights", weights, "a safetensors file: ours, or a released one")->required();

  CLI11_PARSE(app, argc, argv);
  if (eval->parsed()) return run_eval(eval_common, weights);
  const Preset& preset = presets().at(options.preset);
  options.epochs = epochs > 0 ? epochs : preset.epochs;
  options.finetune_epochs = finetune_epochs > 0 ? finetune_epochs : preset.finetune_epochs;
  options.batch = batch > 0 ? batch : preset.batch;
  options.train_images = train_images > 0 ? train_images : preset.train_images;
  options.deform = deform_from(deform);
  options.rows = rows_from(rows);
  return run_table(common, options);
}

}  // namespace
}  // namespace pliant

int main(int argc, char** argv) {
  try {
    return pliant::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "pliant-mnist: " << error.what() << '\n';
    return 1;
  }
}
