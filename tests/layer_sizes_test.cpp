// Layers, nets, data and schedules of sizes that no one can mean.
#include <pliant/data/batches.h>
#include <pliant/data/digits.h>
#include <pliant/data/resident_batches.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/tests/hostile_sizes.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("sizes: layers") {
  const std::vector<std::pair<const char*, Use>> uses = {
      {"Linear in", [](auto n) { Linear(n, 3); }},
      {"Linear out", [](auto n) { Linear(3, n); }},
      {"Conv2d in", [](auto n) { Conv2d(n, 3); }},
      {"Conv2d out", [](auto n) { Conv2d(3, n); }},
      {"Conv2d kernel",
       [](auto n) {
         Conv2d(3, 3, {.kernel = {n, 1}});
       }},
      {"Conv2d groups", [](auto n) { Conv2d(3, 3, {.groups = n}); }},
      {"ConvTranspose2d in", [](auto n) { ConvTranspose2d(n, 3); }},
      {"ConvTranspose2d out", [](auto n) { ConvTranspose2d(3, n); }},
      {"ConvTranspose2d kernel",
       [](auto n) {
         ConvTranspose2d(3, 3, {.kernel = {1, n}});
       }},
      {"CondConv2d experts", [](auto n) { CondConv2d(3, 3, {.experts = n}); }},
      {"CondConv2d kernel",
       [](auto n) {
         CondConv2d(3, 3, {.kernel = {1, n}});
       }},
      {"DeformConv2d in", [](auto n) { DeformConv2d(n, 3); }},
      {"DeformConv2d kernel",
       [](auto n) {
         DeformConv2d(3, 3, {.kernel = {1, n}});
       }},
      {"DeformConv2d offset groups", [](auto n) { DeformConv2d(3, 3, {.offset_groups = n}); }},
      {"DeformKernel2d in", [](auto n) { DeformKernel2d(n, 3); }},
      {"DeformKernel2d kernel",
       [](auto n) {
         DeformKernel2d(3, 3, {.kernel = {1, n}});
       }},
      {"DeformKernel2d scope",
       [](auto n) {
         DeformKernel2d(3, 3, {.scope = {1, n}});
       }},
      {"DeformKernel2d rotation", [](auto n) { DeformKernel2d(3, 3, {.rotation_groups = n}); }},
      {"DeformKernelConv2d kernel",
       [](auto n) {
         DeformKernelConv2d(3, 3, {.kernel = {n, 1}});
       }},
      {"GlobalDeformKernel2d kernel",
       [](auto n) {
         GlobalDeformKernel2d(3, 3, {.kernel = {1, n}});
       }},
      {"ConvOffset2d", [](auto n) { ConvOffset2d layer(n); }},
      {"ConvOffset2d context",
       [](auto n) { ConvOffset2d(3, {.context_channels = n < 0 ? kMax : n}); }},
      {"OffsetContext kernel",
       [](auto n) {
         OffsetContext(3, 3, {.kernel = {n, 1}});
       }},
      {"OffsetContext dilation",
       [](auto n) {
         OffsetContext(3, 3, {.dilation = {1, n}});
       }},
      {"OffsetContext padding", [](auto n) { OffsetContext(3, 3, {.padding = n}); }},
      {"DCNv3 channels", [](auto n) { DCNv3 layer(n); }},
      {"DCNv3 kernel",
       [](auto n) {
         DCNv3(4, {.kernel = {n, 1}});
       }},
      {"DCNv3 groups", [](auto n) { DCNv3(4, {.groups = n}); }},
      {"DCNv3 depthwise", [](auto n) { DCNv3(4, {.depthwise_kernel = n}); }},
      {"DCNv4 channels", [](auto n) { DCNv4 layer(n); }},
      {"DCNv4 kernel",
       [](auto n) {
         DCNv4(4, {.kernel = {n, 1}});
       }},
      {"DCNv4 groups", [](auto n) { DCNv4(4, {.groups = n}); }},
      {"DCNv4 depthwise", [](auto n) { DCNv4(4, {.depthwise_kernel = n}); }},
      {"DeformRoIPool channels", [](auto n) { DeformRoIPool layer(n); }},
      {"DeformRoIPool bins", [](auto n) { DeformRoIPool(4, {.pool = {.pooled_size = n}}); }},
      {"DeformRoIPool parts", [](auto n) { DeformRoIPool(4, {.pool = {.part_size = n}}); }},
      {"DeformRoIPool classes", [](auto n) { DeformRoIPool(4, {.classes = n}); }},
      {"DeformRoIPool hidden", [](auto n) { DeformRoIPool(4, {.hidden = n, .offset_layers = 2}); }},
      {"DeformRoIPool layers", [](auto n) { DeformRoIPool(4, {.offset_layers = n}); }},
      {"BatchNorm2d", [](auto n) { BatchNorm2d layer(n); }},
      {"LayerNorm", [](auto n) { LayerNorm layer(n); }},
      {"RMSNorm", [](auto n) { RMSNorm layer(n); }},
      {"BatchNorm1d", [](auto n) { BatchNorm1d layer(n); }},
      {"Conv1d in", [](auto n) { Conv1d(n, 3); }},
      {"Conv1d out", [](auto n) { Conv1d(3, n); }},
      {"Conv1d kernel", [](auto n) { Conv1d(3, 3, {.kernel = n}); }},
      {"Conv1d groups", [](auto n) { Conv1d(3, 3, {.groups = n}); }},
      {"GRU in", [](auto n) { GRU(n, 3); }},
      {"GRU units", [](auto n) { GRU(3, n); }},
      {"LSTM units", [](auto n) { LSTM(3, n); }},
      {"LSTM layers", [](auto n) { LSTM(3, 3, {.layers = n}); }},
      {"MultiheadAttention features", [](auto n) { MultiheadAttention(n, 1); }},
      {"MultiheadAttention heads", [](auto n) { MultiheadAttention(6, n); }},
      {"MultiheadAttention keys", [](auto n) { MultiheadAttention(6, 2, {.key_features = n}); }},
      {"TransformerEncoderLayer features", [](auto n) { TransformerEncoderLayer(n, 1); }},
      {"TransformerEncoderLayer feed_forward",
       [](auto n) { TransformerEncoderLayer(6, 2, {.feed_forward = n}); }},
      {"GroupNorm channels", [](auto n) { GroupNorm(1, n); }},
      {"GroupNorm groups", [](auto n) { GroupNorm(n, 4); }},
      {"Embedding rows", [](auto n) { Embedding(n, 2); }},
      {"Embedding width", [](auto n) { Embedding(2, n); }},
      {"he_normal", [](auto n) { init::he_normal(n > 0 ? -n : n); }}};
  for (const auto& one : uses)
    for (const std::int64_t number : {kMin, -k62, std::int64_t{-1}, k62, kMax}) {
      const std::string name = one.first;
      CAPTURE(name);
      CAPTURE(number);
      std::string message;
      CHECK(seconds([&] { message = error_of([&] { one.second(number); }); }) < kAtOnce);
      CAPTURE(message);
      CHECK(message != "");
      CHECK_FALSE((message.starts_with("shape:") || message.starts_with("memory:")));
      // No number that has wrapped around.
      CHECK((number < 0 || name == "he_normal" || !contains(message, " -")));
    }
}

TEST_CASE("sizes: data and counts") {
  const LabelledImages set = make_digits(5, Rng(1));
  for (const std::int64_t n : {kMin, -k62, std::int64_t{-1}, k62, kMax}) {
    CAPTURE(n);
    CHECK(names(error_of([=] { make_digits(n, Rng(1)); }), n));
    CHECK(names(error_of([=] { randperm(n, Rng(1)); }), n));
    CHECK(names(error_of([&] { set.split(n, Rng(1)); }), n));
    if (n < 0) {
      CHECK(names(error_of([&] { Batches(set, {.size = n}); }), n));
      CHECK(names(error_of([&] { ResidentBatches(set, {}, n); }), n));
      CHECK(names(error_of([&] { step_lr(n, StepLr{}); }), n));
      continue;
    }
    const Batches all(set, {.size = n, .ahead = n});
    CHECK(all.count() == 1);
    for (const std::int64_t first : {0, 1}) {
      std::int64_t images = 0;
      for (const LabelledImages& batch : all.epoch(n, first)) images += batch.size();
      CHECK(images == (first == 0 ? 5 : 0));
    }
    CHECK(names(error_of([&] { ResidentBatches(set, {.size = 2}, n); }), n));
    CHECK(ResidentBatches(set, {.size = n}, 2).count() == 1);
    CHECK(step_lr(n, StepLr{.step_size = n}) == doctest::Approx(0.01));
    CHECK(std::isfinite(one_cycle_lr(n - 1, OneCycle{.total_steps = n})));
    CHECK(sequential_lr({{constant_lr(1), n}, {constant_lr(2)}})(n) == 2);
  }
}
