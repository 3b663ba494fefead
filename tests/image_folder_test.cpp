#include <pliant/data/image_folder.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

#include <set>

using namespace pliant;
using namespace pliant::test;

namespace {

// A PGM of one pixel.
Bytes pixel(std::uint8_t value) { return text("P5 1 1 255\n", {value}); }

// 30 cats and 10 dogs, all of them different.
void write_animals(const TemporaryFolder& folder) {
  for (std::uint8_t i = 0; i < 30; ++i) folder.write("cat/" + std::to_string(i) + ".pgm", pixel(i));
  for (std::uint8_t i = 0; i < 10; ++i)
    folder.write("dog/" + std::to_string(i) + ".pgm", pixel(static_cast<std::uint8_t>(100 + i)));
}

std::vector<std::string> paths_of(const ImageFolder& set) {
  std::vector<std::string> paths;
  for (std::int64_t i = 0; i < set.size(); ++i) paths.push_back(set.path(i).string());
  return paths;
}

std::int64_t count_of(const ImageFolder& set, std::int64_t label) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < set.size(); ++i) count += set.label(i) == label ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("image folder: a split takes the same share of each class, by the key alone") {
  const TemporaryFolder folder;
  write_animals(folder);
  const ImageFolder set(folder.path());
  const ImageFolders halves = set.split(0.1, Rng(1));
  CHECK(count_of(halves.val, 0) == 3);
  CHECK(count_of(halves.val, 1) == 1);
  CHECK(halves.train.size() == 36);
  CHECK(halves.val.classes() == set.classes());
  const std::vector<std::string> train = paths_of(halves.train), val = paths_of(halves.val);
  std::set<std::string> all(train.begin(), train.end());
  all.insert(val.begin(), val.end());
  CHECK(all.size() == 40);  // disjoint and complete
  CHECK(paths_of(set.split(0.1, Rng(1)).val) == val);
  CHECK(paths_of(set.split(0.1, Rng(2)).val) != val);
  CHECK(set.split(0.001, Rng(1)).val.size() == 2);  // one of each class
  CHECK(set.split(0.999, Rng(1)).train.size() == 2);
  for (const double share : {0.0, 1.0, -0.5, 2.0, static_cast<double>(NAN)})
    CHECK(contains(error_of([&] { static_cast<void>(set.split(share, Rng(1))); }),
                   "expected one between 0 and 1"));
}

TEST_CASE("image folder: files that are identical in two sets are reported") {
  const TemporaryFolder folder;
  write_animals(folder);
  folder.write("dog/twin of 3 [b].PGM", pixel(3));
  const ImageFolder set(folder.path());
  const std::vector<IdenticalFiles> within = identical_files(set, set);
  CHECK(within.size() == 41 + 2);  // each with itself, and the pair both ways
  std::int64_t between = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const ImageFolders halves = set.split(0.5, Rng(seed));
    for (const IdenticalFiles& pair : identical_files(halves.train, halves.val)) {
      CHECK(pair.first != pair.second);
      ++between;
    }
  }
  CHECK(between > 0);
  CHECK(between < 20);
}

TEST_CASE("image folder: bad files stop a set or are skipped and named") {
  const TemporaryFolder folder;
  write_animals(folder);
  Bytes cut = jpeg();
  cut.resize(cut.size() - 3);
  folder.write("cat/broken.jpg", cut);
  folder.write("dog/empty.png", {});
  const ImageFolder stops(folder.path());
  CHECK(stops.size() == 42);
  CHECK(contains(error_of([&] {
                   for (std::int64_t i = 0; i < stops.size(); ++i) stops.at(i);
                 }),
                 "broken.jpg: the JPEG file cannot be read"));
  const ImageFolder skips(folder.path(), ImageColour::rgb, BadFiles::skip);
  CHECK(skips.size() == 40);
  REQUIRE(skips.skipped().size() == 2);
  CHECK(contains(skips.skipped()[0].name, "broken.jpg"));
  CHECK(contains(skips.skipped()[1].reason, "empty.png: the file is empty"));
  for (std::int64_t i = 0; i < skips.size(); ++i)
    CHECK(skips.at(i).image.shape() == Shape{1, 1, 3});

  const TemporaryFolder bad;
  bad.write("cat/a.png", {});
  CHECK(contains(error_of([&] { ImageFolder(bad.path(), ImageColour::rgb, BadFiles::skip); }),
                 "no file of the set can be read; the first: "));
}
