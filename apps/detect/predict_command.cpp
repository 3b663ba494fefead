#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <pliant/apps/detect/commands.h>
#include <pliant/apps/detect/drawing.h>
#include <pliant/apps/detect/judge.h>
#include <pliant/apps/detect/options.h>
#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/predict_files.h>
#include <pliant/data/image_file.h>

namespace pliant::detect {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
examples:
  pliant-detect predict --weights net.safetensors --out found cells.jpg
  pliant-detect predict --weights net.safetensors --out found photos --score 0.5 --json found.json
  cat cells.jpg | pliant-detect predict --weights net.safetensors -)";

struct Options {
  kit::ComputeOptions compute;
  FindOptions find;
  std::string weights, out;
  std::vector<std::string> pictures;
};

// Where each picture is drawn: FOLDER/NAME.png, with a number where a name comes again.
class Places {
 public:
  explicit Places(fs::path folder) : folder_(std::move(folder)) {
    std::error_code error;
    fs::create_directories(folder_, error);
    require(fs::is_directory(folder_, error), "--out: ", folder_.string(),
            ": the folder cannot be made");
  }

  fs::path of(const std::string& file) {
    const std::string name = file == "-" ? "stdin" : fs::path(file).stem().string();
    std::string tried = name;
    for (int number = 2; !taken_.insert(tried).second; ++number)
      tried = name + '-' + std::to_string(number);
    return folder_ / (tried + ".png");
  }

 private:
  fs::path folder_;
  std::set<std::string> taken_;
};

Json json_of(const std::vector<FoundBox>& found, const NetRecipe& recipe) {
  Json list = Json::array();
  for (const FoundBox& box : found)
    list.push_back({{"class", recipe.classes[static_cast<std::size_t>(box.label)]},
                    {"score", box.score},
                    {"box", box.box}});
  return list;
}

std::string line_of(const std::string& file, const std::vector<FoundBox>& found,
                    const NetRecipe& recipe) {
  std::vector<std::int64_t> counts(recipe.classes.size());
  for (const FoundBox& box : found) ++counts[static_cast<std::size_t>(box.label)];
  std::string line = printable(file) + ": ";
  if (found.empty()) return line + "nothing found";
  std::string names;
  for (std::size_t label = 0; label < counts.size(); ++label)
    if (counts[label] > 0)
      names += text_from(names.empty() ? "" : ", ", counts[label], ' ',
                         printable(recipe.classes[label]));
  return line + names;
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  const std::vector<std::string> files = kit::files_of(options.pictures);
  std::vector<kit::NamedFile> read = {{"--weights", options.weights}};
  for (const std::string& file : files)
    if (file != "-") read.push_back({"the picture", file});
  kit::require_files_of_their_own({{"--json", options.compute.json}}, read);
  kit::JsonFile json_file(options.compute.json);
  const LoadedNet loaded = load_net(options.weights, options.find);
  loaded.net->to(device);
  std::unique_ptr<Places> places;
  if (!options.out.empty()) places = std::make_unique<Places>(options.out);
  return kit::predict_files(files, json_file, [&](const std::string& file) {
    const Tensor picture = read_image(file == "-" ? "/dev/stdin" : file, ImageColour::rgb);
    const std::vector<FoundBox> found = find_in(*loaded.net, loaded.recipe, picture, device);
    Json entry = {{"width", picture.dim(1)},
                  {"height", picture.dim(0)},
                  {"found", json_of(found, loaded.recipe)}};
    if (places != nullptr) {
      const fs::path drawn_file = places->of(file);
      kit::require_files_of_their_own({{"--out", drawn_file}}, read);
      write_image(drawn_file, drawn(picture, found, loaded.recipe.classes));
      entry["drawn"] = kit::as_written(drawn_file.string());
    }
    std::cout << line_of(file, found, loaded.recipe) << std::endl;
    return entry;
  });
}

}  // namespace

void add_predict_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const predict = app.add_subcommand("predict", "find objects in pictures");
  predict->footer(kExamples);
  predict->add_option("pictures", options->pictures, "files and folders; - is the standard input")
      ->required();
  predict->add_option("--weights", options->weights, "a file of pliant-detect")->required();
  predict->add_option("--out", options->out, "draw what is found into pictures in this folder")
      ->check(kit::some_path());
  add_find_options(*predict, options->find);
  options->compute.add_to(*predict);
  predict->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::detect
