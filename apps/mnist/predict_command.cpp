#include <CLI/CLI.hpp>
#include <iostream>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/predict.h>

namespace pliant::mnist {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-mnist predict --weights net.safetensors three.png
  pliant-mnist predict --weights nets/dcn2-offsets-seed1.safetensors photos/*.jpg --json labels.json
  ssh camera cat photo.jpg | pliant-mnist predict --weights net.safetensors -

Images (PNG, JPEG, BMP, PGM, PPM) may have any size and be dark on light or light on dark; each is
turned upright as its EXIF orientation says, then brought into MNIST's form: the ink cropped, 20
pixels large, centred by its mass in 28 x 28.)";

struct Options {
  kit::ComputeOptions common;
  std::string weights;
  std::vector<std::string> images;
};

int run(const Options& options) {
  const Device device = options.common.set_up();
  std::vector<kit::NamedFile> read = {{"--weights", options.weights}};
  for (const std::string& image : options.images)
    if (image != "-") read.push_back({"the image", image});
  kit::require_files_of_their_own({{"--json", options.common.json}}, read);
  kit::JsonFile file(options.common.json);
  const PredictOutcome outcome =
      run_predict({options.weights, options.images, device}, std::cout, std::cerr);
  file.write(outcome.json);
  return outcome.status;
}

}  // namespace

void add_predict_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const predict = app.add_subcommand("predict", "label images of single digits");
  predict->footer(kExamples);
  options->common.add_to(*predict);
  predict->add_option("--weights", options->weights, "a trained net (safetensors)")->required();
  predict->add_option("images", options->images, "image files; - is the standard input")
      ->required();
  predict->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::mnist
