#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/batches.h>
#include <pliant/data/prefetch.h>

using namespace pliant;

namespace {

// `count` images [3 2 1]; every pixel of image i is i, and so is its label.
LabelledImages numbered(std::int64_t count) {
  LabelledImages set{Tensor::empty({count, 3, 2, 1}, DType::uint8),
                     Tensor::empty({count}, DType::int64)};
  for (std::int64_t i = 0; i < count; ++i) {
    std::fill_n(set.images.mutable_data<std::uint8_t>() + 6 * i, 6, static_cast<std::uint8_t>(i));
    set.labels.mutable_data<std::int64_t>()[i] = i;
  }
  return set;
}

struct Seen {
  std::vector<std::int64_t> sizes;
  std::vector<double> labels;
  std::vector<double> pixels;

  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen read(const Batches& batches, std::int64_t epoch) {
  Seen seen;
  for (const LabelledImages& batch : batches.epoch(epoch)) {
    CHECK(batch.images.dtype() == DType::float32);
    CHECK(batch.images.dim(0) == batch.size());
    seen.sizes.push_back(batch.size());
    for (const double label : batch.labels.to_vector()) seen.labels.push_back(label);
    for (const double pixel : batch.images.to_vector()) seen.pixels.push_back(pixel);
  }
  return seen;
}

std::vector<double> counting(int count) {
  std::vector<double> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return numbers;
}

void sleep_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Waits until `counter` has come to `value`; gives up, and says so, after ten seconds.
bool comes_to(const std::atomic<int>& counter, int value) {
  for (int i = 0; i < 10000 && counter < value; ++i) sleep_ms(1);
  return counter >= value;
}

}  // namespace

TEST_CASE("batches: in order by default, divided by 255, the last one shorter") {
  const Batches batches(numbered(10), {.size = 4});
  CHECK(batches.count() == 3);
  CHECK(batches.samples_per_epoch() == 10);
  const Seen seen = read(batches, 0);
  CHECK(seen.sizes == std::vector<std::int64_t>{4, 4, 2});
  CHECK(seen.labels == counting(10));
  for (std::size_t i = 0; i < 10; ++i)
    for (std::size_t pixel = 6 * i; pixel < 6 * i + 6; ++pixel)
      CHECK(seen.pixels[pixel] == static_cast<double>(static_cast<float>(i) / 255.0f));
  CHECK(read(batches, 1) == seen);
}

TEST_CASE("batches: drop_last leaves out the shorter batch") {
  const Batches batches(numbered(10), {.size = 4, .drop_last = true});
  CHECK(batches.count() == 2);
  CHECK(batches.samples_per_epoch() == 8);
  CHECK(read(batches, 0).sizes == std::vector<std::int64_t>{4, 4});
  CHECK(Batches(numbered(8), {.size = 4, .drop_last = true}).count() == 2);
  CHECK(read(Batches(numbered(3), {.size = 4, .drop_last = true}), 0).sizes.empty());
  CHECK(read(Batches(numbered(0)), 0).sizes.empty());
}

TEST_CASE("batches: a shuffle visits every image once, with its label, anew each epoch") {
  const Rng rng(1);
  const Batches batches(numbered(200), {.size = 16, .shuffle = rng.fork("shuffle")});
  const Seen first = read(batches, 0);
  CHECK(first.labels != counting(200));
  for (std::size_t i = 0; i < 200; ++i)
    CHECK(first.pixels[6 * i + 5] == doctest::Approx(first.labels[i] / 255));
  std::vector<double> sorted = first.labels;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == counting(200));
  CHECK(read(batches, 1).labels != first.labels);
}

TEST_CASE("batches: seed and epoch alone say what comes, not threads, queue or history") {
  const Rng rng(1);
  const LabelledImages set = numbered(200);
  const AugmentOptions augment{.scale = {}, .rng = rng.fork("augment")};
  const auto make = [&](std::uint64_t seed, std::int64_t ahead) {
    return Batches(
        set,
        {.size = 16, .shuffle = Rng(seed).fork("shuffle"), .augment = augment, .ahead = ahead});
  };
  const Batches batches = make(1, 3);
  const Seen third = read(batches, 3);
  const int threads = thread_count();
  set_thread_count(1);
  CHECK(read(make(1, 1), 3) == third);
  set_thread_count(threads);
  read(batches, 0);
  CHECK(read(batches, 3) == third);
  CHECK(read(make(2, 3), 3).labels != third.labels);
}

TEST_CASE("batches: augmentation draws per image and epoch, wherever the image comes") {
  const Rng rng(6);
  LabelledImages set = numbered(20);
  std::uint8_t* const pixels = set.images.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < 120; ++i) pixels[i] = static_cast<std::uint8_t>(i);
  const AugmentOptions augment{.scale = {.interpolation = Interpolation::bilinear}, .rng = rng};
  const Seen ordered = read(Batches(set, {.size = 7, .augment = augment}), 2);

  const std::vector<double> all =
      scale_images(set.images, augment.scale, rng.fork(std::uint64_t{2})).to_vector();
  CHECK(ordered.pixels == all);

  const Seen shuffled = read(Batches(set, {.size = 5, .shuffle = rng, .augment = augment}), 2);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto image = static_cast<std::ptrdiff_t>(shuffled.labels[i]);
    CHECK(std::equal(all.begin() + 6 * image, all.begin() + 6 * image + 6,
                     shuffled.pixels.begin() + static_cast<std::ptrdiff_t>(6 * i)));
  }
  CHECK(read(Batches(set, {.augment = augment}), 3).pixels != all);
}

TEST_CASE("batches: float32 images are taken as they are, of any shape") {
  const Tensor images = Tensor::from({0.5f, -2.0f, 3.0f, 4.0f, 5.0f, 1e9f}, {2, 1, 1, 3});
  const Tensor labels = Tensor::from<std::int64_t>({3, -1}, {2});
  const Batches batches(images, labels, {.size = 5});
  for (const LabelledImages& batch : batches.epoch(0)) {
    CHECK(batch.images.shape() == Shape{2, 1, 1, 3});
    CHECK(batch.images.to_vector() == images.to_vector());
    CHECK_FALSE(batch.images.shares_storage_with(images));
    CHECK(batch.labels.to_vector() == labels.to_vector());
  }
}

TEST_CASE("batches: an epoch from a later batch on") {
  const LabelledImages set = numbered(10);
  const Batches batches(set, {.size = 3, .shuffle = Rng(5)});
  const auto labels = [&](std::int64_t first) {
    std::vector<double> all;
    for (const LabelledImages& batch : batches.epoch(2, first))
      for (const double label : batch.labels.to_vector()) all.push_back(label);
    return all;
  };
  const std::vector<double> whole = labels(0);
  CHECK(whole.size() == 10);
  for (std::int64_t first = 1; first <= 4; ++first)
    CHECK(
        labels(first) ==
        std::vector<double>(whole.begin() + std::min<std::ptrdiff_t>(3 * first, 10), whole.end()));
  CHECK_THROWS_WITH_AS(batches.epoch(0, 5), "batches: the first batch is 5 of 4", Error);
}

TEST_CASE("batches: what cannot work is an error at once") {
  const LabelledImages set = numbered(4);
  CHECK_THROWS_WITH_AS(Batches(set, {.size = 0}), "batches: size is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(Batches(set, {.ahead = 0}), "batches: ahead is 0, expected at least 1",
                       Error);
  CHECK_THROWS_WITH_AS(Batches(set.images, numbered(3).labels), "batches: 4 images but 3 labels",
                       Error);
  CHECK_THROWS_AS(Batches(Tensor(), set.labels), Error);
  CHECK_THROWS_AS(Batches(set.images.reshape({4, 6}), set.labels), Error);
  CHECK_THROWS_AS(Batches(set.images, set.images.reshape({-1}).slice(0, 4)), Error);
  CHECK_THROWS_AS(Batches(to_float(set.images), set.labels, {.augment = AugmentOptions{}}), Error);
  CHECK_THROWS_AS(
      Batches(set, {.augment = AugmentOptions{.scale = {.zoom_low = -1}, .rng = Rng()}}), Error);
  CHECK_THROWS_WITH_AS(Batches(set).epoch(-1), "batches: epoch is -1, expected at least 0", Error);
}

TEST_CASE("batches: a loop may be left early, and the batch kept") {
  const Batches batches(numbered(200), {.size = 2});
  LabelledImages kept;
  for (int i = 0; i <= 50; ++i)
    for (const LabelledImages& batch : batches.epoch(i)) {
      kept = batch;
      if (batch.labels.data<std::int64_t>()[0] >= i % 7) break;
    }
  CHECK(kept.size() == 2);
  CHECK(kept.labels.data<std::int64_t>()[0] ==
        2);  // the first label >= 50 % 7 at the head of a pair
}

TEST_CASE("batches: an epoch that is never read ends, and outlives its Batches") {
  { const Epoch<LabelledImages> unread = Batches(numbered(100), {.size = 1}).epoch(0); }
  std::vector<double> labels;
  for (const LabelledImages& batch : Batches(numbered(5), {.size = 2}).epoch(0))
    for (const double label : batch.labels.to_vector()) labels.push_back(label);
  CHECK(labels == counting(5));
}

TEST_CASE("batches: an exception in the loop's body passes") {
  const Batches batches(numbered(100), {.size = 1});
  CHECK_THROWS_AS(
      [&] {
        for (const LabelledImages& batch : batches.epoch(0))
          if (batch.labels.item() == 5) throw std::logic_error("body");
      }(),
      std::logic_error);
}

TEST_CASE("batches: waiting is measured") {
  // A loop that does nothing waits for images to be made. Its thread may be held up for longer
  // than that now and then, but not in every epoch.
  const LabelledImages set = numbered(5000);
  const Batches batches(set, {.size = 5000, .augment = AugmentOptions{}});
  CHECK(batches.wait_seconds() == 0);
  const auto start = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < 10; ++epoch) read(batches, epoch);
  const double all =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(batches.wait_seconds() > 0);
  CHECK(batches.wait_seconds() <= all);
}

TEST_CASE("batches: many sets are read at once") {
  const LabelledImages set = numbered(100);
  const Batches batches(set, {.size = 3, .shuffle = Rng(1)});
  const Seen alone = read(batches, 1);
  Epoch<LabelledImages> a = batches.epoch(1), b = batches.epoch(1);
  auto other = b.begin();
  std::vector<double> labels;
  for (const LabelledImages& batch : a) {
    REQUIRE(other != b.end());
    CHECK(batch.labels.to_vector() == other->labels.to_vector());
    for (const double label : batch.labels.to_vector()) labels.push_back(label);
    ++other;
  }
  CHECK(other == b.end());
  CHECK(labels == alone.labels);
}

TEST_CASE("prefetch: all results, in order, then nothing") {
  Prefetcher<std::int64_t> numbers(0, 100, [](std::int64_t i) { return i; });
  for (std::int64_t i = 0; i < 100; ++i) REQUIRE(numbers.next() == i);
  CHECK_FALSE(numbers.next().has_value());
  CHECK_FALSE(numbers.next().has_value());
  Prefetcher<std::int64_t> none(7, 7, [](std::int64_t i) { return i; });
  CHECK_FALSE(none.next().has_value());
}

TEST_CASE("prefetch: stays at most `ahead` ahead") {
  std::atomic<int> made{0};
  Prefetcher<int> numbers(0, 1000, [&](std::int64_t) { return made++; }, {.ahead = 3});
  CHECK(comes_to(made, 3));
  sleep_ms(20);
  CHECK(made == 3);
  CHECK(numbers.next() == 0);
  CHECK(comes_to(made, 4));
  sleep_ms(20);
  CHECK(made == 4);
  CHECK_THROWS_WITH_AS(Prefetcher<int>(0, 1, [](std::int64_t) { return 1; }, {.ahead = 0}),
                       "prefetch: ahead is 0, expected at least 1", Error);
}

TEST_CASE("prefetch: an exception of the loader reaches the consumer after what came before") {
  Prefetcher<std::int64_t> numbers(0, 9,
                                   [](std::int64_t i) {
                                     if (i >= 2) fail("loader: broken at ", i);
                                     return i;
                                   },
                                   {.ahead = 5});
  sleep_ms(20);
  CHECK(numbers.next() == 0);
  CHECK(numbers.next() == 1);
  CHECK_THROWS_WITH_AS(numbers.next(), "loader: broken at 2", Error);
  CHECK_THROWS_AS(numbers.next(), Error);  // and again: it does not look like an end
  // One that nobody fetches is dropped in silence.
  const Prefetcher<int> unread(0, 1, [](std::int64_t) -> int { throw std::runtime_error("x"); });
}

TEST_CASE("prefetch: works ahead, and measures only real waiting") {
  Prefetcher<std::int64_t> slow(0, 3, [](std::int64_t i) {
    sleep_ms(20);
    return i;
  });
  while (slow.next()) continue;
  CHECK(slow.waited() >= std::chrono::milliseconds(40));

  std::atomic<int> made{0};
  Prefetcher<int> quick(0, 1000, [&](std::int64_t) { return made++; }, {.ahead = 3});
  CHECK(comes_to(made, 3));
  sleep_ms(20);  // made, but perhaps not yet laid ready
  const auto before = quick.waited();
  CHECK(quick.next() == 0);
  CHECK(quick.next() == 1);
  CHECK(quick.waited() == before);  // both were there
}
