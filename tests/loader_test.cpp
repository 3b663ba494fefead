// Loader: any data set in batches, prepared by several threads, the same whatever their number.
#include <atomic>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <pliant/data/image_folder.h>
#include <pliant/data/loader.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Samples of different lengths, of which no tensor could hold two: i times a number that is drawn.
struct Ragged {
  std::int64_t count;

  std::int64_t size() const { return count; }
  std::vector<double> at(std::int64_t i, const Rng& rng) const {
    if (i == 17) fail("Ragged: 17 is broken");
    return std::vector<double>(static_cast<std::size_t>(i % 3), rng.uniform(0));
  }
};
static_assert(Dataset<Ragged>);
static_assert(!Dataset<int>);

using Samples = std::vector<std::vector<double>>;

Samples as_they_are(Samples samples) { return samples; }

std::vector<Samples> read(const Loader<Samples>& loader, std::int64_t epoch,
                          std::int64_t first = 0) {
  std::vector<Samples> all;
  for (const Samples& batch : loader.epoch(epoch, first)) all.push_back(batch);
  return all;
}

Loader<Samples> ragged(std::int64_t count, const LoaderOptions& options) {
  return Loader(Ragged{count}, as_they_are, options);
}

void write_ppm(const std::filesystem::path& path, int width, int height, int value) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << "P6 " << width << ' ' << height << " 255\n"
       << std::string(static_cast<std::size_t>(3) * static_cast<std::size_t>(width * height),
                      static_cast<char>(value));
}

}  // namespace

TEST_CASE("loader: the same batches from any number of threads and any queue") {
  const LoaderOptions plain{.size = 3, .shuffle = Rng(1), .augment = Rng(2)};
  const std::vector<Samples> expected = read(ragged(16, plain), 4);
  CHECK(expected.size() == 6);
  CHECK(expected.back().size() == 1);
  CHECK(read(ragged(16, plain), 5) != expected);
  for (const std::int64_t threads : {2, 3, 8})
    for (const std::int64_t ahead : {1, 2, 5, 100}) {
      LoaderOptions options = plain;
      options.threads = threads;
      options.ahead = ahead;
      CHECK(read(ragged(16, options), 4) == expected);
      CHECK(read(ragged(16, options), 4, 2) ==
            std::vector<Samples>(expected.begin() + 2, expected.end()));
    }
}

TEST_CASE("loader: what a sample draws follows from its number and the epoch, not from its place") {
  const std::vector<Samples> ordered = read(ragged(10, {.size = 10, .augment = Rng(3)}), 1);
  const Samples& all = ordered.front();
  for (std::size_t i = 0; i < 10; ++i)
    for (const double value : all[i])
      CHECK(value == Rng(3).fork(std::uint64_t{1}).fork(i).uniform(0));
}

TEST_CASE("loader: a sample that cannot be made ends the loop after all batches before it") {
  for (const std::int64_t threads : {1, 4}) {
    const Loader<Samples> loader = ragged(40, {.size = 3, .ahead = 9, .threads = threads});
    std::size_t batches = 0;
    CHECK(error_of([&] {
            for (const Samples& batch : loader.epoch(0)) batches += batch.size() == 3 ? 1U : 0U;
          }) == "Ragged: 17 is broken");
    CHECK(batches == 5);
    for (const Samples& batch : loader.epoch(0))  // leaving early, beside threads at work
      if (batch.size() == 3) break;
  }
}

TEST_CASE("loader: impossible options are errors") {
  CHECK(error_of([] { ragged(4, {.size = 0}); }) == "loader: size is 0, expected at least 1");
  CHECK(error_of([] { ragged(4, {.threads = 0}); }) == "loader: threads is 0, expected 1 to 256");
  CHECK(error_of([] { ragged(4, {}).epoch(0, 2); }) == "loader: the first batch is 2 of 1");
}

TEST_CASE("prefetch: several threads stay within `ahead`, each number made once") {
  std::atomic<std::int64_t> made{0}, given{0};
  std::atomic<bool> beyond{false};
  Prefetcher<std::int64_t> numbers(5, 1000,
                                   [&](std::int64_t i) {
                                     if (i - 5 >= given + 6)
                                       beyond = true;  // of the one in hand, it may not be told yet
                                     ++made;
                                     return i * i;
                                   },
                                   {.ahead = 5, .threads = 3});
  for (std::int64_t i = 5; i < 1000; ++i) {
    REQUIRE(numbers.next() == i * i);
    ++given;
  }
  CHECK_FALSE(numbers.next().has_value());
  CHECK(made == 995);
  CHECK_FALSE(beyond);
}

TEST_CASE("image folder: classes by name, files by name, read by a loader") {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder.path();
  write_ppm(root / "dog" / "1.ppm", 3, 2, 10);
  write_ppm(root / "cat" / "b.PPM", 3, 2, 20);
  write_ppm(root / "cat" / "deeper" / "a.ppm", 3, 2, 30);
  write_ppm(root / ".hidden" / "a.ppm", 3, 2, 40);
  std::ofstream(root / "cat" / "notes.txt") << "no image";
  const ImageFolder set(root);
  CHECK(set.classes() == std::vector<std::string>{"cat", "dog"});
  REQUIRE(set.size() == 3);
  CHECK(set.label(0) == 0);
  CHECK(set.label(2) == 1);
  CHECK(set.path(0).filename() == "b.PPM");

  const Loader loader(set, stack_images, {.size = 2, .threads = 2});
  std::vector<double> labels, firsts;
  for (const LabelledImages& batch : loader.epoch(0)) {
    CHECK(batch.images.shape() == Shape{batch.size(), 2, 3, 3});
    for (std::int64_t i = 0; i < batch.size(); ++i)
      firsts.push_back(batch.images.data<std::uint8_t>()[i * 18]);
    for (const double label : batch.labels.to_vector()) labels.push_back(label);
  }
  CHECK(labels == std::vector<double>{0, 0, 1});
  CHECK(firsts == std::vector<double>{20, 30, 10});
}

TEST_CASE("image folder: what is wrong is named") {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder.path();
  CHECK(contains(error_of([&] { ImageFolder(root / "none"); }), "is not a folder"));
  CHECK(contains(error_of([&] { ImageFolder{root}; }),
                 "has no folders, expected one for each class"));
  write_ppm(root / "a" / "1.ppm", 2, 2, 1);
  write_ppm(root / "a" / "2.ppm", 3, 2, 1);
  const Loader loader(ImageFolder(root), stack_images, {.size = 2});
  CHECK(contains(error_of([&] { static_cast<void>(loader.epoch(0).begin()); }),
                 "bring them to one size first"));
  std::filesystem::create_directory(root / "b");
  CHECK(contains(error_of([&] { ImageFolder{root}; }), "no images in the folder of this class"));
  std::filesystem::create_directory_symlink(root, root / "a" / "round");
  CHECK(contains(error_of([&] { ImageFolder{root}; }), "folders in one another"));
}
