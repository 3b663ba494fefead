// Cases of elements taken, put and added by index.
#pragma once

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// Indices in [0, limit), some twice.
inline Tensor indices_of(const Shape& shape, std::int64_t limit, std::uint64_t seed = 1) {
  Tensor index = Tensor::empty(shape, DType::int64);
  for (std::int64_t i = 0; i < index.size(); ++i)
    index.mutable_data<std::int64_t>()[i] = static_cast<std::int64_t>(
        Rng(seed).bits(static_cast<std::uint64_t>(i)) % static_cast<std::uint64_t>(limit));
  return index;
}

inline OpCase embedding_case(const Tensor& indices, const Shape& weight, std::uint64_t seed) {
  return {"embedding",
          [=](const Vars& v) { return embedding(v[0], beside(v[0], indices)); },
          {random(weight, seed)}};
}

// scatter, index_copy, index_add.
inline OpCases scatter_cases() {
  const Tensor index = Tensor::from<std::int64_t>({4, 0, 4, 2, 1, 2, 0, 0, 0}, {3, 3});
  const Tensor two = Tensor::from<std::int64_t>({3, 1, 3}, {3});
  OpCases all;
  all.push_back({"scatter, along the last axis",
                 [=](const Vars& v) { return scatter(v[0], 1, beside(v[0], index), v[1]); },
                 {random({3, 5}, 1), random({3, 3}, 2)}});
  all.push_back({"scatter, along the first axis",
                 [=](const Vars& v) { return scatter(v[0], 0, beside(v[0], index), v[1]); },
                 {random({5, 3}, 1), random({3, 3}, 2)}});
  for (const int axis : {0, 1, -1}) {
    Shape part{4, 4, 4};
    part[part.axis(axis, "case")] = 3;
    all.push_back({"index_copy",
                   [=](const Vars& v) { return index_copy(v[0], axis, beside(v[0], two), v[1]); },
                   {random({4, 4, 4}, 1), random(part, 2)}});
    all.push_back({"index_add",
                   [=](const Vars& v) { return index_add(v[0], axis, beside(v[0], two), v[1]); },
                   {random({4, 4, 4}, 1), random(part, 2)}});
  }
  return all;
}

inline OpCases gather_cases() {
  OpCases all;
  const Shape shape{3, 4, 5};
  for (int axis = -3; axis < 3; ++axis)
    for (const std::int64_t count : {0, 1, 2, 7}) {
      Shape taken = shape;
      const int at = shape.axis(axis, "test");
      taken[at] = count;
      const Tensor index = indices_of(taken, shape[at]);
      all.push_back({"gather",
                     [=](const Vars& v) { return gather(v[0], axis, beside(v[0], index)); },
                     {random(shape, 1)}});
    }
  all.push_back({"gather of one",
                 [](const Vars& v) { return gather(v[0], 0, beside(v[0], indices_of({3}, 1))); },
                 {random({1}, 2)}});
  const Tensor places = Tensor::from<std::int64_t>({2, 0, 2, 0}, {1, 4});
  all.push_back({"scatter_add",
                 [=](const Vars& v) { return scatter_add(v[0], 1, beside(v[0], places), 3); },
                 {Tensor::from({1.0, 2.0, 4.0, 8.0}, {1, 4})}});
  for (const Shape& of : {Shape{}, Shape{5}, Shape{3, 7}, Shape{0}, Shape{1, 1, 2}})
    for (const std::int64_t width : {1, 3, 37})
      all.push_back(embedding_case(indices_of(of, 11), {11, width}, 3));
  all.push_back({"one_hot",
                 [](const Vars& v) {
                   return v[0] * one_hot(beside(v[0], indices_of({2, 2}, 7)), 7, v[0].dtype());
                 },
                 {random({7}, 5)}});
  const Tensor many = indices_of({64, 300}, 101);
  return joined({all, scatter_cases(),
                 without_differences(
                     {embedding_case(indices_of({501}, 13), {13, 300}, 4),
                      {"scatter of many",
                       [=](const Vars& v) { return scatter(v[0], 1, beside(v[0], many), v[1]); },
                       {random({64, 101}, 1), random({64, 300}, 2)}}})});
}

}  // namespace pliant::test
