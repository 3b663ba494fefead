// What only size and alignment bring out: second turns of the grid, indices beyond 32 bits, arrays
// that begin between the multiples of 16 bytes.
#include <cstdlib>
#include <limits>

#include <pliant/core/gpu_options.h>
#include <pliant/layers/layers.h>
#include <pliant/tests/cases/dcn.h>
#include <pliant/tests/cases/deform_conv2d.h>
#include <pliant/tests/cases/deform_kernel.h>
#include <pliant/tests/cuda_check.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The same values, an element behind the beginning of an allocation.
Tensor crooked(const Tensor& t) {
  const Tensor room = Tensor::empty({t.size() + 1}, t.dtype(), t.device());
  Tensor part = room.slice(1, t.size() + 1).reshape(t.shape());
  part.copy_from(t);
  return part;
}

// The result and the gradients of crooked inputs, by a crooked cotangent.
std::vector<Tensor> run_crooked(const OpCase& c, DType dtype) {
  Tape tape({.buffers = Buffers::keep});
  Vars vars;
  for (const Tensor& input : c.inputs)
    vars.push_back(tape.variable(crooked(input.to(dtype).to(gpu()))));
  const Var y = c.f(vars);
  std::vector<Tensor> results = {y.value().to(Device::cpu())};
  const Tensor cotangent = crooked(random(y.shape(), 99, 0.5, 1.5, y.dtype()).to(gpu()));
  const Gradients gradients = tape.gradients(y, {}, {.cotangent = cotangent});
  for (const Var& var : vars) results.push_back(gradients[var].to(Device::cpu()));
  return results;
}

OpCases cases_of_vectors() {
  OpCases all = {
      {"add", [](const Vars& v) { return v[0] + v[1]; }, {random({9, 16}, 1), random({9, 16}, 2)}},
      {"linear",
       [](const Vars& v) { return linear(v[0], v[1], v[2]); },
       {random({6, 16}, 1), random({8, 16}, 2), random({8}, 3)}}};
  const std::vector<ConvCase> shapes = {
      {"dense", {2, 7, 6, 16}, {8, 3, 3, 16}, {.padding = 1}},
      {"depthwise", {2, 7, 6, 16}, {16, 3, 3, 1}, {.padding = 1, .groups = 16}}};
  for (const OpCases& some : {conv2d_cases(shapes), deform_conv2d_cases(shapes),
                              deform_kernel_cases_on_grids(), dcn_cases()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace

TEST_CASE("cuda: large and crooked, more elements than one turn of the grid takes" *
          doctest::skip(no_device())) {
  constexpr std::int64_t kMany = 20'000'003;  // one turn takes 2^24
  const Tensor many = random({kMany}, 1);
  const Tensor mean = random({8}, 4), var = random({8}, 5, 0.5, 2.0);
  const OpCases cases = {
      {"relu of many", [](const Vars& v) { return relu(v[0]); }, {many}},
      {"mul of many", [](const Vars& v) { return v[0] * v[0]; }, {many}},
      {"sum of many", [](const Vars& v) { return sum(v[0]); }, {many}},
      {"batch_norm2d of many",
       [=](const Vars& v) {
         return batch_norm2d_training(v[0], v[1], v[2], beside(v[0], mean), beside(v[0], var)).y;
       },
       {many.slice(0, 17'600'000).reshape({2, 1100, 1000, 8}), random({8}, 2), random({8}, 3)}}};
  check_cases(cases, {DType::float32});
}

TEST_CASE("cuda: large and crooked, more elements than 32 bits count" *
          doctest::skip(no_device())) {
  constexpr std::int64_t kMany = (std::int64_t{1} << 31) + 257, kSome = 8;
  const std::string lacking =
      error_of([] { Tensor::empty({std::int64_t{16} << 30}, DType::uint8, gpu()); });
  if (!lacking.empty()) {
    MESSAGE("skipped: ", lacking);
    return;
  }
  const auto check = [&](const Tensor& t, double value) {
    REQUIRE(t.size() == kMany);
    for (const std::int64_t begin : {std::int64_t{0}, (std::int64_t{1} << 31) - 4, kMany - kSome})
      CHECK(t.slice(begin, begin + kSome).to_vector() == std::vector<double>(kSome, value));
  };
  check(Tensor::full({kMany}, 7, DType::uint8, gpu()).clone(), 7);
  const Tensor threes = Tensor::full({kMany}, 3, DType::bfloat16, gpu());
  check((Var(threes) + threes).value(), 6);
  CHECK(sum(Var(threes)).value().item() == 3.0 * (std::int64_t{1} << 31));  // rounded
}

TEST_CASE("cuda: large and crooked, arrays that begin anywhere" * doctest::skip(no_device())) {
  for (const ConvPath path : {ConvPath::automatic, ConvPath::columns}) {
    set_gpu_options({.convolution = path});
    for (const OpCase& c : cases_of_vectors())
      for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16})
        guarded(c, dtype, [&] {
          const std::vector<Tensor> straight = run(c, dtype, gpu()), here = run_crooked(c, dtype);
          for (std::size_t i = 0; i < here.size(); ++i)
            CHECK(deviation(straight[i], here[i]) < tolerance(dtype));
        });
  }
  set_gpu_options({});
}

// PLIANT_GPU_POISON is read once, so it is set from without.
TEST_CASE("cuda: large and crooked, memory that nobody has filled is NaN where that is asked for" *
          doctest::skip(no_device() || std::getenv("PLIANT_GPU_POISON") == nullptr)) {
  for (int i = 0; i < 2; ++i) {
    Tensor t = Tensor::empty({1000}, DType::float32, gpu());
    for (const double value : t.to_vector()) CHECK(std::isnan(value));
    t.fill(1);  // and gives it back
  }
}
