// A training with a schedule, clipping, accumulation, an average of the weights, and its accuracy.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

Sequential make_net() {
  return Sequential(Conv2d(1, 16, {.padding = 1, .bias = Bias::no}), BatchNorm2d(16), Relu(),
                    DeformConv2d(16, 32, {.stride = 2, .padding = 1}), Relu(), GlobalAvgPool2d(),
                    Linear(32, 10));
}

double accuracy_on(const Sequential& net, const LabelledImages& set) {
  std::int64_t right = 0;
  for (const LabelledImages& batch : Batches(set, {.size = 250}).epoch(0))
    right += count_right(net(batch.images), batch.labels);
  return static_cast<double>(right) / static_cast<double>(set.size());
}

// Groups with rates and decays of their own, and a warm-up before a cosine.
void groups(const Sequential& net, std::int64_t steps) {
  ParameterGroup body{.lr_factor = 0.1}, head{.weight_decay = 1e-2};
  for (const Parameter& parameter : net.parameters())
    (parameter.name().starts_with("6.") ? head : body).parameters.push_back(parameter);
  Sgd sgd({body, head}, {.lr = 0.1, .momentum = 0.9});
  sgd.set_schedule(sequential_lr({{linear_warmup({.base_lr = 0.1, .warmup_steps = 100}), 100},
                                  {cosine_annealing_lr({.base_lr = 0.1, .t_max = steps - 100})}}));
}

int main() {
  const Rng rng(1);
  const LabelledImages train = make_digits(2000, rng.fork("train"));  // drawn, not MNIST
  const LabelledImages test = make_digits(500, rng.fork("test"));

  Sequential net = make_net();
  net.initialise(rng.fork("net"));
  net.set_lr_factor("*.offset.*", 0.1);  // branches of deformable layers learn more slowly

  groups(net, 1000);
  AdamW adam(net.parameters(), {.weight_decay = 1e-2});
  adam.set_weight_decay("*bias*", 0);
  MovingAverage average(net, {.decay = 0.99, .warm_up = true});
  const Batches batches(train, {.size = 25, .shuffle = rng.fork("shuffle")});
  const std::int64_t epochs = 6, parts = 2;  // two batches a step
  adam.set_schedule(
      one_cycle_lr({.max_lr = 2e-2, .total_steps = epochs * batches.count() / parts}));

  std::int64_t part = 0;
  Gradients sum;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch)
    for (const LabelledImages& batch : batches.epoch(epoch)) {
      const Tape tape;
      const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
      sum += tape.gradients(loss / parts);
      if (++part % parts != 0) continue;
      sum.clip(1.0);
      adam.step(sum);
      sum = {};
      average.update();
    }

  const AveragedWeights averaged(average);  // the net holds the average while this lives
  std::cout << std::boolalpha << adam.steps()
            << " steps; more than 60 % right: " << (accuracy_on(net, test) > 0.6) << '\n';
}
