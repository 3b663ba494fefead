#include <doctest/doctest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <pliant/data/download.h>
#include <pliant/data/idx.h>
#include <pliant/data/mnist.h>
#include <pliant/tests/data_files.h>

using namespace pliant;
using test::Bytes;
using test::gzip;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const bool kHasSha = std::string(content_check_name()) == "SHA-256";

Bytes image_file(std::uint8_t count, std::uint8_t first_pixel) {
  Bytes bytes = {0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28};
  for (int i = 0; i < count * 28 * 28; ++i)
    bytes.push_back(static_cast<std::uint8_t>(first_pixel + i));
  return bytes;
}

Bytes label_file(const Bytes& labels) {
  Bytes bytes = {0, 0, 8, 1, 0, 0, 0, static_cast<std::uint8_t>(labels.size())};
  for (const std::uint8_t label : labels) bytes.push_back(label);
  return bytes;
}

// The contents of a tiny set in the order of mnist_files().
std::vector<Bytes> tiny_contents() {
  return {image_file(5, 3), label_file({0, 9, 4, 1, 7}), image_file(2, 77), label_file({5, 6})};
}

// Writes it into `folder`/`name` and tells what a lookup has to find there.
MnistFiles write_tiny(const TemporaryFolder& folder, const fs::path& name,
                      bool dotted_and_plain = false) {
  MnistFiles files = mnist_files();
  const std::vector<Bytes> contents = tiny_contents();
  for (std::size_t i = 0; i < 4; ++i) {
    std::string spelling = files[i].name;
    if (dotted_and_plain)
      spelling.replace(spelling.rfind("-idx"), 1, ".");
    else
      spelling += ".gz";
    const Bytes bytes = dotted_and_plain ? contents[i] : gzip(contents[i]);
    read_idx(folder.write(name / spelling, bytes), &files[i].content);
  }
  return files;
}

// A lookup that sees nothing of the machine that the test runs on.
MnistLookup isolated(const TemporaryFolder& folder, const MnistFiles& files) {
  MnistLookup lookup;
  lookup.environment_directory = "";
  lookup.cache = folder.path() / "cache";
  lookup.mirrors = {};
  lookup.files = files;
  lookup.synthetic_train = 20;
  lookup.synthetic_test = 10;
  return lookup;
}

std::string mirror_of(const TemporaryFolder& folder, const std::string& name) {
  return "file://" + (folder.path() / name).string();
}

bool is_tiny(const DigitSet& set) {
  return set.train_images.shape() == Shape{5, 28, 28, 1} &&
         set.train_images.dtype() == DType::uint8 &&
         set.train_images.data<std::uint8_t>()[784] == static_cast<std::uint8_t>(3 + 784) &&
         set.train_labels.dtype() == DType::int64 &&
         set.train_labels.to_vector() == std::vector<double>{0, 9, 4, 1, 7} &&
         set.test_images.shape() == Shape{2, 28, 28, 1} &&
         set.test_images.data<std::uint8_t>()[0] == 77 &&
         set.test_labels.to_vector() == std::vector<double>{5, 6};
}

bool contains(const std::string& text, const std::string& part) {
  INFO("in: ", text, ", looked for: ", part);
  CHECK(text.find('\n') == std::string::npos);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void set_variable(const char* name, const char* value) {
  if (value == nullptr)
    ::unsetenv(name);
  else
    ::setenv(name, value, 1);
}

// Sets an environment variable for a while.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name); before != nullptr) {
      before_ = before;
      was_set_ = true;
    }
    set_variable(name, value);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { set_variable(name_, was_set_ ? before_.c_str() : nullptr); }

 private:
  const char* name_;
  std::string before_;
  bool was_set_ = false;
};

// What `f` gives in the first process of a namespace of its own, so that its number is 1 as in any
// other container; where that is not allowed, in a process like others.
template <class F>
int in_container(const F& f) {
  constexpr unsigned kSeconds = 60;
  ::alarm(kSeconds);
  if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
    MESSAGE("no namespaces here");
  const pid_t first = ::fork();
  if (first == 0) ::_exit(f());
  int status = 1;
  return ::waitpid(first, &status, 0) == first && status == 0 ? 0 : 1;
}

}  // namespace

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
    CHECK(published.train().size() == 5);
    CHECK(published.test().images.dim(0) == 2);

    const DigitSet other = read_digit_directory(folder.path() / name);
    CHECK(is_tiny(other));
    CHECK(other.name == "custom");
    contains(other.source, "NOT MNIST but the pictures in");
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
  CHECK(set.train_images.shape() == Shape{20, 28, 28, 1});
  CHECK(set.train_labels.shape() == Shape{20});
  CHECK(set.test_images.shape() == Shape{10, 28, 28, 1});
  CHECK(set.test_labels.dtype() == DType::int64);
  contains(set.source, "NOT MNIST but 20 + 10 synthetic digits");
  contains(set.source, "nothing in " + lookup.cache.string());
  contains(set.source, "no download wanted");
  CHECK(find_digits(lookup).train_images.to_vector() == set.train_images.to_vector());
  lookup.synthetic_seed = 2;
  CHECK(find_digits(lookup).train_images.to_vector() != set.train_images.to_vector());
  lookup.cache = "";
  contains(find_digits(lookup).source, "no cache folder (HOME is not set)");
}

TEST_CASE("mnist: the four files are downloaded once, checked and kept" *
          doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  std::vector<std::string> notices;
  lookup.notice = [&](const std::string& line) { notices.push_back(line); };
  lookup.mirrors = {mirror_of(folder, "missing/"), mirror_of(folder, "mirror")};
  const DigitSet set = find_digits(lookup);
  CHECK(is_tiny(set));
  CHECK(set.name == "mnist");
  contains(set.source, "(just downloaded)");
  CHECK(notices.size() == 1);
  CHECK(entries(lookup.cache) == 4);  // and nothing unfinished

  lookup.mirrors = {};
  contains(find_digits(lookup).source, "MNIST from " + lookup.cache.string());
  CHECK(notices.size() == 1);
}

TEST_CASE("mnist: a download mends a damaged cache" * doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  lookup.mirrors = {mirror_of(folder, "mirror")};
  write_tiny(folder, "cache");
  folder.write("cache/t10k-images-idx3-ubyte", image_file(2, 1));     // found before the .gz
  folder.write("cache/train-labels-idx1-ubyte.gz", {0x1F, 0x8B, 0});  // truncated
  CHECK(is_tiny(find_digits(lookup)));
  CHECK(entries(lookup.cache) == 4);
}

TEST_CASE("mnist: a mirror with another content is not believed" * doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  folder.write("mirror/t10k-labels-idx1-ubyte.gz", gzip(label_file({5, 5})));
  lookup.mirrors = {mirror_of(folder, "mirror"), mirror_of(folder, "missing")};
  const DigitSet set = find_digits(lookup);
  CHECK(set.synthetic());
  contains(set.source, "its content is not that of t10k-labels-idx1-ubyte");
  contains(set.source, "download: file://");
  CHECK(entries(lookup.cache) == 3);  // those that were right
}

TEST_CASE("mnist: a cache that cannot be written leads to the stand-in" *
          doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  lookup.mirrors = {mirror_of(folder, "mirror")};
  lookup.cache = folder.write("a-file", {1}) / "cache";
  const DigitSet set = find_digits(lookup);
  CHECK(set.synthetic());
  contains(set.source, "cannot be made");
}

TEST_CASE("mnist: many at once on one empty cache all get it" * doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  lookup.mirrors = {mirror_of(folder, "mirror")};
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(lookup.cache);
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      children.push_back(::fork());
      if (children.back() == 0)
        ::_exit(in_container([&] { return find_digits(lookup).synthetic() ? 1 : 0; }));
    }
    std::vector<std::thread> threads;
    std::atomic<int> found = 0;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { found += find_digits(lookup).synthetic() ? 0 : 1; });
    for (std::thread& thread : threads) thread.join();
    CHECK(found == 4);
    for (const pid_t child : children) {
      int status = 1;
      REQUIRE(::waitpid(child, &status, 0) == child);
      CHECK(status == 0);
    }
    CHECK(entries(lookup.cache) == 4);
  }
}

TEST_CASE("mnist: a link in the cache leads a download nowhere" * doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  lookup.mirrors = {mirror_of(folder, "mirror")};
  const fs::path target = folder.write("precious", {1, 2, 3});
  fs::create_directories(lookup.cache);
  for (const MnistFile& file : lookup.files)
    fs::create_symlink(target,
                       lookup.cache / (file.name + ".gz." + std::to_string(::getpid()) + ".part"));
  CHECK(is_tiny(find_digits(lookup)));
  CHECK(fs::file_size(target) == 3);
}

TEST_CASE("mnist: a mirror's file is not unpacked beyond what it should hold" *
          doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  folder.write("mirror/train-images-idx3-ubyte.gz",
               gzip({0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 0, 28, 0, 0, 0, 28}));
  lookup.mirrors = {mirror_of(folder, "mirror")};
  const DigitSet set = find_digits(lookup);
  CHECK(set.synthetic());
  contains(set.source, "the IDX header [65535 28 28] promises more than the expected ");
}

TEST_CASE("download: failures name the URL, leave no file, and come soon") {
  const TemporaryFolder folder;
  const fs::path to = folder.path() / "file";
  const auto start = std::chrono::steady_clock::now();
  if (!can_download()) {
    contains(error_of([&] { download("file:///x", to); }), "this build has no libcurl");
  } else {
    const std::string url = mirror_of(folder, "missing");
    contains(error_of([&] { download(url, to); }), "download: " + url + ": ");
    // Port 9 of this machine: refused at once.
    contains(error_of([&] { download("http://127.0.0.1:9/x", to); }), "127.0.0.1:9/x: ");
    contains(error_of([&] { download("gopher://127.0.0.1/x", to); }), "gopher://127.0.0.1/x: ");
    folder.write("large", Bytes(100000));
    contains(error_of([&] { download(mirror_of(folder, "large"), to, {.max_bytes = 99999}); }),
             "more than 99999 bytes");
    CHECK_FALSE(fs::exists(to));
    download(mirror_of(folder, "large"), to, {.max_bytes = 100000});
    CHECK(fs::file_size(to) == 100000);
    contains(error_of([&] { download(url, folder.path() / "no" / "file"); }), "cannot be written");
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}
