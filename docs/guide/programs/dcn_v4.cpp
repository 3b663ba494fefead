// A small DCNv4 net (Xiong et al. 2024) with AdamW, a warm-up, clipping and an average of the
// weights; its training goes on where it was stopped, bit for bit.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

// Norm, DCNv4 and a feed-forward, both beside the way round them.
struct Block : Module {
  LayerNorm norm1, norm2;
  DCNv4 dcn;
  Linear wide, narrow;

  explicit Block(std::int64_t channels)
      : norm1(own("norm1", LayerNorm(channels))),
        norm2(own("norm2", LayerNorm(channels))),
        dcn(own("dcn", DCNv4(channels, {.groups = channels / 16, .depthwise_kernel = 3}))),
        wide(own("wide", Linear(channels, 2 * channels))),
        narrow(own("narrow", Linear(2 * channels, channels))) {}

  Var operator()(const Var& x) const {
    const Var y = x + dcn(norm1(x));
    return y + narrow(gelu(wide(norm2(y))));
  }
};

Sequential make_net() {
  return Sequential(Conv2d(1, 32, {.stride = 2, .padding = 1}), Block(32),
                    Conv2d(32, 64, {.stride = 2, .padding = 1}), Block(64), GlobalAvgPool2d(),
                    Linear(64, 10));
}

// Trains to the end, or to step `stop`, as if the power had gone.
State train(const LabelledImages& digits, std::int64_t stop) {
  const Rng rng(1);
  Sequential net = make_net();
  net.initialise(rng.fork("net"));
  std::cerr << net.parameter_count() << " parameters\n";
  AdamW adam(net.parameters(), {.weight_decay = 0.05});
  MovingAverage average(net, {.decay = 0.98, .warm_up = true});
  const Batches batches(digits, {.size = 32, .shuffle = rng.fork("shuffle")});
  const std::int64_t epochs = 2, steps = epochs * batches.count();
  const Schedule lr = one_cycle_lr({.max_lr = 5e-3, .total_steps = steps});

  const TrainingCheckpoint checkpoint("dcn.checkpoint", {{"lr", "5e-3"}, {"seed", "1"}});
  const TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}, .average = &average};
  TrainingPosition at;
  checkpoint.load(parts, at);
  while (at.step < steps)
    for (const LabelledImages& batch :
         batches.epoch(at.step / batches.count(), at.step % batches.count())) {
      const Tape tape;
      const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
      Gradients gradients = tape.gradients(loss);
      gradients.clip(1.0);
      adam.set_lr(lr(at.step));
      adam.step(gradients);
      average.update();
      if (at.step % 10 == 0) std::cerr << "step " << at.step << ": loss " << loss.item() << '\n';
      if (++at.step % 10 == 0) checkpoint.save(parts, at);
      if (at.step == stop) return net.state();
    }
  checkpoint.remove();
  const AveragedWeights averaged(average);
  return net.state();
}

int main() {
  const LabelledImages digits = make_digits(640, Rng(2).fork("train"));
  const State calm = train(digits, -1);
  train(digits, 25);
  const State resumed = train(digits, -1);
  bool same = true;
  for (std::size_t i = 0; i < calm.size(); ++i)
    same = same && calm[i].second.to_vector() == resumed[i].second.to_vector();
  Sequential net = make_net();
  net.load(calm);
  const LabelledImages test = make_digits(200, Rng(2).fork("test"));
  std::cout << std::boolalpha << "the same bits: " << same << "; more than a third right: "
            << (accuracy(net(to_float(test.images)), test.labels) > 1.0 / 3) << '\n';
}
