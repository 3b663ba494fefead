// bfloat16: the type, the ops that take it, and nets that train with float32 masters.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <pliant/autograd/ops/convert.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/all_cases.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr DType kNarrow = DType::bfloat16;

Tensor narrow(const Tensor& x) { return x.to(kNarrow); }
Tensor wide(const Tensor& x) { return x.to(DType::float32); }

// The same numbers to both: inputs are rounded to bfloat16 either way.
OpCase rounded_inputs(OpCase c) {
  for (Tensor& input : c.inputs) input = narrow(input);
  return c;
}

}  // namespace

TEST_CASE("bfloat16: rounds to nearest, ties to even, and keeps what is no number") {
  const float step = 1.0F / 128;  // between neighbours from 1 to 2
  const auto rounded = [](float x) { return static_cast<float>(BFloat16(x)); };
  CHECK(rounded(1.0F) == 1.0F);
  CHECK(rounded(1 + 0.49F * step) == 1.0F);
  CHECK(rounded(1 + 0.51F * step) == 1 + step);
  CHECK(rounded(1 + 0.5F * step) == 1.0F);          // tie, even below
  CHECK(rounded(1 + 1.5F * step) == 1 + 2 * step);  // tie, even above
  CHECK(rounded(-1 - 1.5F * step) == -1 - 2 * step);
  CHECK(std::signbit(rounded(-0.0F)));
  CHECK(rounded(std::numeric_limits<float>::max()) == HUGE_VALF);
  CHECK(rounded(-HUGE_VALF) == -HUGE_VALF);
  CHECK(rounded(1e-40F) == doctest::Approx(1e-40).epsilon(0.01));  // subnormal
  for (const std::uint32_t bits : {0x7F800001U, 0x7FFFFFFFU, 0xFFC00000U})
    CHECK(std::isnan(rounded(std::bit_cast<float>(bits))));
}

TEST_CASE("bfloat16: tensors are converted, filled and printed") {
  const Tensor x = Tensor::from<float>({1.0F, -2.5F, 3.14159F, 0.0F}, {2, 2});
  const Tensor y = narrow(x);
  CHECK(y.dtype() == kNarrow);
  CHECK(y.bytes() == 8);
  CHECK(y.to_vector() == std::vector<double>{1.0, -2.5, 3.140625, 0.0});
  CHECK(same_bits(wide(y), Tensor::from<float>({1.0F, -2.5F, 3.140625F, 0.0F}, {2, 2})));
  CHECK(narrow(x.to(DType::float64)).to_vector() == y.to_vector());
  CHECK(y.to(DType::int64).to_vector() == std::vector<double>{1, -2, 3, 0});
  CHECK(Tensor::from<std::int64_t>({7, -300}, {2}).to(kNarrow).to_vector() ==
        std::vector<double>{7, -300});
  CHECK(Tensor::full({3}, 0.1, kNarrow).to_vector().front() == 0.10009765625);
  std::ostringstream out;
  out << y;
  CHECK(out.str() == "bfloat16 [2 2] on cpu:\n[[      1    -2.5]\n [3.14062       0]]");
  CHECK(same_bits(narrow(Tensor::empty({0, 3})), Tensor::empty({0, 3}, kNarrow)));
}

TEST_CASE("mixed precision: every op takes bfloat16, near to float32 of the same inputs") {
  for (const OpCase& any : all_cases()) {
    CAPTURE(any.name);
    const OpCase c = rounded_inputs(any);
    const std::vector<Tensor> narrow_results = run(c, kNarrow, {}),
                              results = run(c, DType::float32, {});
    REQUIRE(narrow_results.size() == results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      CHECK(deviation(results[i], wide(narrow_results[i])) < 0.03);  // of a few roundings
    }
  }
}

TEST_CASE("mixed precision: a convolution rounds once, its sums are float32") {
  const Tensor x = narrow(random({2, 9, 7, 24}, 1)), weight = wide(random({5, 3, 3, 24}, 2));
  const Tensor bias = wide(random({5}, 3)), offset = wide(random({2, 9, 7, 18}, 4, -2.0, 2.0));
  const Tensor mask = wide(random({2, 9, 7, 9}, 5, 0.0, 1.0));
  const ConvOptions conv{.padding = 1};
  const DeformConvOptions deform{.padding = 1};
  const Tensor w = wide(narrow(weight)), b = wide(narrow(bias));
  CHECK(same_bits(conv2d(x, weight, bias, conv).value(),
                  narrow(conv2d(wide(x), w, b, conv).value())));
  CHECK(same_bits(deform_conv2d(x, offset, weight, bias, mask, deform).value(),
                  narrow(deform_conv2d(wide(x), offset, w, b, mask, deform).value())));
  // Offsets and masks of bfloat16 widen; the samples between pixels are not rounded.
  CHECK(same_bits(
      deform_conv2d(x, narrow(offset), weight, bias, narrow(mask), deform).value(),
      narrow(
          deform_conv2d(wide(x), wide(narrow(offset)), w, b, wide(narrow(mask)), deform).value())));
}

TEST_CASE("mixed precision: means are of float32 sums") {
  // 4099 ones: in bfloat16 the sum would stop at 256, and the count is no bfloat16 either.
  const Tensor ones = Tensor::full({1, 4099}, 1, kNarrow);
  CHECK(mean(ones, {1}).value().to_vector().front() == 1);
  CHECK(sum(ones, {1}).value().to_vector().front() == 4096);  // rounded once, to a multiple of 32
  Tape tape;
  const Var x = tape.variable(ones);
  const Gradients gradients = tape.gradients(mean(x));
  CHECK(gradients[x].dtype() == kNarrow);
  CHECK(gradients[x].to_vector().front() == doctest::Approx(1.0 / 4099).epsilon(0.004));
}

TEST_CASE("mixed precision: parameters stay float32 masters, and so do their gradients") {
  struct Net : Module {
    Conv2d stem = own("stem", Conv2d(1, 8, {.padding = 1}));
    BatchNorm2d norm = own("norm", BatchNorm2d(8));
    DeformConv2d deform = own("deform", DeformConv2d(8, 8, {.stride = 2, .padding = 1}));
    GroupNorm groups = own("groups", GroupNorm(2, 8));
    Linear head = own("head", Linear(8, 3));
    Var operator()(const Var& x) const {
      return head(global_avg_pool2d(relu(groups(deform(relu(norm(stem(x))))))));
    }
  } net;
  net.initialise(Rng(1));
  const Tensor images = wide(random({16, 8, 8, 1}, 1, 0.0, 1.0));
  std::vector<std::int64_t> of_image;
  for (std::int64_t i = 0; i < 16; ++i) of_image.push_back(i % 3);
  const Tensor labels = Tensor::from(of_image, {16});
  Adam adam(net.parameters(), {.lr = 0.01});
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    Tape tape;
    const Var logits = net(tape.input(narrow(images)));
    CHECK(logits.dtype() == kNarrow);
    const Var loss = softmax_cross_entropy(logits, labels);
    CHECK(loss.dtype() == DType::float32);
    last = loss.value().item();
    if (step == 0) first = last;
    const Gradients gradients = tape.gradients(loss);
    for (const Parameter& parameter : net.parameters()) {
      CAPTURE(parameter.name());
      CHECK(gradients[parameter].dtype() == DType::float32);
    }
    if (step == 0) {  // against float32, in the largest element
      Tape full({.buffers = Buffers::keep});
      const Gradients exact =
          full.gradients(softmax_cross_entropy(net(full.input(images)), labels));
      for (const Parameter& parameter : net.parameters()) {
        CAPTURE(parameter.name());
        double largest = 1e-3;
        for (const double g : exact[parameter].to_vector())
          largest = std::max(largest, std::abs(g));
        CHECK(max_difference(exact[parameter], gradients[parameter]) < 0.1 * largest);
      }
    }
    adam.step(gradients);
  }
  for (const Parameter& parameter : net.parameters())
    CHECK(parameter.value().dtype() == DType::float32);
  for (const Buffer& buffer : net.buffers()) CHECK(buffer.value().dtype() == DType::float32);
  CHECK(last < 0.5 * first);
}

TEST_CASE("mixed precision: activations that are kept take half the memory") {
  const Conv2d conv(8, 8, {.padding = 1});
  const auto saved = [&](DType dtype) {
    Tape tape;
    const Var x = tape.variable(Tensor::zeros({4, 16, 16, 8}, dtype));
    const Var weight = tape.input(Tensor::zeros({8, 3, 3, 8}));
    const Var y = relu(conv2d(relu(x), weight, {}, {.padding = 1}));
    CHECK(y.dtype() == dtype);
    return tape.saved_bytes();
  };
  CHECK(2 * saved(kNarrow) == saved(DType::float32));
}

TEST_CASE("mixed precision: what does not go together is said") {
  const Tensor x = Tensor::zeros({1, 4, 4, 2}, kNarrow),
               doubles = Tensor::zeros({3, 3, 3, 2}, DType::float64);
  CHECK(contains(error_of([&] { conv2d(x, doubles); }), "conv2d: "));
  CHECK(contains(error_of([&] { x.to(DType::float32) + Var(x); }),
                 "add: a is float32 but b is bfloat16; convert one with to(DType)"));
  const Tensor channels = Tensor::zeros({2}, DType::float64);
  CHECK(contains(error_of([&] { batch_norm2d(x, channels, channels, channels, channels); }),
                 "batch_norm2d: x is bfloat16 but weight is float64, expected float32"));
}
