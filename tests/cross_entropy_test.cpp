#include <pliant/autograd/ops/cross_entropy.h>

#include <cmath>

#include <pliant/tests/cases/cross_entropy.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The definition, on plain doubles.
double naive(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& o) {
  const std::int64_t classes = logits.dim(-1);
  const auto weight = [&](std::int64_t j) {
    return o.class_weights.defined() ? o.class_weights.data<double>()[j] : 1.0;
  };
  double sum = 0, count = 0;
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    const std::int64_t label = labels.data<std::int64_t>()[i];
    if (label == o.ignore_index) continue;
    const double* const x = logits.data<double>() + i * classes;
    double total = 0, mean = 0;
    for (std::int64_t j = 0; j < classes; ++j) total += std::exp(x[j]);
    for (std::int64_t j = 0; j < classes; ++j)
      mean += weight(j) * (x[j] - std::log(total)) / static_cast<double>(classes);
    const double of_label = weight(label) * (x[label] - std::log(total));
    sum -= (1 - o.label_smoothing) * of_label + o.label_smoothing * mean;
    count += weight(label);
  }
  return sum / count;
}

Tensor gradient_of(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& o = {}) {
  const Tape tape;
  const Var x = tape.variable(logits);
  return tape.gradients(softmax_cross_entropy(x, labels, o))[x];
}

}  // namespace

TEST_CASE("softmax_cross_entropy: gradients, threads") { check(cross_entropy_cases()); }

TEST_CASE("softmax_cross_entropy: values") {
  const std::vector<Shape> shapes = {{1, 3}, {4, 5}, {7, 1}, {5}, {2, 3, 1, 4}, {3, 17}};
  for (const Shape& shape : shapes)
    for (const CrossEntropyOptions& options :
         {CrossEntropyOptions{}, CrossEntropyOptions{.label_smoothing = 0.1},
          CrossEntropyOptions{.label_smoothing = 1.0}, CrossEntropyOptions{.ignore_index = -1},
          CrossEntropyOptions{.label_smoothing = 0.3, .ignore_index = 0}}) {
      const Tensor logits = random(shape, 1, -3.0, 3.0);
      const Shape rows(std::span(shape.begin(), shape.end() - 1));
      Tensor labels = labels_of(rows, shape.back(), 3, options.ignore_index);
      // The first row counts whatever is ignored, where there are two classes.
      labels.mutable_data<std::int64_t>()[0] = shape.back() - 1;
      const double want = naive(logits, labels, options),
                   got = softmax_cross_entropy(logits, labels, options).value().item();
      if (std::isnan(want))  // every row is ignored
        CHECK(std::isnan(got));
      else
        CHECK(got == doctest::Approx(want).epsilon(1e-12));
    }
}

TEST_CASE("softmax_cross_entropy: class weights") {
  for (const Shape& shape : {Shape{1, 3}, Shape{5}, Shape{7, 1}, Shape{2, 3, 1, 4}, Shape{6, 17}})
    for (const double smoothing : {0.0, 0.2, 1.0}) {
      const Tensor weights = random({shape.back()}, 5, 0.2, 3.0), logits = random(shape, 6, -3, 3);
      const Shape rows(std::span(shape.begin(), shape.end() - 1));
      Tensor labels = labels_of(rows, shape.back(), 4, 255);
      labels.mutable_data<std::int64_t>()[0] = shape.back() - 1;
      const CrossEntropyOptions options = {
          .label_smoothing = smoothing, .ignore_index = 255, .class_weights = weights};
      CHECK(softmax_cross_entropy(logits, labels, options).value().item() ==
            doctest::Approx(naive(logits, labels, options)).epsilon(1e-12));
    }
  // Weights of one change nothing; a class of weight 0 does not count.
  const Tensor logits = random({4, 3}, 7), labels = Tensor::from<std::int64_t>({0, 2, 1, 2}, {4});
  const Tensor ones = Tensor::full({3}, 1, DType::float64),
               no_last = Tensor::from({1.0, 1.0, 0.0}, {3});
  CHECK(softmax_cross_entropy(logits, labels, {.class_weights = ones}).value().item() ==
        doctest::Approx(softmax_cross_entropy(logits, labels).value().item()).epsilon(1e-15));
  CHECK(softmax_cross_entropy(logits, labels, {.class_weights = no_last}).value().item() ==
        doctest::Approx(softmax_cross_entropy(logits, labels, {.ignore_index = 2}).value().item()));
}

TEST_CASE("softmax_cross_entropy: logits of any size") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor logits = Tensor::from({1e4, 1e4 + 1, 0.0, -1e30, 1e30, 0.0}, {2, 3}).to(dtype);
    const Tensor labels = Tensor::from<std::int64_t>({1, 1}, {2});
    const double softplus = std::log1p(std::exp(-1.0));  // the first row's; the second's is 0
    CHECK(softmax_cross_entropy(logits, labels).value().item() ==
          doctest::Approx(softplus / 2).epsilon(1e-6));
    const double p = 1 / (1 + std::exp(1.0));
    const Tensor want = Tensor::from({p / 2, -p / 2, 0.0, 0.0, 0.0, 0.0}, {2, 3});
    CHECK(max_difference(gradient_of(logits, labels), want) < 1e-7);
  }
  // A class ruled out: probability 0, not NaN.
  const Tensor logits = Tensor::from({0.0, -HUGE_VAL, 0.0}, {1, 3});
  const Tensor label = Tensor::from<std::int64_t>({0}, {1});
  CHECK(softmax_cross_entropy(logits, label).value().item() == doctest::Approx(std::log(2.0)));
  CHECK(gradient_of(logits, label).to_vector() == std::vector<double>{-0.5, 0, 0.5});
}

TEST_CASE("softmax_cross_entropy: rows that are ignored, and none at all") {
  const Tensor logits = random({4, 3}, 2);
  const Tensor labels = Tensor::from<std::int64_t>({255, 2, 255, 0}, {4});
  const CrossEntropyOptions options = {.ignore_index = 255};
  const std::vector<double> dx = gradient_of(logits, labels, options).to_vector();
  for (std::size_t j = 0; j < 3; ++j) {
    CHECK(dx[j] == 0.0);
    CHECK(dx[3 + j] != 0.0);
    CHECK(dx[6 + j] == 0.0);
  }
  const Tensor all_ignored = Tensor::full({4}, 255, DType::int64);
  CHECK(std::isnan(softmax_cross_entropy(logits, all_ignored, options).value().item()));
  for (const double v : gradient_of(logits, all_ignored, options).to_vector()) CHECK(v == 0.0);
  const Tensor no_rows = Tensor::zeros({0, 3}), no_labels = Tensor::zeros({0}, DType::int64);
  CHECK(std::isnan(softmax_cross_entropy(no_rows, no_labels).value().item()));
  CHECK(gradient_of(no_rows, no_labels).shape() == Shape{0, 3});
}

TEST_CASE("softmax_cross_entropy: the same bits on any number of threads") {
  const Tensor logits = random({3, 41, 43, 21}, 3, -4.0, 4.0);
  const Tensor labels = labels_of({3, 41, 43}, 21, 5);
  const std::vector<Tensor> one =
      check_same_on_any_threads(cross_entropy_case(logits, labels, {.label_smoothing = 0.1}));
  CHECK(one[0].item() ==
        doctest::Approx(naive(logits, labels, {.label_smoothing = 0.1})).epsilon(1e-6));
}

TEST_CASE("softmax_cross_entropy: the rows' own losses, and their sum") {
  for (const bool weighted : {false, true})
    for (const double smoothing : {0.0, 0.2})
      for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 3, 5}, Shape{0, 2}}) {
        Shape of_logits = shape;
        of_logits.push_back(4);
        const Tensor logits = random(of_logits, 1, -3, 3), labels = labels_of(shape, 4, 3, -1);
        CrossEntropyOptions options{.label_smoothing = smoothing, .ignore_index = -1};
        if (weighted) options.class_weights = random({4}, 2, 0.5, 2);
        const auto loss = [&](const Var& x, LossReduction reduction) {
          CrossEntropyOptions o = options;
          o.reduction = reduction;
          if (weighted) o.class_weights = o.class_weights.to(x.dtype());
          return softmax_cross_entropy(x, labels, o);
        };
        const Tensor each = loss(logits, LossReduction::none).value();
        REQUIRE(each.shape() == shape);
        double want = 0;
        for (std::int64_t i = 0; i < labels.size(); ++i) {
          const std::int64_t label = labels.data<std::int64_t>()[i];
          const Tensor row = logits.reshape({labels.size(), 4}).slice(i, i + 1);
          const double weight =
              weighted && label >= 0 ? options.class_weights.data<double>()[label] : 1.0;
          const double of_row =
              label < 0 ? 0
                        : weight * naive(row, Tensor::from<std::int64_t>({label}, {1}), options);
          CHECK(each.data<double>()[i] == doctest::Approx(of_row).epsilon(1e-12));
          want += of_row;
        }
        CHECK(loss(logits, LossReduction::sum).value().item() ==
              doctest::Approx(want).epsilon(1e-12));
      }
}

TEST_CASE("softmax_cross_entropy: bad arguments") {
  const Tensor logits = random({2, 3}, 4), labels = labels_of({2}, 3);
  const auto error = [](const Var& x, const Tensor& y, const CrossEntropyOptions& o = {}) {
    return error_of([&] { softmax_cross_entropy(x, y, o); });
  };
  const Tensor high = Tensor::from<std::int64_t>({0, 3}, {2});
  CHECK(error(logits, high) ==
        "softmax_cross_entropy: label 3 of row 1 is not in [0, C = 3) nor the ignore_index -100");
  CHECK(error(logits, Tensor::from<std::int64_t>({-1, 2}, {2}), {.ignore_index = 255}) ==
        "softmax_cross_entropy: label -1 of row 0 is not in [0, C = 3) nor the ignore_index 255");
  CHECK(error(logits, high, {.ignore_index = 3}).empty());
  CHECK(error(logits, labels_of({3}, 3)) ==
        "softmax_cross_entropy: the labels have shape [3], expected [2] (logits [2 3])");
  CHECK(error(logits, Tensor::zeros({2})) ==
        "softmax_cross_entropy: the labels are float32, expected integers");
  CHECK(error(Tensor::zeros({2, 3}, DType::int64), labels) ==
        "softmax_cross_entropy: needs floating tensors, got int64");
  CHECK(error(Tensor::scalar(1.0), labels) ==
        "softmax_cross_entropy: the logits are a scalar, expected [... C]");
  CHECK(error(Var(), labels) == "softmax_cross_entropy: the logits are undefined");
  CHECK(error(logits, Tensor()) == "softmax_cross_entropy: the labels are undefined");
  CHECK(error(Tensor::zeros({2, 0}), labels) ==
        "softmax_cross_entropy: the logits [2 0] have no classes");
  CHECK(error(logits, labels, {.label_smoothing = 1.5}) ==
        "softmax_cross_entropy: label smoothing is 1.5, expected 0 to 1");
  CHECK(error(logits, labels, {.class_weights = random({2}, 1)}) ==
        "softmax_cross_entropy: the class weights have shape [2], expected [3] (logits [2 3])");
  CHECK(error(logits, labels, {.class_weights = Tensor::zeros({3})}) ==
        "softmax_cross_entropy: logits is float64 but class_weights is float32; convert one with "
        "to(DType)");
  CHECK(error(logits, labels, {.class_weights = Tensor::from({1.0, -1.0, 1.0}, {3})}) ==
        "softmax_cross_entropy: a class weight is -1, expected none negative");
}
