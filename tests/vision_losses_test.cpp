#include <pliant/autograd/ops/vision_losses.h>

#include <cmath>
#include <functional>
#include <string>
#include <tuple>

#include <pliant/tests/cases/vision_losses.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("vision losses: gradients, first and second") {
  check(vision_losses_cases());
  check_twice(vision_losses_cases());
}

TEST_CASE("vision losses: of nothing, a mean of nothing") {
  const Tensor maps = Tensor::zeros({0, 2, 3}), boxes = Tensor::zeros({0, 4});
  CHECK(std::isnan(sigmoid_focal_loss(maps, maps).value().item()));
  CHECK(std::isnan(dice_loss(maps, maps).value().item()));
  CHECK(std::isnan(generalized_box_iou_loss(boxes, boxes).value().item()));
}

TEST_CASE("sigmoid_focal_loss: small losses are no rounding errors") {
  for (const double t : {0.0, 1.0})
    for (const double x : {-30.0, -12.0, 12.0, 30.0}) {
      CAPTURE(t);
      CAPTURE(x);
      const double toward = t == 1 ? -x : x;
      const double miss = 1 / (1 + std::exp(-toward));
      const double nll = std::max(toward, 0.0) + std::log1p(std::exp(-std::abs(toward)));
      const double want = (t == 1 ? 0.25 : 0.75) * miss * miss * nll;
      const double got = sigmoid_focal_loss(Tensor::full({1}, x, DType::float32),
                                            Tensor::full({1}, t, DType::float32))
                             .value()
                             .item();
      CHECK(std::abs(got / want - 1) < 1e-5);
    }
}

TEST_CASE("sigmoid_focal_loss: logits of any size have a gradient") {
  for (const double gamma : {0.0, 1.0, 2.0}) {
    const Tape tape;
    const Var x = tape.variable(Tensor::from({-1e30F, 1e30F, 1e30F, -1e30F}, {4}));
    const Tensor t = Tensor::from({1.0F, 0.0F, 1.0F, 0.0F}, {4});
    const Var loss =
        sigmoid_focal_loss(x, t, {.alpha = -1, .gamma = gamma, .reduction = LossReduction::sum});
    CHECK(tape.gradients(loss)[x].to_vector() == std::vector<double>{-1, 1, 0, 0});
  }
}

TEST_CASE("dice_loss: by hand, image by image and class by class") {
  const Tensor p = Tensor::from({1.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0}, {2, 2, 2}),
               t = Tensor::from({1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}, {2, 2, 2});
  const Tensor each = dice_loss(p, t, {.smooth = 0, .reduction = LossReduction::none}).value();
  REQUIRE(each.shape() == Shape{2, 2});
  CHECK(each.to_vector()[0] == 0);
  CHECK(each.to_vector()[1] == doctest::Approx(1 - 2 * 0.5 / (1 + 1)));
  CHECK(std::isnan(each.to_vector()[2]));  // nothing to find, nothing found
  CHECK(each.to_vector()[3] == 1);
  CHECK(dice_loss(p, t, {.reduction = LossReduction::none}).value().to_vector()[2] == 0);
}

TEST_CASE("generalized_box_iou_loss: by hand") {
  const auto loss = [](std::initializer_list<double> a, std::initializer_list<double> b) {
    return generalized_box_iou_loss(Tensor::from(a, {4}), Tensor::from(b, {4}), {.eps = 0})
        .value()
        .item();
  };
  CHECK(loss({0, 0, 2, 2}, {0, 0, 2, 2}) == 0);
  CHECK(loss({0, 0, 2, 2}, {1, 1, 3, 3}) == doctest::Approx(1 - (1.0 / 7 - 2.0 / 9)));
  CHECK(loss({0, 0, 1, 1}, {3, 0, 4, 1}) == doctest::Approx(1 + 2.0 / 4));
  CHECK(loss({0, 0, 4, 4}, {1, 1, 2, 2}) == doctest::Approx(1 - 1.0 / 16));
  // What do not meet are drawn together.
  const Tape tape;
  const Var box = tape.variable(Tensor::from({0.0, 0.0, 1.0, 1.0}, {4}));
  const Tensor slope =
      tape.gradients(generalized_box_iou_loss(box, Tensor::from({3.0, 0.0, 4.0, 1.0}, {4})))[box];
  CHECK(slope.to_vector()[2] < 0);
}

TEST_CASE("vision losses: bad arguments") {
  const Tensor x = random({2, 4}, 1);
  for (const auto& [who, name, loss] : std::vector<
           std::tuple<std::string, std::string, std::function<void(const Var&, const Var&)>>>{
           {"sigmoid_focal_loss", "logits",
            [](const Var&a, const Var&b) { sigmoid_focal_loss(a, b); }},
           {"dice_loss", "probabilities", [](const Var&a, const Var&b) { dice_loss(a, b); }},
           {"generalized_box_iou_loss", "boxes",
            [](const Var&a, const Var&b) { generalized_box_iou_loss(a, b); }}}) {
    const auto error = [&, run = loss](const Var& a, const Var& b) {
      return error_of([&] { run(a, b); });
    };
    CHECK(error(x, random({4, 2}, 1)) ==
          who + ": the " + name + " have shape [2 4] but the targets [4 2]");
    CHECK(error(Var(), x) == who + ": the " + name + " are undefined");
    CHECK(error(x, Var()) == who + ": the targets are undefined");
    CHECK(error(x, Tensor::zeros({2, 4})) ==
          who + ": " + name + " is float64 but targets is float32; convert one with to(DType)");
  }
  CHECK(error_of([&] { sigmoid_focal_loss(x, x, {.alpha = 2}); }) ==
        "sigmoid_focal_loss: alpha is 2, expected 0 to 1, or -1 for none");
  CHECK(error_of([&] { sigmoid_focal_loss(x, x, {.gamma = 0.5}); }) ==
        "sigmoid_focal_loss: gamma is 0.5, expected 0 or at least 1");
  CHECK(error_of([&] { dice_loss(random({3}, 1), random({3}, 1)); }) ==
        "dice_loss: the probabilities have shape [3], expected [N ... C]");
  CHECK(error_of([&] { dice_loss(x, x, {.smooth = -1}); }) ==
        "dice_loss: smooth is -1, expected at least 0");
  CHECK(error_of([&] {
          generalized_box_iou_loss(random({2, 3}, 1), random({2, 3}, 1));
        }) == "generalized_box_iou_loss: the boxes have shape [2 3], expected [... 4]");
  CHECK(error_of([&] { generalized_box_iou_loss(x, x, {.eps = -1}); }) ==
        "generalized_box_iou_loss: eps is -1, expected at least 0");
}
