#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <pliant/tests/mnist_files.h>

using namespace pliant;
using namespace pliant::mnist_test;

TEST_CASE(
    "mnist: a directory is read in either spelling; only the published content is \"mnist\"") {
  const TemporaryFolder folder;
  for (const bool dotted : {false, true}) {
    const fs::path name = dotted ? "dotted" : "dashed";
    const MnistFiles files = write_tiny(folder, name, dotted);
    const DigitSet published = read_digit_directory(folder.path() / name, files);
    CHECK(is_tiny(published));
    CHECK(published.name == "mnist");
    CHECK_FALSE(published.synthetic());
    contains(published.source, "MNIST from " + (folder.path() / name).string());
    CHECK(published.train.size() == 5);
    CHECK(published.test.images.dim(0) == 2);

    const DigitSet other = read_digit_directory(folder.path() / name);
    CHECK(is_tiny(other));
    CHECK(other.name == "custom");
    contains(other.source, "NOT MNIST but the images in");
  }
}

TEST_CASE("mnist: same sizes but another content is not \"mnist\"") {
  const TemporaryFolder folder;
  const MnistFiles files = write_tiny(folder, "set");
  folder.write("set/t10k-images-idx3-ubyte.gz", gzip(image_file(2, 78)));
  CHECK(read_digit_directory(folder.path() / "set", files).name == "custom");
  if (kHasSha) {
    MnistFiles other_hash = write_tiny(folder, "set");
    other_hash[3].content.sha256[5] ^= 1;
    CHECK(read_digit_directory(folder.path() / "set", other_hash).name == "custom");
  }
}

TEST_CASE("mnist: the folder that torchvision was given will do") {
  for (const char* below : {"raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw"}) {
    const TemporaryFolder folder;
    write_tiny(folder, std::string("set/") + below);
    const DigitSet set = read_digit_directory(folder.path() / "set");
    CHECK(is_tiny(set));
    contains(set.source, (folder.path() / "set" / below).string());
  }
  const TemporaryFolder folder;
  write_tiny(folder, "set/MNIST/raw");
  write_tiny(folder, "set/FashionMNIST/raw");
  contains(error_of([&] { read_digit_directory(folder.path() / "set"); }),
           "holds more than one set, ");
  write_tiny(folder, "set");  // what lies in the folder itself comes first
  CHECK(is_tiny(read_digit_directory(folder.path() / "set")));
}

TEST_CASE("mnist: as many classes as the labels of both halves ask for") {
  const TemporaryFolder folder;
  write_tiny(folder, "set");
  CHECK(read_digit_directory(folder.path() / "set").classes() == 10);
  folder.write("set/t10k-labels-idx1-ubyte", label_file({5, 46}));
  CHECK(read_digit_directory(folder.path() / "set").classes() == 47);
}

TEST_CASE("mnist: what is wrong with a directory is said in one line") {
  const TemporaryFolder folder;
  const fs::path set = folder.path() / "set";
  const auto says = [&](const std::string& part) {
    return contains(error_of([&] { read_digit_directory(set); }), part);
  };
  says("set: is not a directory, expected one with the four MNIST files");
  write_tiny(folder, "set");
  fs::remove(set / "t10k-labels-idx1-ubyte.gz");
  says("set: has no t10k-labels-idx1-ubyte (plain or .gz)");
  folder.write("set/t10k-labels-idx1-ubyte", label_file({5, 6, 7}));
  says("t10k-labels-idx1-ubyte: 3 labels, but t10k-images-idx3-ubyte.gz has 2 images");
  folder.write("set/t10k-labels-idx1-ubyte", image_file(2, 0));
  says("t10k-labels-idx1-ubyte: is [2 28 28], expected labels [N]");
  folder.write("set/t10k-labels-idx1-ubyte", label_file({5, 6}));
  folder.write("set/train-images-idx3-ubyte", label_file({1}));
  says("train-images-idx3-ubyte: is [1], expected images [N 28 28]");
  folder.write("set/train-images-idx3-ubyte",
               {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 8, 9});
  says("train-images-idx3-ubyte: is [1 1 2], expected images [N 28 28]");
  folder.write("set/train-images-idx3-ubyte", {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28});
  says("train-images-idx3-ubyte: is [0 28 28], expected images [N 28 28]");
  folder.write("set/train-images-idx3-ubyte", {0, 0, 8});
  says("train-images-idx3-ubyte: shorter than the 4 bytes");
  folder.write("set/train-images-idx3-ubyte",  // 2^21 images, which a small .gz could unpack to
               gzip({0, 0, 8, 3, 0, 0x20, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28}));
  says("[2097152 28 28] promises more than the expected 1073741824 bytes");
  fs::remove(set / "train-images-idx3-ubyte");
  CHECK(is_tiny(read_digit_directory(set)));
}

TEST_CASE("mnist: a directory that was asked for is used or is an error, never replaced") {
  const TemporaryFolder folder;
  const MnistFiles files = write_tiny(folder, "given");
  MnistLookup lookup = isolated(folder, files);
  write_tiny(folder, "cache");  // would be usable

  lookup.directory = (folder.path() / "given").string();
  lookup.environment_directory = "/nonexistent";  // comes second: not looked at
  const DigitSet given = find_digits(lookup);
  CHECK(is_tiny(given));
  contains(given.source, "given (--data)");
  lookup.directory = (folder.path() / "wrong").string();
  contains(error_of([&] { find_digits(lookup); }), "wrong: is not a directory");

  lookup.directory = "";
  contains(error_of([&] { find_digits(lookup); }), "/nonexistent: is not a directory");
  lookup.environment_directory = (folder.path() / "given").string();
  contains(find_digits(lookup).source, "given (PLIANT_DATA)");
}

TEST_CASE("mnist: the environment names the directory and the cache") {
  const Variable data("PLIANT_DATA", "/some/where");
  CHECK(MnistLookup().environment_directory == "/some/where");
  {
    const Variable unset("PLIANT_DATA", nullptr);
    CHECK(MnistLookup().environment_directory.empty());
  }
  const Variable home("HOME", "/home/me");
  const Variable xdg("XDG_CACHE_HOME", "/var/cache/me");
  CHECK(MnistLookup().cache == "/var/cache/me/pliant/mnist");
  const Variable relative("XDG_CACHE_HOME", "cache");
  CHECK(default_mnist_cache() == "/home/me/.cache/pliant/mnist");
  const Variable no_xdg("XDG_CACHE_HOME", nullptr);
  CHECK(default_mnist_cache() == "/home/me/.cache/pliant/mnist");
  const Variable no_home("HOME", nullptr);
  CHECK(default_mnist_cache().empty());
}

TEST_CASE("mnist: the cache is used if its content is right") {
  const TemporaryFolder folder;
  const MnistLookup lookup = isolated(folder, write_tiny(folder, "cache"));
  const DigitSet cached = find_digits(lookup);
  CHECK(is_tiny(cached));
  CHECK(cached.name == "mnist");
  contains(cached.source, "MNIST from " + lookup.cache.string());

  folder.write("cache/train-labels-idx1-ubyte.gz", gzip(label_file({1, 9, 4, 1, 7})));
  const DigitSet replaced = find_digits(lookup);
  CHECK(replaced.synthetic());
  contains(replaced.source, "cache: its files are not those of MNIST");
  contains(replaced.source, content_check_name());
}

TEST_CASE("mnist: without any, the stand-in, labelled as such") {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, mnist_files());
  const DigitSet set = find_digits(lookup);
  CHECK(set.name == "synthetic-digits");
  CHECK(set.synthetic());
  CHECK(set.train.images.shape() == Shape{20, 28, 28, 1});
  CHECK(set.train.labels.shape() == Shape{20});
  CHECK(set.test.images.shape() == Shape{10, 28, 28, 1});
  CHECK(set.test.labels.dtype() == DType::int64);
  contains(set.source, "NOT MNIST but 20 + 10 synthetic digits");
  contains(set.source, "nothing in " + lookup.cache.string());
  contains(set.source, "no download wanted");
  CHECK(find_digits(lookup).train.images.to_vector() == set.train.images.to_vector());
  lookup.synthetic_seed = 2;
  CHECK(find_digits(lookup).train.images.to_vector() != set.train.images.to_vector());
  lookup.cache = "";
  contains(find_digits(lookup).source, "no cache folder (HOME is not set)");
}
