// A detector of two stages with deformable RoI pooling (Dai et al. 2017): where are the squares?
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Scenes {
  std::vector<Tensor> pictures;  // [64 64 3]
  std::vector<TrueObjects> truth;
};

// One bright square a picture, in noise.
Scenes draw(std::int64_t count, const Rng& rng) {
  Scenes scenes;
  for (std::int64_t i = 0; i < count; ++i) {
    const Rng key = rng.fork(static_cast<std::uint64_t>(i));
    const auto side = static_cast<std::int64_t>(20 + key.below(0, 16)),
               y = static_cast<std::int64_t>(key.below(1, 28)),
               x = static_cast<std::int64_t>(key.below(2, 28));
    const Var square =
        pad(Tensor::full({side, side, 3}, 1.5), {y, x, 0}, {64 - side - y, 64 - side - x, 0});
    const Var noise = Tensor::randn({64, 64, 3}, key.fork("noise"));
    scenes.pictures.push_back((square + noise * 0.3).value());
    const auto at = [](std::int64_t place) { return static_cast<float>(place); };
    scenes.truth.push_back({Tensor::from({at(x), at(y), at(x + side), at(y + side)}, {1, 4}),
                            Tensor::from(std::vector<std::int64_t>{1}, {1})});
  }
  return scenes;
}

int main() {
  const Rng rng(1);
  FasterRCNN net(small_faster_rcnn(2, RoIPooling::deformable));  // background and square
  net.initialise(rng.fork("net"));
  std::cerr << net.parameter_count() << " parameters\n";
  net.set_lr_factor("*.offset.*", 0.1);
  AdamW adam(net.parameters(), {.lr = 1e-3});
  for (std::uint64_t step = 0; step < 60; ++step) {
    const Scenes scenes = draw(4, rng.fork("train").fork(step));
    const PictureBatch batch = batch_pictures(scenes.pictures);
    const Tape tape;
    const Var loss = net.losses({tape.input(batch.images.value()), batch.sizes}, scenes.truth,
                                rng.fork("candidates").fork(step))
                         .sum();
    Gradients gradients = tape.gradients(loss);
    gradients.clip(10);
    adam.step(gradients);
    if (step % 10 == 0) std::cerr << "step " << step << ": loss " << loss.item() << '\n';
  }
  const Scenes test = draw(20, rng.fork("test"));
  const std::vector<ScoredBoxes> found = net(batch_pictures(test.pictures));
  int right = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i].boxes.dim(0) > 0)
      right += box_iou(found[i].boxes.slice(0, 1), test.truth[i].boxes).item() > 0.5;
  std::cout << std::boolalpha << "most squares found: " << (right > 10) << '\n';
}
