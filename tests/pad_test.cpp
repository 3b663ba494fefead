#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/cases/pad.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Values = std::vector<double>;
using Sides = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("pad: what stands beyond the ends") {
  const Tensor x = Tensor::from({1.0, 2.0, 3.0, 4.0}, {4});
  const auto values = [&](std::int64_t before, std::int64_t after, auto rule) {
    return pad(x, {before}, {after}, rule).value().to_vector();
  };
  CHECK(values(3, 2, PadMode::reflect) == Values{4, 3, 2, 1, 2, 3, 4, 3, 2});
  CHECK(values(2, 2, PadMode::replicate) == Values{1, 1, 1, 2, 3, 4, 4, 4});
  CHECK(values(4, 1, PadMode::circular) == Values{1, 2, 3, 4, 1, 2, 3, 4, 1});
  CHECK(values(-1, 2, PadMode::reflect) == Values{2, 3, 4, 3, 2});
  CHECK(values(1, -3, PadMode::circular) == Values{4, 1});
  CHECK(values(-1, -1, PadMode::replicate) == Values{2, 3});
  CHECK(values(0, 0, PadMode::reflect) == x.to_vector());
  CHECK(values(-1, 1, 9.0) == Values{2, 3, 4, 9});
  CHECK(values(-2, -2, 9.0).empty());
  CHECK(values(-4, 2, 9.0) == Values{9, 9});
  CHECK(pad(Tensor::from({5.0}, {1}), {3}, {0}, PadMode::replicate).value().to_vector() ==
        Values{5, 5, 5, 5});
}

TEST_CASE("pad: gradients, first and second, threads") {
  for (const OpCase& c : pad_cases()) {
    check(c);
    if (c.inputs[0].size() > 30) continue;
    check_twice({c.name, [&](const Vars& v) { return exp(c.f(v)); }, c.inputs});
  }
  check_same_on_any_threads({"",
                             [](const Vars& v) {
                               return pad(v[0], {0, 9}, {0, 200}, PadMode::reflect);
                             },
                             {random({60, 301}, 1)}});
}

TEST_CASE("pad: bad arguments of the modes") {
  const Tensor x = random({2, 3}, 1);
  const auto message = [&](const Sides& before, const Sides& after, PadMode mode) {
    return error_of([&] { pad(x, before, after, mode); });
  };
  CHECK(message({0, 3}, {0, 0}, PadMode::reflect) ==
        "pad: 3 beyond axis 1 of [2 3], expected at most 2 of this mode");
  CHECK(message({0, 0}, {0, 4}, PadMode::circular) ==
        "pad: 4 beyond axis 1 of [2 3], expected at most 3 of this mode");
  CHECK(contains(message({0, -2}, {0, -2}, PadMode::replicate),
                 "pad: -2 before and -2 after axis 1 of [2 3]"));
  CHECK(message({0}, {0, 0}, PadMode::reflect) ==
        "pad: 1 numbers given as before for [2 3], expected 2");
  CHECK(error_of([] { pad(Var(), {}, {}, PadMode::reflect); }) == "pad: x is undefined");
  CHECK(contains(error_of([] { pad(Tensor::zeros({0}), {1}, {0}, PadMode::replicate); }),
                 "expected at most 0"));
}
