#include <pliant/core/sizes.h>

#include <cmath>
#include <sstream>

#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/column_memory.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/memory.h>
#include <pliant/core/step_state.h>
#include <pliant/tests/hostile_sizes.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("sizes: sums, products and conversions are exact or an Error with the numbers") {
  CHECK(checked_sum("a", {1, 2, -3}) == 0);
  CHECK(checked_product("a", {2, -3, 7}) == -42);
  CHECK(checked_product("a", {kMax, kMax, 0}) == 0);
  CHECK(error_of([] {
          checked_sum("a", {kMax, 1});
        }) == "a: 9223372036854775807 + 1 does not fit in 64 bits");
  CHECK(error_of([] {
          checked_product("b", {k62, 2});
        }) == "b: 4611686018427387904 * 2 does not fit in 64 bits");
  CHECK(narrowed<std::int32_t>("c", std::int64_t{-7}) == -7);
  CHECK(error_of([] { narrowed<std::int32_t>("c", k32); }) ==
        "c: 4294967296 does not fit in 32 bits");
  CHECK(error_of([] { narrowed<std::uint8_t>("c", -1); }) == "c: -1 does not fit in 8 bits");
  CHECK(ceil_quotient(7, 2) == 4);
  CHECK(ceil_quotient(kMax, kMax) == 1);
  CHECK(ceil_quotient(0, kMax) == 0);
  require_operations("d", "all", {1 << 20, 1 << 20, 0});
  CHECK(error_of([] {
          require_operations("d", "rows, columns", {1 << 20, 1 << 20, 2});
        }) ==
        "d: 1048576 * 1048576 * 2 (rows, columns) ask for about 2.19902e+12 operations, more than "
        "2^40");
}

TEST_CASE("shape: the product of what is not 0 fits, however it came to be") {
  for (const std::int64_t number : {kMax, k62, std::int64_t{1} << 59}) {
    CHECK(contains(error_of([=] { Shape{number}; }), "too large"));
    CHECK(contains(error_of([=] { Shape{0, number, 2}; }), "too large"));
    CHECK(contains(error_of([=] { Shape{number, 0}; }), "too large"));
    Shape set{2, 3};
    set[1] = number;
    CHECK(contains(error_of([&] { Tensor::empty(set); }), std::to_string(number)));
    CHECK(contains(error_of([&] { zeros({6}).reshape(set); }), std::to_string(number)));
  }
  CHECK(contains(error_of([] { Shape{k32, k32}; }), "shape: [4294967296 4294967296] is too large"));
  CHECK(contains(error_of([] { Shape{2, -1}; }), "shape: extent -1 of [2 -1] is negative"));
  Shape grown{k32};
  CHECK(contains(error_of([&] { grown.push_back(k32); }), "too large"));
  CHECK(grown == Shape{k32});  // as before
  Shape negative{2, 3};
  negative[0] = -2;
  CHECK(contains(error_of([&] { Tensor::empty(negative); }), "extent -2 of [-2 3] is negative"));
  CHECK(contains(error_of([&] {
                   float one = 1;
                   Tensor::wrap(&one, negative);
                 }),
                 "is negative"));
  CHECK(zeros({0, k32, 2}).size() == 0);
  CHECK(zeros({k32, 0}).reshape({0, 5}).shape() == Shape{0, 5});
}

TEST_CASE("tensor: impossible reshapes, slices, memory") {
  const Tensor x = zeros({2, 3});
  CHECK(error_of([&] {
          x.reshape({k62, 4, -1});
        }) == "reshape: 4611686018427387904 * 4 does not fit in 64 bits");
  CHECK(contains(error_of([&] { x.reshape({k32, k32}); }), "4294967296 * 4294967296"));
  CHECK(contains(error_of([&] { x.reshape({-2, -3}); }), "reshape: extent -2 is negative"));
  CHECK(contains(error_of([&] { x.reshape({kMin}); }), "is negative"));
  for (const std::int64_t number : kHostile) {
    if (number > 0) CHECK(contains(error_of([&] { x.slice(0, number); }), std::to_string(number)));
    if (number < 0) CHECK(contains(error_of([&] { x.slice(number, 1); }), std::to_string(number)));
    CHECK(contains(error_of([&] { allocate(number < 0 ? number : kMax, {}); }), "memory: "));
  }
  CHECK(contains(error_of([] { zeros({std::int64_t{1} << 58}); }), "288230376151711744"));
  Workspace workspace(Device::cpu());
  CHECK(error_of([&] { workspace.take<double>(k62); }) ==
        "workspace: 4611686018427387904 * 8 does not fit in 64 bits");
  CHECK(contains(error_of([&] { workspace.take<double>(-1); }), "memory: -8 bytes"));
}

TEST_CASE("tensor: a number that its dtype cannot hold") {
  const double nan = std::nan(""), inf = HUGE_VAL;
  struct Case {
    double value;
    DType dtype;
    const char* range;
  };
  const char* const bytes = "0 to 255";
  const char* const words = "-2147483648 to 2147483647";
  const char* const longs = "-9223372036854775808 to 9223372036854775807";
  for (const Case& c : std::vector<Case>{{300, DType::uint8, bytes},
                                         {256, DType::uint8, bytes},
                                         {-1, DType::uint8, bytes},
                                         {nan, DType::uint8, bytes},
                                         {2147483648.0, DType::int32, words},
                                         {-2147483649.0, DType::int32, words},
                                         {nan, DType::int32, words},
                                         {-inf, DType::int32, words},
                                         {1e20, DType::int64, longs},
                                         {0x1p63, DType::int64, longs},
                                         {-1e19, DType::int64, longs},
                                         {inf, DType::int64, longs}}) {
    CAPTURE(c.value);
    CAPTURE(c.dtype);
    std::ostringstream wanted;
    wanted << c.dtype << " cannot hold ";
    for (const auto& use : std::vector<std::function<void()>>{
             [&] { Tensor::full({1}, c.value, c.dtype); },
             [&] { Tensor::scalar(c.value, c.dtype); },
             [&] { Tensor::zeros({2}, c.dtype).fill(c.value); },
             [&] { Tensor::full({3}, c.value, DType::float64).to(c.dtype); },
             [&] { Tensor::full({3}, c.value, DType::float32).to(c.dtype); },
             [&] { Tensor::full({3}, c.value, DType::bfloat16).to(c.dtype); }}) {
      const std::string message = error_of(use);
      // Rounded to float32 or bfloat16 a number just outside may have become one just inside.
      if (message.empty() && std::abs(c.value) == 2147483649.0) continue;
      CHECK(contains(message, wanted.str()));
      CHECK(contains(message, c.range));
    }
  }
  const auto value = [](double v, DType dtype) { return Tensor::scalar(v, dtype).item(); };
  CHECK(value(255.9, DType::uint8) == 255);
  CHECK(value(-0.9, DType::uint8) == 0);
  CHECK(value(-2147483648.5, DType::int32) == -2147483648.0);
  CHECK(value(-0x1p63, DType::int64) == -0x1p63);
  CHECK(value(0x1p63 - 1024, DType::int64) == 0x1p63 - 1024);
  CHECK(value(1e300, DType::float32) == inf);  // as IEEE 754 rounds
  CHECK(value(-1e39, DType::bfloat16) == -inf);
  CHECK(std::isnan(value(nan, DType::float32)));
  const Tensor whole = Tensor::from<std::int64_t>({-1, 255, 256, k32}, {4});
  CHECK(contains(error_of([&] { whole.to(DType::uint8); }), "uint8 cannot hold -1"));
  CHECK(contains(error_of([&] { whole.slice(1, 4).to(DType::uint8); }), "uint8 cannot hold 256"));
  CHECK(contains(error_of([&] { whole.to(DType::int32); }), "int32 cannot hold 4294967296"));
  CHECK(whole.slice(0, 3).to(DType::int32).to_vector() == std::vector<double>{-1, 255, 256});
  CHECK(whole.to(DType::float32).to_vector().back() == 0x1p32);
}

TEST_CASE("sizes: counts of steps and the columns' memory") {
  const auto steps = [](std::int64_t count) {
    return StepState({}, {.lr = [](std::int64_t) { return 0.1; }, .steps = count, .number = count});
  };
  CHECK(steps(kMostPixels).counter().item() == kMostPixels);
  for (const std::int64_t count : kHostile) CHECK(names(error_of([&] { steps(count); }), count));
  CHECK(cpu::column_rows(kMax) >= 1);
  set_column_memory(kMax);
  CHECK(cpu::column_rows(4) >= 1);
  Tape tape;
  const Var x = tape.variable(random({1, 5, 5, 4}, 1));
  const Var y = deform_conv2d(x, random({1, 3, 3, 18}, 2), random({8, 3, 3, 4}, 3));
  CHECK(tape.gradients(sum(y))[x].shape() == x.shape());
  set_column_memory(0);
}
