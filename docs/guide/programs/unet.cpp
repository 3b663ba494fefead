// A U-Net (Ronneberger et al. 2015) that finds the disc in a noisy picture, pixel by pixel.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

// Two convolutions, each normalised and rectified.
Sequential block(std::int64_t in, std::int64_t out) {
  return Sequential(Conv2d(in, out, {.padding = 1, .bias = Bias::no}), BatchNorm2d(out), Relu(),
                    Conv2d(out, out, {.padding = 1, .bias = Bias::no}), BatchNorm2d(out), Relu());
}

struct UNet : Module {
  Sequential down1 = own("down1", block(1, 16)), down2 = own("down2", block(16, 32));
  Sequential bottom = own("bottom", block(32, 64));
  ConvTranspose2d wide2 = own("wide2", ConvTranspose2d(64, 32, {.kernel = 2, .stride = 2}));
  Sequential up2 = own("up2", block(64, 32));
  ConvTranspose2d wide1 = own("wide1", ConvTranspose2d(32, 16, {.kernel = 2, .stride = 2}));
  Sequential up1 = own("up1", block(32, 16));
  Conv2d head = own("head", Conv2d(16, 1, {.kernel = 1}));

  Var operator()(const Var& images) const {  // [N H W 1], H and W multiples of 4 -> logits
    const Var x1 = down1(images), x2 = down2(max_pool2d(x1));
    const Var y2 = up2(concat({wide2(bottom(max_pool2d(x2))), x2}, -1));
    return head(up1(concat({wide1(y2), x1}, -1)));
  }
};

struct Scenes {
  Tensor images, masks;  // [N 32 32 1]
};

// Discs somewhere, in noise.
Scenes draw(std::int64_t count, const Rng& rng) {
  constexpr std::int64_t kSide = 32;
  const Shape each = {count, 1, 1, 1};
  const auto line = [&](const Shape& shape) {
    return Tensor::arange(kSide).to(DType::float32).reshape(shape);
  };
  const Var row = line({1, kSide, 1, 1}), column = line({1, 1, kSide, 1});
  const Var r = Tensor::rand(each, rng.fork("row")), c = Tensor::rand(each, rng.fork("column"));
  const Var away = square(row - (r * 16 + 8)) + square(column - (c * 16 + 8));
  const Tensor masks = lt(away, 36.0).to(DType::float32);
  const Var noise = Tensor::randn({count, kSide, kSide, 1}, rng.fork("noise"));
  return {(masks + noise * 0.5).value(), masks};
}

double iou(const UNet& net, const Scenes& scenes) {
  const Var found = gt(net(scenes.images), 0.0).to(DType::float32), there = scenes.masks;
  const Var both = sum(found * there);
  return both.item() / (sum(found) + sum(there) - both).item();
}

int main() {
  const Rng rng(1);
  UNet net;
  net.initialise(rng.fork("net"));
  std::cerr << net.parameter_count() << " parameters\n";
  Adam adam(net.parameters(), {.lr = 3e-3});
  for (std::int64_t step = 0; step < 90; ++step) {
    const Scenes batch = draw(8, rng.fork("train").fork(static_cast<std::uint64_t>(step)));
    const Tape tape;
    const Var logits = net(tape.input(batch.images));
    const Var loss = binary_cross_entropy_with_logits(logits, batch.masks) +
                     dice_loss(sigmoid(logits), batch.masks);
    adam.step(tape.gradients(loss));
    if (step % 10 == 0) std::cerr << "step " << step << ": loss " << loss.item() << '\n';
  }
  std::cout << std::boolalpha << "IoU above 0.8: " << (iou(net, draw(64, rng.fork("test"))) > 0.8)
            << '\n';
}
