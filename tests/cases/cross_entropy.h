// Cases of cross entropy with labels.
#pragma once

#include <span>

#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// Labels 0 .. classes-1 in turn; every `ignored`-th is `ignore_index`.
inline Tensor labels_of(const Shape& shape, std::int64_t classes, std::int64_t ignored = 0,
                        std::int64_t ignore_index = -100) {
  Tensor labels = Tensor::empty(shape, DType::int64);
  for (std::int64_t i = 0; i < labels.size(); ++i)
    labels.mutable_data<std::int64_t>()[i] =
        ignored > 0 && i % ignored == 0 ? ignore_index : (i * 7) % classes;
  return labels;
}

inline Shape rows_of(const Shape& logits) {
  return Shape(std::span(logits.begin(), logits.end() - 1));
}

inline OpCase cross_entropy_case(const Tensor& logits, const Tensor& labels,
                                 const CrossEntropyOptions& options) {
  return {"softmax_cross_entropy",
          [=](const Vars& v) {
            CrossEntropyOptions o = options;
            if (o.class_weights.defined()) o.class_weights = beside(v[0], o.class_weights);
            return softmax_cross_entropy(v[0], beside(v[0], labels), o);
          },
          {logits}};
}

inline OpCases cross_entropy_cases() {
  OpCases all;
  for (const Shape& shape :
       {Shape{1, 3}, Shape{4, 5}, Shape{7, 1}, Shape{5}, Shape{2, 3, 1, 4}, Shape{3, 17}})
    for (const CrossEntropyOptions& options :
         {CrossEntropyOptions{}, CrossEntropyOptions{.label_smoothing = 0.1},
          CrossEntropyOptions{.label_smoothing = 1.0}, CrossEntropyOptions{.ignore_index = -1},
          CrossEntropyOptions{.label_smoothing = 0.3, .ignore_index = 0},
          CrossEntropyOptions{.class_weights = random({shape.back()}, 5, 0.2, 3.0)},
          CrossEntropyOptions{.label_smoothing = 0.2,
          .class_weights = random({shape.back()}, 5, 0.2, 3.0)},
          CrossEntropyOptions{.label_smoothing = 1.0,
          .class_weights = random({shape.back()}, 5, 0.2, 3.0)}}) {
      Tensor labels = labels_of(rows_of(shape), shape.back(), 3, options.ignore_index);
      // The first row counts whatever is ignored, where there are two classes.
      labels.mutable_data<std::int64_t>()[0] = shape.back() - 1;
      if (shape.back() == 1 && options.ignore_index == 0) continue;  // every row is ignored
      all.push_back(cross_entropy_case(random(shape, 1, -3, 3), labels, options));
    }
  for (const bool weighted : {false, true})
    for (const double smoothing : {0.0, 0.2})
      for (const Shape& rows : {Shape{}, Shape{7}, Shape{2, 3, 5}, Shape{0, 2}})
        for (const LossReduction reduction : {LossReduction::none, LossReduction::sum}) {
          Shape shape = rows;
          shape.push_back(4);
          CrossEntropyOptions options{
              .label_smoothing = smoothing, .ignore_index = -1, .reduction = reduction};
          if (weighted) options.class_weights = random({4}, 2, 0.5, 2);
          all.push_back(
              cross_entropy_case(random(shape, 1, -3, 3), labels_of(rows, 4, 3, -1), options));
        }
  const Tensor labels = Tensor::from<std::int64_t>({3, 0, -100, 6, 3}, {5});
  OpCases large;
  for (const double smoothing : {0.0, 0.1})
    large.push_back(
        cross_entropy_case(random({5, 7}, 1, -30, 30), labels, {.label_smoothing = smoothing}));
  large.push_back(cross_entropy_case(random({1000, 10}, 1), labels_of({1000}, 10), {}));
  large.push_back(cross_entropy_case(random({3, 41, 43, 21}, 3, -4, 4),
                                     labels_of({3, 41, 43}, 21, 5), {.label_smoothing = 0.1}));
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
