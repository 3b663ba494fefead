#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/scaled56_experiment.h>
#include <pliant/apps/mnist/scaled56_net.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

Tensor random_images(std::int64_t count, std::int64_t side) {
  return random({count, side, side, 1}, 2, 0.0, 1.0, DType::float32);
}

}  // namespace

TEST_CASE("zoom net: parameters by formula") {
  constexpr std::int64_t convs = std::int64_t{9} * (1 * 32 + 32 * 64 + 64 * 128 + 128 * 256);
  constexpr std::int64_t norms = std::int64_t{2} * (32 + 64 + 128 + 256),
                         classifier = std::int64_t{256} * 10 + 10;
  constexpr std::int64_t regular = convs + norms + classifier;
  static_assert(regular == 390890);
  // A head gives so many channels for each of the nine taps, from nine taps of its input.
  const auto head = [](std::int64_t channels, std::int64_t per_tap) {
    return 9 * per_tap * (9 * channels + 1);
  };
  CHECK(ZoomNet().parameter_count() == regular);
  CHECK(ZoomNet({Deform::dcn1, 4}).parameter_count() == regular + head(128, 2));
  CHECK(ZoomNet({Deform::dcn1, 3}).parameter_count() == regular + head(128, 2) + head(64, 2));
  CHECK(ZoomNet({Deform::dcn2, 4}).parameter_count() == regular + head(128, 3));
  CHECK(ZoomNet({Deform::dcn2, 3}).parameter_count() == regular + head(128, 3) + head(64, 3));
}

TEST_CASE("zoom net: names of kinds and of tensors") {
  std::vector<std::string> names;
  for (const PublishedZoomNet& row : published_zoom_nets()) names.push_back(name_of(row.kind));
  CHECK(names == std::vector<std::string>{"none", "dcn1@conv4", "dcn1@conv3-4", "dcn2@conv4",
                                          "dcn2@conv3-4"});
  ZoomNet net({Deform::dcn2, 4});
  names.clear();
  for (const Parameter& parameter : net.parameters()) names.push_back(parameter.name());
  CHECK(names == std::vector<std::string>{
                     "conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight",
                     "bn2.bias", "conv3.weight", "bn3.weight", "bn3.bias", "conv4.weight",
                     "conv4.offset.weight", "conv4.offset.bias", "conv4.mask.weight",
                     "conv4.mask.bias", "bn4.weight", "bn4.bias", "fc.weight", "fc.bias"});
  CHECK(ZoomNet({Deform::none, 2}).kind() == ZoomNetKind{});
  CHECK_THROWS_WITH_AS(ZoomNet({Deform::dcn1, 5}), doctest::Contains("expected 1 to 4"), Error);
  CHECK_THROWS_WITH_AS(ZoomNet({Deform::offset_field, 3}), doctest::Contains("offset-field"),
                       Error);
}

TEST_CASE("zoom net: every deformable kind starts as the regular net, trained or not") {
  ZoomNet regular;
  regular.initialise(Rng(1));
  const Tensor images = random_images(3, 20);
  for (const PublishedZoomNet& row : published_zoom_nets()) {
    ZoomNet twin(row.kind);
    twin.initialise(Rng(1));  // values go by path, so the tensors that both have are equal
    CHECK(max_difference(regular(images).value(), twin(images).value()) < 1e-5);
    ZoomNet fresh;
    fresh.initialise(Rng(1));
    const Tape one, other;
    CHECK(max_difference(fresh(one.input(images)).value(), twin(other.input(images)).value()) <
          1e-4);
  }
}

TEST_CASE("zoom net: any size of image, normalised pixels, heads that get gradients") {
  ZoomNet net({Deform::dcn2, 3});
  net.initialise(Rng(1));
  CHECK(net(random_images(2, 56)).shape() == Shape{2, 10});
  CHECK(net(random_images(1, 13)).shape() == Shape{1, 10});
  // Pixels at the mean of MNIST are zeros to the net: with its first statistics every layer gives
  // zeros, and the classifier its bias, which is zero.
  const Tensor logits = net(Tensor::full({1, 8, 8, 1}, 0.1307)).value();
  CHECK(max_difference(logits, Tensor::zeros({1, 10})) < 1e-6);

  const Tape tape;
  const Var loss = softmax_cross_entropy(net(tape.input(random_images(4, 24))),
                                         Tensor::from<std::int64_t>({1, 2, 3, 4}, {4}));
  const Gradients gradients = tape.gradients(loss);
  for (const Parameter& parameter : net.parameters()) {
    CAPTURE(parameter.name());
    double largest = 0;
    for (const float value : gradients[parameter].span<float>())
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    CHECK(largest > 0);
    const bool head = contains(parameter.name(), "offset") || contains(parameter.name(), "mask");
    CHECK(parameter.lr_factor() == (head ? ZoomNet::kHeadsLrFactor : 1.0));
  }
}

TEST_CASE("zoom net: a file says what it holds") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "net.safetensors";
  const Tensor images = random_images(2, 16);
  for (const PublishedZoomNet& row : published_zoom_nets()) {
    ZoomNet net(row.kind);
    net.initialise(Rng(7));
    net.save(file, metadata_of(net));
    const ZoomNet back = load_zoom_net(file);
    CHECK(back.kind() == row.kind);
    CHECK(max_difference(net(images).value(), back(images).value()) == 0);
    CHECK(is_zoom_net(read_safetensors(file).metadata));
  }
  DigitNet other;
  other.initialise(Rng(1));
  other.save(file);
  CHECK_THROWS_WITH_AS(load_zoom_net(file), doctest::Contains("not marked as a zoom-net"), Error);
  other.save(file, {{"architecture", "zoom-net"}});
  CHECK_THROWS_WITH_AS(load_zoom_net(file), doctest::Contains("not a zoom-net: "), Error);
}

TEST_CASE("scaled56: the experiment, measured after every epoch, and gone on with") {
  const TemporaryFolder folder;
  const DigitSet digits = few_digits(40, 20);
  ExperimentOptions options;
  options.epochs = 2;
  options.batch = 20;
  options.ledger = {.folder = folder.path() / "run", .checkpoints = true};
  const auto kinds = zoom_nets_from("none,dcn2@conv4");
  const Results results = run_scaled56(digits, kinds, options);
  REQUIRE(results.rows.size() == 2);
  for (const RowResult& row : results.rows) {
    REQUIRE(row.epochs.size() == 2);
    CHECK(row.epochs.back().measured == row.scaled);
    CHECK(row.images_seen == 80);
    CHECK(load_zoom_net(folder.path() / "run" / row.weights).parameter_count() ==
          row.trained_parameters);
  }
  CHECK(results.rows[0].weights == "regular-none-seed1.safetensors");
  CHECK(results.rows[1].weights == "dcn2@conv4-seed1.safetensors");
  CHECK(contains(table_of(results, {}), "97.22 %"));
  CHECK(contains(table_of(results, {}), "dcn2@conv4"));
  options.ledger.resume = true;
  CHECK(json_of(run_scaled56(digits, kinds, options)) == json_of(results));
  CHECK(zoom_nets_from("every").size() == 5);
  CHECK(contains(error_of([] { zoom_nets_from("dcn3"); }), "'dcn3' is none of every, none, dcn1"));
}
