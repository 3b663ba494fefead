// Losses: of classes, of yes and no, of numbers; what a mean is over; one of your own.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

const Tensor kLogits = Tensor::from({2.F, 0.F, -1.F, 0.5F, 1.5F, 0.F}, {2, 3});
const Tensor kLabels = Tensor::from(std::vector<std::int64_t>{0, 2}, {2});

void classes() {
  const Tape tape;
  const Var logits = tape.variable(kLogits);  // what a net gives: no softmax before the loss
  const Var loss = softmax_cross_entropy(logits, kLabels);
  const Gradients gradients = tape.gradients(loss);
  std::cout << "mean over two rows: " << loss.item() << '\n'
            << "its gradient: " << *gradients.find(logits) << '\n';
}

void options() {
  const Tensor rare = Tensor::from({1.F, 1.F, 4.F}, {3});  // class 2 counts four times
  std::cout << softmax_cross_entropy(kLogits, kLabels, {.class_weights = rare}).item() << ' '
            << softmax_cross_entropy(kLogits, kLabels, {.label_smoothing = 0.1}).item() << '\n';
  // A map's pixels are rows like any others; those of label 255 do not count.
  const Tensor map = Tensor::zeros({1, 4, 4, 3});
  Tensor truth = Tensor::full({1, 4, 4}, 255, DType::int64);
  for (std::int64_t& label : truth.mutable_span<std::int64_t>().first(8)) label = 0;
  std::cout << softmax_cross_entropy(map, truth, {.ignore_index = 255}).item() << '\n';
}

void hard_rows() {
  // Each row's own loss: here the worst row alone is trained.
  const Var each = softmax_cross_entropy(kLogits, kLabels, {.reduction = LossReduction::none});
  const Var worst = topk(each, 1, 0).values;
  std::cout << each << '\n' << "the worst: " << mean(worst).item() << '\n';
}

void yes_or_no() {
  const Tensor logits = Tensor::from({3.F, -2.F, 0.F, 1.F}, {2, 2});
  const Tensor tags = Tensor::from({1.F, 0.F, 0.F, 1.F}, {2, 2});  // any number of tags at once
  std::cout << binary_cross_entropy_with_logits(logits, tags, {.positive_weight = 2}).item() << ' '
            << sigmoid_focal_loss(logits, tags).item() << '\n';
}

void areas() {
  const Tensor logits = Tensor::randn({1, 4, 4, 3}, Rng(1));
  const Tensor mask = Tensor::full({1, 4, 4}, 2, DType::uint8);  // a class for every pixel
  std::cout << dice_loss(softmax(logits), one_hot(mask, 3)).shape() << '\n';
}

// A loss is a function of Vars like any other: what it is made of gives its gradient.
Var charbonnier(const Var& prediction, const Var& target, double eps = 1e-3) {
  return mean(sqrt(square(prediction - target) + eps * eps));
}

void own() {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({1.F, 2.F, 4.F}, {3}));
  const Tensor target = Tensor::from({1.F, 1.F, 1.F}, {3});  // a Tensor is a constant
  const Var both = charbonnier(x, target) + 0.1 * mse_loss(x, target);
  const Gradients gradients = tape.gradients(both);
  std::cout << both.item() << ": " << *gradients.find(x) << '\n';
}

int main() {
  classes();
  options();
  hard_rows();
  yes_or_no();
  areas();
  own();
}
