#pragma once

#include <pliant/autograd/ops/cosine.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases cosine_cases() {
  OpCases all;
  for (const int axis : {0, 1, -1})
    all.push_back({"cosine_similarity",
                   [=](const Vars& v) { return cosine_similarity(v[0], v[1], axis); },
                   {random({3, 4, 2}, 1), random({3, 4, 2}, 2)}});
  all.push_back({"cosine_similarity of all pairs",
                 [](const Vars& v) { return cosine_similarity(v[0], v[1], -1); },
                 {random({3, 1, 4}, 1), random({2, 4}, 2)}});
  all.push_back({"cosine_similarity of one element",
                 [](const Vars& v) { return cosine_similarity(v[0], v[1], 0, 5); },
                 {random({1}, 1), random({1}, 2)}});
  const Tensor labels = Tensor::from({1.0, -1.0, -1.0, 1.0, -1.0}, {5});
  for (const LossReduction reduction :
       {LossReduction::mean, LossReduction::sum, LossReduction::none})
    for (const double margin : {0.0, -0.4})
      all.push_back({"cosine_embedding_loss",
                     [=](const Vars& v) {
                       return cosine_embedding_loss(v[0], v[1], beside(v[0], labels), margin,
                                                    reduction);
                     },
                     {random({5, 3}, 3), random({5, 3}, 4)}});
  return all;
}

}  // namespace pliant::test
