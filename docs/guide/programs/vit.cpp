// A vision transformer (Dosovitskiy et al. 2020) on drawn digits.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct ViT : Module {
  static constexpr std::int64_t kPatch = 7, kPatches = 16, kFeatures = 64, kHeads = 4;

  Conv2d patches = own("patches", Conv2d(1, kFeatures, {.kernel = kPatch, .stride = kPatch}));
  Parameter token = own("token", Parameter(Shape{1, 1, kFeatures}), init::normal(0.02));
  Parameter position =
      own("position", Parameter(Shape{1, kPatches + 1, kFeatures}), init::normal(0.02));
  ModuleList<TransformerEncoderLayer> layers;
  LayerNorm norm = own("norm", LayerNorm(kFeatures));
  Linear head = own("head", Linear(kFeatures, 10));

  ViT() : layers(own("layers", make_layers())) {}

  Var operator()(const Var& images) const {  // [N 28 28 1]
    const std::int64_t n = images.dim(0);
    const Var seen = reshape(patches(images), {n, kPatches, kFeatures});
    const Var first = broadcast_to(images.lift(token), {n, 1, kFeatures});
    Var x = concat({first, seen}, 1) + position;
    for (const TransformerEncoderLayer& layer : layers) x = layer(x);
    return head(norm(reshape(slice_axis(x, 1, 0, 1), {n, kFeatures})));
  }

 private:
  static ModuleList<TransformerEncoderLayer> make_layers() {
    ModuleList<TransformerEncoderLayer> all;
    for (int i = 0; i < 3; ++i)
      all.add(TransformerEncoderLayer(kFeatures, kHeads,
                                      {.feed_forward = 2 * kFeatures,
                                       .dropout = 0,
                                       .activation = FeedForward::gelu,
                                       .norm_first = NormFirst::yes}));
    return all;
  }
};

int main() {
  const Rng rng(1);
  const LabelledImages train = make_digits(2000, rng.fork("train"));
  const LabelledImages test = make_digits(500, rng.fork("test"));
  ViT net;
  net.initialise(rng.fork("net"));
  std::cerr << net.parameter_count() << " parameters\n";
  AdamW adam(net.parameters(), {.weight_decay = 0.05});
  for (const char* pattern : {"*bias*", "*norm*", "token", "position"})
    adam.set_weight_decay(pattern, 0);
  const Batches batches(train, {.size = 50, .shuffle = rng.fork("shuffle")});
  const std::int64_t epochs = 4;
  const Schedule lr = one_cycle_lr({.max_lr = 3e-3, .total_steps = epochs * batches.count()});
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch)
    for (const LabelledImages& batch : batches.epoch(epoch)) {
      const Tape tape;
      const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
      adam.set_lr(lr(step));
      Gradients gradients = tape.gradients(loss);
      gradients.clip(1.0);
      adam.step(gradients);
      if (step % 10 == 0) std::cerr << "step " << step << ": loss " << loss.item() << '\n';
      ++step;
    }
  std::cout << std::boolalpha
            << "more than half right: " << (accuracy(net(to_float(test.images)), test.labels) > 0.5)
            << '\n';
}
