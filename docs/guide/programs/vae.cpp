// A variational autoencoder (Kingma, Welling 2013) of drawn digits, and digits that it makes up.
#include <pliant/pliant.h>

#include <iostream>
using namespace pliant;

struct Vae : Module {
  static constexpr std::int64_t kPixels = 28 * 28, kCode = 16;
  Linear encoder = own("encoder", Linear(kPixels, 200)), mean = own("mean", Linear(200, kCode)),
         log_variance = own("log_variance", Linear(200, kCode));
  Linear decoder = own("decoder", Linear(kCode, 200)), pixels = own("pixels", Linear(200, kPixels));

  Var decode(const Var& code) const { return pixels(relu(decoder(code))); }  // logits

  // The bound, a sum over pixels, mean over images [N 784] in [0, 1].
  Var loss(const Var& images, const Rng& rng) const {
    const Var h = relu(encoder(images)), m = mean(h), v = log_variance(h);
    const Var code = m + exp(v * 0.5) * Var(Tensor::randn(m.shape(), rng));
    const auto n = static_cast<double>(images.dim(0));
    const Var seen =
        binary_cross_entropy_with_logits(decode(code), images, {.reduction = LossReduction::sum});
    const Var prior = sum(square(m) + exp(v) - v - 1) * 0.5;
    return (seen + prior) / n;
  }
};

int main() {
  const Rng rng(1);
  const LabelledImages train = make_digits(2000, rng.fork("train"));
  Vae net;
  net.initialise(rng.fork("net"));
  std::cerr << net.parameter_count() << " parameters\n";
  Adam adam(net.parameters(), {.lr = 2e-3});
  const Batches batches(train, {.size = 50, .shuffle = rng.fork("shuffle")});
  double first = 0, last = 0;
  std::uint64_t step = 0;
  for (std::int64_t epoch = 0; epoch < 5; ++epoch)
    for (const LabelledImages& batch : batches.epoch(epoch)) {
      const Tape tape;
      const Var images = tape.input(batch.images.reshape({batch.size(), Vae::kPixels}));
      const Var loss = net.loss(images, rng.fork("code").fork(step));
      adam.step(tape.gradients(loss));
      (step == 0 ? first : last) = loss.item();
      if (step % 10 == 0) std::cerr << "step " << step << ": loss " << loss.item() << '\n';
      ++step;
    }
  const Var made = sigmoid(net.decode(Tensor::randn({1, Vae::kCode}, rng.fork("made"))));
  write_image("made.png", (made * 255).value().reshape({28, 28, 1}).to(DType::uint8));
  std::cout << std::boolalpha << "the bound fell below a third: " << (last < first / 3) << '\n';
}
