// Labelling images that people have.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/classifier.h>
#include <pliant/data/digit_image.h>

namespace pliant::mnist {

struct Prediction {
  int label = 0;
  std::vector<double> probabilities;  // of each class; their sum is 1
  Polarity polarity = Polarity::light_on_dark;

  int runner_up() const;  // the second likeliest
};

// Labels one gray image uint8 [H W 1], brought into MNIST's form first (see digit_image.h). The
// net is on `device` and gives logits [1 classes] for [1 28 28 1], two at least. An Error names
// `name`.
Prediction predict(const Classifier& net, const Tensor& gray, const std::string& name,
                   Device device = {});

// "three.png: 3 (99.87 %), else 8 (0.06 %); dark on light"
std::string line_of(const std::string& file, const Prediction& prediction);
// file, label, probability, runner_up, probabilities, polarity.
nlohmann::ordered_json json_of(const std::string& file, const Prediction& prediction);

struct PredictOptions {
  std::string weights;              // a safetensors file that load_net reads
  std::vector<std::string> images;  // files; "-" is the standard input
  Device device;
};

struct PredictOutcome {
  int status = 0;               // the program's: 1 if any image could not be labelled
  nlohmann::ordered_json json;  // an array, one object an image; {file, error} for a bad one
};

// Labels every image, a line each on `out`; those that cannot be read or show no digit have their
// Error on `errors` instead. Weights that cannot be read are an Error.
PredictOutcome run_predict(const PredictOptions& options, std::ostream& out, std::ostream& errors);

}  // namespace pliant::mnist
