#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/predict_files.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/train/commands.h>
#include <pliant/apps/train/judge.h>
#include <pliant/data/image_file.h>

namespace pliant::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
examples:
  pliant-train predict --weights net.safetensors cat.jpg dog.jpg
  pliant-train predict --weights net.safetensors photos --top 3 --csv > labels.csv
  curl -s https://example.org/photo.jpg | pliant-train predict --weights net.safetensors -)";

struct Options {
  kit::ComputeOptions compute;
  std::string weights;
  std::vector<std::string> pictures;
  std::int64_t top = 1;
  bool csv = false;
};

// A field as RFC 4180 has it.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string line_of(const std::string& file, const std::vector<Guess>& guesses,
                    const NetRecipe& recipe, bool csv) {
  const auto name = [&](const Guess& guess) {
    return recipe.classes[static_cast<std::size_t>(guess.label)];
  };
  std::string line = csv ? csv_field(file) : printable(file) + ":";
  for (const Guess& guess : guesses)
    line += csv ? ',' + csv_field(name(guess)) + ',' + fixed(guess.probability, 6)
                : ' ' + printable(name(guess)) + " (" + kit::percent(guess.probability) + ')';
  return line;
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  std::vector<kit::NamedFile> read = {{"--weights", options.weights}};
  for (const std::string& picture : options.pictures)
    if (picture != "-") read.push_back({"the picture", picture});
  kit::require_files_of_their_own({{"--json", options.compute.json}}, read);
  kit::JsonFile json_file(options.compute.json);
  const LoadedNet loaded = load_net(options.weights);
  loaded.net->to(device);
  return kit::predict_files(
      kit::files_of(options.pictures), json_file, [&](const std::string& file) -> Json {
        const Tensor picture =
            read_image(file == "-" ? "/dev/stdin" : file,
                       loaded.recipe.channels == 1 ? ImageColour::gray : ImageColour::rgb);
        const Tensor input = net_input(picture, loaded.recipe);
        const Shape& shape = input.shape();
        const Tensor logits =
            (*loaded.net)(input.reshape({1, shape[0], shape[1], shape[2]}).to(device)).value();
        const std::vector<Guess> guesses = guesses_of(logits, options.top).front();
        std::cout << line_of(file, guesses, loaded.recipe, options.csv) << std::endl;
        Json list = Json::array();
        for (const Guess& guess : guesses)
          list.push_back({{"class", loaded.recipe.classes[static_cast<std::size_t>(guess.label)]},
                          {"probability", guess.probability}});
        return {{"guesses", list}};
      });
}

}  // namespace

void add_predict_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const predict = app.add_subcommand("predict", "label pictures");
  predict->footer(kExamples);
  predict->add_option("pictures", options->pictures, "files and folders; - is the standard input")
      ->required();
  predict->add_option("--weights", options->weights, "a file of pliant-train")->required();
  predict->add_option("--top", options->top, "so many classes, the surest first")
      ->transform(kit::whole_number(1, 65536))
      ->capture_default_str();
  predict->add_flag("--csv", options->csv, "file,class,probability,.. for other programs");
  options->compute.add_to(*predict);
  predict->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::train
