#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/nets.h>
#include <pliant/apps/mnist/predict.h>
#include <pliant/apps/mnist/training.h>
#include <pliant/data/digits.h>
#include <pliant/data/transforms.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

// Counts which tenth of the rows has the most light: a net whose answer is known.
class Rows : public Classifier {
 public:
  Var operator()(const Var& images) const override {
    seen_ = images.value();
    return Tensor::from<float>({0, 1, 2, 3, 4, 9, 6, 7, 8, 5}, {1, 10});
  }
  const Tensor& seen() const { return seen_; }

 private:
  mutable Tensor seen_;
};

// The digit in binary PGM; dark on light if `inverted`.
Bytes pgm(const Tensor& image, bool inverted) {
  const std::string header = "P5 28 28 255\n";
  Bytes bytes(header.begin(), header.end());
  for (const std::uint8_t v : image.span<std::uint8_t>())
    bytes.push_back(inverted ? static_cast<std::uint8_t>(255 - v) : v);
  return bytes;
}

}  // namespace

TEST_CASE("predict: softmax of the logits, for the image in MNIST's form") {
  const Tensor image = make_digits(1, Rng(4)).images.reshape({28, 28, 1});
  const Rows net;
  const Prediction prediction = predict(net, image, "digit");
  CHECK(prediction.label == 5);
  CHECK(prediction.runner_up() == 8);
  CHECK(prediction.probabilities[5] / prediction.probabilities[8] == doctest::Approx(std::exp(1)));
  double sum = 0;
  for (const double p : prediction.probabilities) sum += p;
  CHECK(sum == doctest::Approx(1));
  CHECK(max_difference(net.seen().reshape({28, 28, 1}),
                       to_float(digit_image(image, "digit").image)) == 0);
}

TEST_CASE("predict: logits that are not numbers are no answer") {
  class Nothing : public Classifier {
   public:
    Var operator()(const Var& images) const override {
      return Tensor::full({images.shape()[0], 10}, std::nan(""), DType::float32);
    }
  };
  const LabelledImages digits = make_digits(2, Rng(4));
  const Tensor image = digits.images.slice(0, 1).reshape({28, 28, 1});
  CHECK(error_of([&] { predict(Nothing(), image, "digit"); }) ==
        "digit: the net's logits are not numbers");
  CHECK(error_of([&] { confusion(Nothing(), digits, {}); }) == "the net's logits are not numbers");
}

TEST_CASE("predict: the line and the JSON of an image") {
  Prediction prediction;
  prediction.label = 3;
  prediction.probabilities = {0, 0, 0, 0.75, 0, 0, 0, 0, 0.25, 0};
  prediction.polarity = Polarity::dark_on_light;
  CHECK(line_of("a.png", prediction) == "a.png: 3 (75.00 %), else 8 (25.00 %); dark on light");
  CHECK(line_of("a\x1B[2J\xFF\n.png", prediction) ==
        "a?[2J??.png: 3 (75.00 %), else 8 (25.00 %); dark on light");
  const auto json = json_of("a\x1B\xFF.png", prediction);  // a name that is no UTF-8
  CHECK(json.dump().find("a\\u001b\xEF\xBF\xBD.png") != std::string::npos);
  CHECK_NOTHROW(json.dump());
  CHECK(json["label"] == 3);
  CHECK(json["runner_up"] == 8);
  CHECK(json["probabilities"][8] == 0.25);
  CHECK(json["polarity"] == "dark on light");
}

TEST_CASE("predict: a bad file among good ones is told on the side") {
  const TemporaryFolder folder;
  DigitNet net;
  net.initialise(Rng(1));
  const std::string weights = folder.path() / "net.safetensors";
  write_safetensors(weights, {net.state(), {}});
  const Tensor image =
      digit_image(make_digits(1, Rng(4)).images.reshape({28, 28, 1}), "digit").image;
  const std::string light = folder.write("light.pgm", pgm(image, false));
  const std::string dark = folder.write("dark.pgm", pgm(image, true));
  const std::string bad = folder.write("bad.png", {1, 2, 3});
  std::ostringstream out, errors;
  const PredictOutcome outcome = run_predict({weights, {light, bad, dark}, {}}, out, errors);
  CHECK(outcome.status == 1);
  REQUIRE(outcome.json.size() == 3);
  CHECK(outcome.json[0]["polarity"] == "light on dark");
  CHECK(outcome.json[2]["polarity"] == "dark on light");
  CHECK(outcome.json[0]["label"] == outcome.json[2]["label"]);
  CHECK(contains(outcome.json[1]["error"], "bad.png: not an image"));
  CHECK(contains(errors.str(), "bad.png: not an image"));
  CHECK(contains(out.str(), "light.pgm: "));
  CHECK(contains(out.str(), "dark.pgm: "));
  CHECK_FALSE(contains(out.str(), "bad.png"));
  CHECK(run_predict({weights, {dark}, {}}, out, errors).status == 0);
  CHECK(contains(error_of([&] { run_predict({bad, {dark}, {}}, out, errors); }), "bad.png"));
}
