// Cases of windows, borders, joints and turns.
#pragma once

#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

using Sides = std::vector<std::int64_t>;

struct SliceCase {
  Shape shape;
  Sides start, stop, step;
};

inline const std::vector<SliceCase>& slice_shapes() {
  static const std::vector<SliceCase> all = {
      {{7}, {1}, {6}, {2}},
      {{7}, {0}, {7}, {3}},
      {{5, 7}, {1, 2}, {4, 7}, {2, 1}},
      {{5, 7}, {0, 0}, {5, 7}, {1, 1}},
      {{5, 7}, {2, 3}, {3, 4}, {5, 5}},
      {{2, 3, 4, 5}, {0, 1, 0, 2}, {1, 3, 4, 5}, {1, 1, 1, 1}},
      {{2, 3, 4, 5}, {0, 0, 0, 1}, {2, 3, 4, 2}, {1, 2, 3, 1}},
      {{3, 4}, {1, 4}, {3, 4}, {1, 1}},
      {{0, 4}, {0, 1}, {0, 3}, {1, 1}},
      {{1, 1}, {0, 0}, {1, 1}, {1, 1}},
      {{}, {}, {}, {}},
      {{40009}, {3}, {40000}, {1}},
      {{131, 257}, {1, 2}, {130, 255}, {1, 3}}};
  return all;
}

struct PadCase {
  Shape shape;
  Sides before, after;
};

inline const std::vector<PadCase>& pad_shapes() {
  static const std::vector<PadCase> all = {{{3}, {2}, {1}},
                                           {{2, 3}, {0, 0}, {0, 0}},
                                           {{2, 3}, {1, 0}, {0, 3}},
                                           {{1, 3, 4, 2}, {0, 1, 2, 0}, {0, 2, 1, 0}},
                                           {{0, 2}, {1, 1}, {1, 0}},
                                           {{1, 1}, {0, 4}, {7, 0}},
                                           {{}, {}, {}}};
  return all;
}

struct FlipCase {
  Shape shape;
  std::vector<int> axes;
};

inline const std::vector<FlipCase>& flip_shapes() {
  static const std::vector<FlipCase> all = {
      {{7}, {0}},          {{3, 5}, {-1}},   {{3, 5}, {0, 1}}, {{2, 3, 4, 5}, {1, -2}},
      {{2, 3, 4, 5}, {2}}, {{1, 1}, {0, 1}}, {{0, 4}, {0, 1}}, {{4, 0}, {0}},
      {{3, 2}, {}},        {{}, {}},         {{131, 257}, {0}}};
  return all;
}

// By every mode, and by a number; also of fewer than none.
inline OpCases pad_cases() {
  OpCases all;
  const auto add = [&](const Shape& shape, const Sides& before, const Sides& after) {
    for (const PadMode mode : {PadMode::reflect, PadMode::replicate, PadMode::circular})
      all.push_back({"pad by a mode",
                     [=](const Vars& v) { return pad(v[0], before, after, mode); },
                     {random(shape, 1)}});
    all.push_back(
        {"pad", [=](const Vars& v) { return pad(v[0], before, after, 0.5); }, {random(shape, 1)}});
  };
  add({5}, {4}, {3});
  add({2, 4, 5, 3}, {0, 1, 2, 0}, {0, 3, 4, 0});
  add({2, 5, 4}, {0, 2, 1}, {0, 3, -1});
  add({3, 4}, {-1, 2}, {2, -3});
  add({4, 6}, {-1, -2}, {-2, 0});
  add({0, 3}, {0, 1}, {0, 2});
  for (const PadCase& c : pad_shapes())
    all.push_back({"pad",
                   [=](const Vars& v) { return pad(v[0], c.before, c.after, 3.0); },
                   {random(c.shape, 2)}});
  return all;
}

inline OpCases concat_cases() {
  OpCases all;
  for (int axis = -3; axis < 3; ++axis) {
    std::vector<Tensor> parts;
    for (const std::int64_t extent : {3, 1, 0, 5}) {
      Shape shape{2, 3, 4};
      shape[shape.axis(axis, "test")] = extent;
      parts.push_back(random(shape, static_cast<std::uint64_t>(extent) + 1));
    }
    all.push_back({"concat", [=](const Vars& v) { return concat(v, axis); }, parts});
    all.push_back({"stack",
                   [=](const Vars& v) { return stack(v, axis); },
                   {random({2, 5}, 1), random({2, 5}, 2), random({2, 5}, 3)}});
  }
  return all;
}

inline OpCases slice_cases() {
  OpCases all;
  for (const SliceCase& c : slice_shapes())
    all.push_back({"slice",
                   [=](const Vars& v) { return slice(v[0], c.start, c.stop, c.step); },
                   {random(c.shape, 1)},
                   2e-5,
                   c.shape.size() < 200 ? GradientCheck::differences : GradientCheck::runs});
  for (const FlipCase& c : flip_shapes())
    all.push_back({"flip",
                   [=](const Vars& v) { return flip(v[0], c.axes); },
                   {random(c.shape, 1)},
                   2e-5,
                   c.shape.size() < 200 ? GradientCheck::differences : GradientCheck::runs});
  return joined(
      {all, pad_cases(), concat_cases(),
       without_differences({{"pad of many",
                             [](const Vars& v) {
                               return pad(v[0], {0, 9}, {0, 200}, PadMode::reflect);
                             },
                             {random({60, 301}, 1)}}}),
       integer_cases({{"integers: moved", [](const Var& a, const Var& b) {
                         return concat({pad(a, {1, 0}, {2, 0}, 7), broadcast_to(b, {2, 70})}, 0);
                       }}})});
}

}  // namespace pliant::test
