// The tape: what is recorded on it, and what its gradients are.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

// A gradient by something that is no parameter.
void by_a_variable() {
  const Tape tape;
  const Var x = tape.variable(Tensor::from({1.0, 2.0, 3.0}, {3}));
  const Var loss = sum(square(x));
  const Gradients gradients = tape.gradients(loss);
  std::cout << loss.item() << ", by x: " << gradients[x] << '\n';
}

// A net, a batch, a step.
void a_step() {
  Linear net(4, 2);
  net.initialise(Rng(1));
  Sgd sgd(net.parameters(), {.lr = 0.1});
  const Tensor images = Tensor::randn({8, 4}, Rng(2)), labels = Tensor::randint(0, 2, {8}, Rng(3));
  double before = 0, after = 0;
  for (int step = 0; step < 20; ++step) {
    const Tape tape;                             // records from here on
    const Var logits = net(tape.input(images));  // what begins at the tape is on it
    const Var loss = softmax_cross_entropy(logits, labels);
    sgd.step(tape.gradients(loss));  // no zero_grad: gradients are values
    if (step == 0) before = loss.item();
    after = loss.item();
  }
  std::cout << std::boolalpha << "the loss fell: " << (after < before) << '\n';
  const Var logits = net(images);  // off the tape: inference
  std::cout << "on a tape: " << logits.on_tape() << '\n';
}

// Two batches in one loss, summed from nothing.
void two_batches() {
  Linear net(4, 1);
  net.initialise(Rng(1));
  const Tape tape;
  Var loss;
  for (const std::uint64_t seed : {1u, 2u}) {
    const Var batch = tape.input(Tensor::randn({8, 4}, Rng(seed)));
    loss += mean(square(net(batch))) / 2;
  }
  std::cout << tape.gradients(loss).entries().size() << " gradients\n";
}

// A teacher is a constant, and says so.
void a_teacher() {
  Linear student(4, 2), teacher(4, 2);
  student.initialise(Rng(1));
  teacher.initialise(Rng(2));
  const Tensor images = Tensor::randn({8, 4}, Rng(3));
  const Tape tape;
  const Var wanted = detach(teacher(images));
  const Var loss = mse_loss(student(tape.input(images)), wanted);
  const Gradients gradients = tape.gradients(loss);
  std::cout << std::boolalpha << gradients.contains(student.weight) << ' '
            << gradients.contains(teacher.weight) << '\n';
}

// What is forgotten is said.
void forgotten() {
  Linear net(4, 2);
  net.initialise(Rng(1));
  const Tensor images = Tensor::randn({8, 4}, Rng(2));
  try {
    const Tape tape;
    const Var loss = mean(net(images));  // should have been net(tape.input(images))
    tape.gradients(loss);
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
  }
}

int main() {
  by_a_variable();
  a_step();
  two_batches();
  a_teacher();
  forgotten();
}
