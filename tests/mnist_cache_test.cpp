// MNIST from mirrors into the cache, by one process or many.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iterator>
#include <thread>

#include <pliant/tests/mnist_files.h>

using namespace pliant;
using namespace pliant::mnist_test;

namespace {

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

TEST_CASE("mnist: where nothing can be kept the download is used all the same" *
          doctest::skip(!can_download())) {
  const TemporaryFolder folder;
  const Variable temporary("TMPDIR", (folder.path() / "tmp").c_str());
  fs::create_directories(folder.path() / "tmp");
  MnistLookup lookup = isolated(folder, write_tiny(folder, "mirror"));
  const auto check = [&](const std::string& reason) {
    lookup.mirrors = {mirror_of(folder, "missing"), mirror_of(folder, "mirror")};
    const DigitSet set = find_digits(lookup);
    CHECK(is_tiny(set));
    CHECK(set.name == "mnist");
    contains(set.source, "MNIST, just downloaded and not kept: ");
    contains(set.source, reason);
    CHECK(entries(folder.path() / "tmp") == 0);
    lookup.mirrors = {mirror_of(folder, "missing")};
    contains(find_digits(lookup).source, "NOT MNIST");
    CHECK(entries(folder.path() / "tmp") == 0);
  };
  lookup.cache = folder.write("a-file", {1}) / "cache";
  check("cannot be made: Not a directory");
  lookup.cache = "/proc/pliant";  // where not even root makes anything
  check("/proc/pliant cannot be made");
  lookup.cache = "/proc/self";  // a folder that is there
  check("cache: /proc/self/train-images-idx3-ubyte.gz: cannot be written");
  lookup.cache = "";
  check("there is no cache folder");
  // A folder under the name of a file cannot be taken away.
  lookup.cache = folder.path() / "cache";
  folder.write("cache/train-images-idx3-ubyte/x", {1});
  check("train-images-idx3-ubyte: is a directory");
  // Without a place at all it is said why.
  const Variable nowhere("TMPDIR", (folder.path() / "no").c_str());
  lookup.mirrors = {mirror_of(folder, "mirror")};
  contains(find_digits(lookup).source, "no temporary folder can be made: ");
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
  for (const MnistFile& file : lookup.files)
    fs::create_symlink(target, lookup.cache / (file.name + ".gz"));
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
