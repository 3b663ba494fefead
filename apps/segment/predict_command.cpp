#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/predict_files.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/segment/commands.h>
#include <pliant/apps/segment/overlay.h>
#include <pliant/apps/segment/view_options.h>

namespace pliant::segment {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
For PICTURE.jpg there are, in the folder of --out, PICTURE.overlay.png (the classes' colours over
the picture), PICTURE.palette.png (labels, with these colours as their palette) and, if asked for,
PICTURE.index.png (labels as grays).

examples:
  pliant-segment predict --weights net.safetensors --out labelled street.jpg
  pliant-segment predict --weights net.safetensors --out labelled photos --flip --scales 0.75,1,1.25
  pliant-segment predict --weights net.safetensors --out labels photos --write index)";

struct Options {
  kit::ComputeOptions compute;
  ViewOptions view;
  std::string weights, out, write = "overlay,palette";
  std::vector<std::string> pictures;
};

struct Written {
  bool overlay = false, palette = false, index = false;
};

Written written_of(const std::string& text) {
  Written all;
  for (const std::string& item : kit::items_of("--write", text)) {
    require(item == "overlay" || item == "palette" || item == "index", "--write: '", item,
            "' is none of overlay, palette and index");
    (item == "overlay" ? all.overlay : item == "palette" ? all.palette : all.index) = true;
  }
  return all;
}

fs::path named(const Options& options, const std::string& file, const char* what) {
  return fs::path(options.out) / (fs::path(file).stem().string() + '.' + what + ".png");
}

// Two pictures of one name would be written over one another.
void require_names_of_their_own(const std::vector<std::string>& files) {
  std::map<std::string, std::string> seen;
  for (const std::string& file : files) {
    const auto [at, is_new] = seen.emplace(fs::path(file).stem().string(), file);
    require(is_new, at->second, " and ", file, ": have one name, and so would what is written");
  }
}

// The shares of the pixels that classes have.
std::vector<double> shares_of(const Tensor& labels, std::size_t classes) {
  std::vector<double> shares(classes);
  for (const std::uint8_t label : labels.span<std::uint8_t>())
    shares[label] += 1 / static_cast<double>(labels.size());
  return shares;
}

std::string line_of(const std::string& file, const std::vector<double>& shares,
                    const NetRecipe& recipe) {
  constexpr std::size_t kNamed = 4;
  std::vector<std::size_t> order(shares.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return shares[a] > shares[b]; });
  std::string line = printable(file) + ":";
  for (std::size_t i = 0; i < std::min(kNamed, order.size()) && shares[order[i]] > 0; ++i)
    line += (i == 0 ? " " : ", ") + printable(recipe.classes[order[i]]) + ' ' +
            kit::percent(shares[order[i]]);
  return line;
}

Json predicted(const std::string& file, const LoadedNet& loaded, const Options& options,
               const InferenceOptions& inference, const Written& written) {
  const NetRecipe& recipe = loaded.recipe;
  const Tensor picture = read_image(file, ImageColour::rgb);
  const Tensor labels = guesses_of(probabilities_of(*loaded.net, recipe, picture, inference));
  if (written.overlay)
    write_image(named(options, file, "overlay"), overlay(picture, labels, recipe.colours));
  if (written.palette) write_mask(named(options, file, "palette"), labels, recipe.colours);
  if (written.index)
    write_image(named(options, file, "index"),
                labels.reshape({labels.dim(0), labels.dim(1), std::int64_t{1}}));
  const std::vector<double> shares = shares_of(labels, recipe.classes.size());
  std::cout << line_of(file, shares, recipe) << std::endl;
  Json of = Json::array();
  for (std::size_t label = 0; label < shares.size(); ++label)
    of.push_back({{"class", recipe.classes[label]}, {"share", shares[label]}});
  return {{"classes", of}};
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  const InferenceOptions inference = options.view.inference(device);
  const Written written = written_of(options.write);
  const std::vector<std::string> files = kit::files_of(options.pictures);
  require_names_of_their_own(files);
  std::vector<kit::NamedFile> read = {{"--weights", options.weights}};
  for (const std::string& file : files) read.push_back({"the picture", file});
  kit::require_files_of_their_own({{"--json", options.compute.json}}, read);
  kit::JsonFile json_file(options.compute.json);
  std::error_code error;
  fs::create_directories(options.out, error);
  require(!error, "--out: cannot make the folder ", options.out, ": ", reason_of(error.value()));
  const LoadedNet loaded = load_net(options.weights);
  loaded.net->to(device);
  return kit::predict_files(files, json_file, [&](const std::string& file) {
    return predicted(file, loaded, options, inference, written);
  });
}

}  // namespace

void add_predict_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const predict = app.add_subcommand("predict", "label the pixels of pictures");
  predict->footer(kExamples);
  predict->add_option("pictures", options->pictures, "files and folders")->required();
  predict->add_option("--weights", options->weights, "a file of pliant-segment")->required();
  predict->add_option("--out", options->out, "folder for what is written")
      ->check(kit::some_path())
      ->required();
  predict->add_option("--write", options->write, "of overlay, palette and index")
      ->check(kit::some_items())
      ->capture_default_str();
  options->view.add_to(*predict);
  options->compute.add_to(*predict);
  predict->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::segment
