// Cases of batch normalisation, by the batch's statistics and by given ones.
#pragma once

#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<Tensor> batch_norm2d_inputs(const Shape& x, double low = 1, double high = 3) {
  return {random(x, 1, low, high), random({x.back()}, 2, 0.5, 1.5), random({x.back()}, 3)};
}

// Statistics of the batch, and those given joined to zeros.
inline BatchStatistics batch_norm2d_of_batch(const Vars& v) {
  const Tensor zeros = Tensor::zeros(v[1].shape(), v[1].dtype(), v[1].device());
  return batch_norm2d_training(v[0], v[1], v[2], zeros, zeros);
}

inline OpCase batch_norm2d_of_batch(const Shape& x, double low = 1, double high = 3) {
  return {"batch_norm2d, training", [](const Vars& v) { return batch_norm2d_of_batch(v).y; },
          batch_norm2d_inputs(x, low, high), 1e-4};
}

inline OpCase batch_norm2d_by_given(const Shape& x, double low = 1, double high = 3) {
  const Tensor mean = random({x.back()}, 4), var = random({x.back()}, 5, 0.5, 2.0);
  return {"batch_norm2d",
          [=](const Vars& v) {
            return batch_norm2d(v[0], v[1], v[2], beside(v[1], mean), beside(v[1], var));
          },
          batch_norm2d_inputs(x, low, high)};
}

inline OpCases batch_norm2d_cases() {
  OpCases all, large;
  for (const Shape& shape : std::vector<Shape>{{2, 1, 1, 1},
                                               {3, 1, 1, 5},
                                               {1, 4, 3, 2},
                                               {2, 3, 5, 7},
                                               {1, 2, 3, 17},
                                               {3, 1, 2, 300},
                                               {6, 4},
                                               {2, 5, 3},
                                               {2, 1, 2, 3, 4}}) {
    all.push_back(batch_norm2d_of_batch(shape));
    all.push_back(batch_norm2d_by_given(shape));
  }
  for (const Shape& shape : {Shape{0, 2, 3, 4}, Shape{1, 1, 1, 3}})
    all.push_back(batch_norm2d_by_given(shape));
  for (const Shape& shape : {Shape{4, 29, 31, 32}, Shape{3, 61, 67, 5}, Shape{5, 11, 13, 515}})
    large.push_back(batch_norm2d_of_batch(shape));
  for (const Shape& shape : {Shape{2, 3, 3, 5}, Shape{1, 1, 2, 1}, Shape{5, 37, 29, 3}}) {
    large.push_back(batch_norm2d_of_batch(shape, 99, 103));
    large.push_back(batch_norm2d_by_given(shape, 99, 103));
    const std::vector<Tensor> inputs = batch_norm2d_inputs(shape, 99, 103);
    for (const OpCase& statistic : without_gradient(
             {{"batch_norm2d, running mean",
               [](const Vars& v) { return Var(batch_norm2d_of_batch(v).running_mean); }, inputs},
              {"batch_norm2d, running variance",
               [](const Vars& v) { return Var(batch_norm2d_of_batch(v).running_var); }, inputs}}))
      all.push_back(statistic);
  }
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
