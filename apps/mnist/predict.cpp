#include <pliant/apps/mnist/predict.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/mnist/named_nets.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/apps/mnist/training.h>
#include <pliant/data/image_file.h>
#include <pliant/data/transforms.h>

namespace pliant::mnist {
namespace {

using Json = nlohmann::ordered_json;

double probability_of(const Prediction& prediction, int label) {
  return prediction.probabilities[static_cast<std::size_t>(label)];
}

}  // namespace

int Prediction::runner_up() const {
  int best = label == 0 ? 1 : 0;
  for (int other = 0; other < static_cast<int>(probabilities.size()); ++other)
    if (other != label && probability_of(*this, other) > probability_of(*this, best)) best = other;
  return best;
}

Prediction predict(const Classifier& net, const Tensor& gray, const std::string& name,
                   Device device) {
  const DigitImage digit = digit_image(gray, name);
  const Tensor input = to_float(digit.image).reshape({1, 28, 28, 1}).to(device);
  const std::vector<double> logits = net(input).value().to_vector();
  Prediction prediction;
  prediction.polarity = digit.polarity;
  std::vector<double>& shares = prediction.probabilities;
  require(logits.size() >= 2, name, ": the net gives ", logits.size(),
          " logits, expected two or more");
  shares.resize(logits.size());
  require(all_finite(logits), name, ": the net's logits are not numbers");
  const auto most = std::max_element(logits.begin(), logits.end());
  prediction.label = static_cast<int>(most - logits.begin());
  std::transform(logits.begin(), logits.end(), shares.begin(),
                 [&](double logit) { return std::exp(logit - *most); });
  double sum = 0;
  for (const double share : shares) sum += share;
  for (double& share : shares) share /= sum;
  return prediction;
}

std::string line_of(const std::string& file, const Prediction& prediction) {
  const int second = prediction.runner_up();
  return printable(file) + ": " + std::to_string(prediction.label) + " (" +
         kit::percent(probability_of(prediction, prediction.label)) + "), else " +
         std::to_string(second) + " (" + kit::percent(probability_of(prediction, second)) + "); " +
         name_of(prediction.polarity);
}

Json json_of(const std::string& file, const Prediction& prediction) {
  return {{"file", kit::as_written(file)},
          {"label", prediction.label},
          {"probability", probability_of(prediction, prediction.label)},
          {"runner_up", prediction.runner_up()},
          {"probabilities", prediction.probabilities},
          {"polarity", name_of(prediction.polarity)}};
}

PredictOutcome run_predict(const PredictOptions& options, std::ostream& out, std::ostream& errors) {
  const LoadedNet loaded = load_net(options.weights);
  const Classifier& net = *loaded.net;
  loaded.net->to(options.device);
  PredictOutcome outcome{0, Json::array()};
  for (const std::string& file : options.images) {
    try {
      const Tensor gray = read_image(file == "-" ? "/dev/stdin" : file);
      const Prediction prediction = predict(net, gray, file, options.device);
      out << line_of(file, prediction) << std::endl;
      outcome.json.push_back(json_of(file, prediction));
    } catch (const Error& error) {
      errors << error.what() << std::endl;
      outcome.json.push_back(
          {{"file", kit::as_written(file)}, {"error", kit::as_written(error.what())}});
      outcome.status = 1;
    }
  }
  return outcome;
}

}  // namespace pliant::mnist
