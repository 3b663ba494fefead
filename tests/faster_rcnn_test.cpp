#include <pliant/layers/nets/faster_rcnn.h>

#include <algorithm>
#include <array>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/layers/train/sgd.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// ResNet-50 and 101.
const std::vector<int> k50 = {3, 4, 6, 3}, k101 = {3, 4, 23, 3};

std::int64_t count(const FasterRCNNOptions& options) {
  return FasterRCNN(options).parameter_count();
}

// Of the parameters below a path.
std::int64_t count_in(const FasterRCNN& net, const std::string& path) {
  std::int64_t all = 0;
  for (const Parameter& parameter : net.parameters())
    if (parameter.name().starts_with(path)) all += parameter.shape().size();
  return all;
}

FasterRCNNOptions tiny(RoIPooling pooling = RoIPooling::align, bool deformable = false) {
  FasterRCNNOptions options = small_faster_rcnn(3, pooling, deformable);
  options.blocks = {1, 1, 1};
  options.trunk.width = 8;
  options.rpn.hidden = 16;
  options.head.hidden = 16;
  return options;
}

PictureBatch pictures() {
  return batch_pictures({random({48, 64, 3}, 1, -1, 1, DType::float32),
                         random({40, 50, 3}, 2, -1, 1, DType::float32)},
                        16);
}

std::vector<TrueObjects> truth() {
  return {{Tensor::from<float>({4, 6, 30, 40, 20, 10, 60, 44}, {2, 4}),
           Tensor::from<std::int64_t>({1, 2}, {2})},
          {Tensor::zeros({0, 4}), Tensor::zeros({0}, DType::int64)}};
}

constexpr std::array kPoolings = {RoIPooling::align, RoIPooling::fixed, RoIPooling::deformable};

}  // namespace

TEST_CASE("FasterRCNN: parameter counts of the published forms") {
  CHECK(count(faster_rcnn_c4(k50)) == 28'469'983);
  CHECK(count(faster_rcnn_c4(k101)) == 47'462'111);
  CHECK(count(faster_rcnn_resnet50_fpn()) == 41'755'286 + 53'120);  // and BatchNorm's
  const FasterRCNN net(faster_rcnn_dilated(k50, RoIPooling::deformable, true));
  CHECK(count_in(net, "roi_heads.reduce.") == 524'544);
  CHECK(count_in(net, "roi_heads.box_roi_pool.") == 1'229'410);
  CHECK(count_in(net, "roi_heads.box_head.fc6.") == 12'846'080);
  CHECK(count_in(net, "roi_heads.box_head.fc7.") == 1'049'600);
  CHECK(count_in(net, "rpn.") == 4'719'104 + 9'234 + 18'468);
  // Offsets of 4 groups: 72 channels from 512, of three blocks.
  CHECK(count_in(net, "backbone.") == 23'508'032 + 3 * (72 * 9 * 512 + 72));
  CHECK(count(faster_rcnn_dilated(k50, RoIPooling::fixed, false)) ==
        net.parameter_count() - 1'229'410 - 3 * (72 * 9 * 512 + 72));
}

TEST_CASE("FasterRCNN: the five small heads, counted") {
  const std::int64_t plain = count(small_faster_rcnn(4));
  CHECK(plain == 2'531'312);
  CHECK(count(small_faster_rcnn(4, RoIPooling::fixed)) == plain);
  const std::int64_t branch = 7 * 7 * 128 * 98 + 98,
                     stage = 3 * (128 * 9 * 18 + 18) + 64 * 9 * 18 + 18;
  CHECK(count(small_faster_rcnn(4, RoIPooling::align, true)) == plain + stage);
  CHECK(count(small_faster_rcnn(4, RoIPooling::deformable)) == plain + branch);
  CHECK(count(small_faster_rcnn(4, RoIPooling::deformable, true)) == plain + branch + stage);
}

TEST_CASE("FasterRCNN: a gradient reaches every parameter, of every head and of a pyramid") {
  std::vector<FasterRCNNOptions> all;
  for (const RoIPooling pooling : kPoolings)
    for (const bool deformable : {false, true}) all.push_back(tiny(pooling, deformable));
  all.push_back(small_faster_rcnn_fpn(3));
  all.back().blocks = {1, 1, 1, 1};
  all.back().trunk.width = 8;
  for (const FasterRCNNOptions& options : all) {
    FasterRCNN net(options);
    net.initialise(Rng(1));
    const PictureBatch batch = pictures();
    const Tape tape;
    const DetectorLosses losses =
        net.losses({tape.input(batch.images.value()), batch.sizes}, truth(), Rng(2));
    for (const Var& loss : {losses.objectness, losses.rpn_box, losses.classifier, losses.box})
      CHECK((loss.item() > 0 && std::isfinite(loss.item())));
    const Gradients gradients = tape.gradients(losses.sum());
    for (const Parameter& parameter : net.parameters()) {
      CAPTURE(parameter.name());
      const std::vector<double> values = gradients[parameter].to_vector();
      CHECK(std::any_of(values.begin(), values.end(), [](double v) { return v != 0; }));
    }
  }
}

TEST_CASE("FasterRCNN: deformable heads begin as those whose bins stay") {
  for (const bool deformable : {false, true}) {
    FasterRCNN fixed(tiny(RoIPooling::fixed)), moved(tiny(RoIPooling::deformable, deformable));
    fixed.initialise(Rng(1));
    moved.initialise(Rng(1));
    const PictureBatch batch = pictures();
    const auto a = fixed(batch), b = moved(batch);
    REQUIRE(a.size() == 2);
    for (std::size_t i = 0; i < a.size(); ++i) {
      REQUIRE(a[i].boxes.shape() == b[i].boxes.shape());
      CHECK(max_difference(a[i].boxes, b[i].boxes) < 1e-3);
    }
    const Var trans = moved.trans(batch, {truth()[0].boxes, Tensor::zeros({0, 4})});
    CHECK(trans.shape() == Shape{2, 7, 7, 2});
    CHECK_FALSE(fixed.trans(batch, {truth()[0].boxes, Tensor::zeros({0, 4})}).defined());
  }
}

TEST_CASE("FasterRCNN: candidates are a pure function of the key") {
  FasterRCNN net(tiny());
  net.initialise(Rng(1));
  const PictureBatch batch = pictures();
  const auto loss = [&](std::uint64_t key) {
    const Tape tape({.buffers = Buffers::keep});
    return net.losses({tape.input(batch.images.value()), batch.sizes}, truth(), Rng(key))
        .sum()
        .item();
  };
  CHECK(loss(3) == loss(3));
  CHECK(loss(3) != loss(4));
}

TEST_CASE("FasterRCNN: learns to find what it is shown") {
  FasterRCNN net(tiny());
  net.initialise(Rng(1));
  const PictureBatch batch = pictures();
  Sgd sgd(net.parameters(), {.lr = 0.02, .momentum = 0.9});
  double first = 0, last = 0;
  for (std::uint64_t step = 0; step < 60; ++step) {
    const Tape tape;
    const Var loss =
        net.losses({tape.input(batch.images.value()), batch.sizes}, truth(), Rng(step)).sum();
    (step == 0 ? first : last) = loss.item();
    sgd.step(tape.gradients(loss));
  }
  CHECK(last < 0.5 * first);
}

TEST_CASE("FasterRCNN: pictures of several sizes as a batch") {
  const PictureBatch batch =
      batch_pictures({Tensor::full({3, 5, 1}, 2), Tensor::full({33, 4, 1}, 3)}, 32);
  CHECK(batch.images.shape() == Shape{2, 64, 32, 1});
  CHECK((batch.sizes[0].h == 3 && batch.sizes[0].w == 5 && batch.sizes[1].h == 33));
  const std::vector<double> values = batch.images.value().to_vector();
  CHECK(values[4] == 2);
  CHECK(values[5] == 0);
  CHECK(std::count(values.begin(), values.end(), 0.0) == 2 * 64 * 32 - 15 - 132);
  CHECK(contains(error_of([&] { batch_pictures({}); }), "0 pictures"));
}

TEST_CASE("FasterRCNN: what does not fit is an Error of one line") {
  FasterRCNN net(tiny());
  net.initialise(Rng(1));
  CHECK(contains(error_of([&] { net.losses(pictures(), {}, Rng(1)); }),
                 "objects of 0 pictures, the batch has 2"));
  FasterRCNNOptions few;
  few.head.classes = 1;
  CHECK(contains(error_of([&] { FasterRCNN{few}; }), "1 classes"));
  FasterRCNNOptions pyramid;
  pyramid.head.pooling = RoIPooling::fixed;
  CHECK(contains(error_of([&] { FasterRCNN{pyramid}; }), "reads one map, there are 4"));
  pyramid = {.head = {}};
  CHECK(contains(error_of([&] { FasterRCNN{pyramid}; }), "1 scales of 4 maps"));
}
