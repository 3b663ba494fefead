// The kernels of every instruction set that there is: the matrix kernels under convolutions that
// use all of them (rows, lines and patches, whole and partial vectors, both dtypes), and one of the
// others.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/instruction_set.h>
#include <pliant/core/random.h>

using namespace pliant;

namespace {

Tensor noise(const Shape& shape, DType dtype, std::uint64_t seed) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.size(); ++i)
    values.push_back(Rng(seed).normal(static_cast<std::uint64_t>(i)));
  return Tensor::from(values, shape).to(dtype);
}

// Sums by the definition, in double.
std::vector<double> by_definition(const Tensor& x, const Tensor& weight, std::int64_t stride,
                                  std::int64_t pad, const Shape& out) {
  const std::vector<double> from = x.to_vector(), filter = weight.to_vector();
  const Shape &in = x.shape(), &w = weight.shape();
  std::vector<double> y;
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q)
        for (std::int64_t k = 0; k < out[3]; ++k) {
          double sum = 0;
          for (std::int64_t r = 0; r < w[1]; ++r)
            for (std::int64_t s = 0; s < w[2]; ++s) {
              const std::int64_t i = p * stride + r - pad, j = q * stride + s - pad;
              if (i < 0 || i >= in[1] || j < 0 || j >= in[2]) continue;
              for (std::int64_t c = 0; c < in[3]; ++c)
                sum += from[static_cast<std::size_t>(((n * in[1] + i) * in[2] + j) * in[3] + c)] *
                       filter[static_cast<std::size_t>(((k * w[1] + r) * w[2] + s) * in[3] + c)];
            }
          y.push_back(sum);
        }
  return y;
}

struct Convolution {
  Shape x, weight;
  std::int64_t stride, pad;
};

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<double> left = a.to_vector(), right = b.to_vector();
  double sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i) sum += left[i] * right[i];
  return sum;
}

void check(const Convolution& conv, DType dtype) {
  const double tolerance = dtype == DType::float32 ? 2e-4 : 1e-11;
  const Tensor x = noise(conv.x, dtype, 1), weight = noise(conv.weight, dtype, 2);
  const Tape tape;
  const Var vx = tape.variable(x), vw = tape.variable(weight);
  const Var y = conv2d(vx, vw, {}, {.stride = conv.stride, .padding = conv.pad});
  const std::vector<double> found = y.value().to_vector(),
                            expected = by_definition(x, weight, conv.stride, conv.pad, y.shape());
  int wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    wrong += std::abs(found[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])) ? 0 : 1;
  CHECK(wrong == 0);
  // Both gradients are the transposes of the same map.
  const Tensor dy = noise(y.shape(), dtype, 3);
  const Gradients gradients = tape.gradients(y, {}, {.cotangent = dy});
  const double scale = dot(y.value(), y.value()) + dot(dy, dy);
  CHECK(std::abs(dot(gradients[vx], x) - dot(dy, y.value())) <= tolerance * scale);
  CHECK(std::abs(dot(gradients[vw], weight) - dot(dy, y.value())) <= tolerance * scale);
}

}  // namespace

TEST_CASE("instruction sets: every one that there is computes convolutions") {
  const InstructionSet before = instruction_set();
  for (const InstructionSet set : available_instruction_sets()) {
    set_instruction_set(set);
    CAPTURE(std::string(name_of(set)));
    for (const DType dtype : {DType::float32, DType::float64})
      for (const Convolution& conv : {Convolution{{2, 7, 9, 20}, {70, 3, 3, 20}, 1, 1},
                                      Convolution{{3, 8, 5, 1}, {33, 3, 3, 1}, 1, 1},
                                      Convolution{{2, 9, 8, 17}, {16, 3, 3, 17}, 2, 1},
                                      Convolution{{1, 6, 6, 130}, {5, 1, 1, 130}, 1, 0},
                                      Convolution{{2, 6, 8, 40}, {48, 3, 3, 40}, 1, 1}})
        check(conv, dtype);
  }
  set_instruction_set(before);
  MESSAGE("tried ", available_instruction_sets().size(), " instruction sets, the widest ",
          std::string(name_of(available_instruction_sets().back())));
}

TEST_CASE("instruction sets: every one computes what is no product, and its own bits again") {
  const InstructionSet before = instruction_set();
  const Tensor x = noise({5, 37}, DType::float32, 4);
  for (const InstructionSet set : available_instruction_sets()) {
    CAPTURE(std::string(name_of(set)));
    set_instruction_set(set);
    CHECK(instruction_set() == set);
    const std::vector<double> from = x.to_vector(), first = exp(Var(x)).value().to_vector();
    set_instruction_set(before);
    set_instruction_set(set);
    CHECK(exp(Var(x)).value().to_vector() == first);
    for (std::size_t i = 0; i < from.size(); ++i)
      CHECK(first[i] == doctest::Approx(std::exp(from[i])).epsilon(1e-6));
  }
  set_instruction_set(before);
}

TEST_CASE("instruction sets: one that there is not is an Error") {
  const std::vector<InstructionSet> sets = available_instruction_sets();
  REQUIRE(!sets.empty());
  for (const InstructionSet set :
       {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512})
    if (std::find(sets.begin(), sets.end(), set) == sets.end()) {
      const std::string text =
          "has no " + std::string(name_of(set)) + "; there is " + name_of(sets.front());
      CHECK_THROWS_WITH_AS(set_instruction_set(set), doctest::Contains(text.c_str()), Error);
    }
}
