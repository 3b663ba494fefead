#include <pliant/core/atomic_file.h>

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

void replace(const fs::path& file, const std::string& text) {
  AtomicFile output("test", file);
  output.write(text);
  output.commit();
}

std::string refusal(const fs::path& file) {
  return error_of([&] { AtomicFile("test", file); });
}

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("atomic file: nothing is seen until commit") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f.txt";
  {
    AtomicFile abandoned("test", file);
    abandoned.write("half");
  }
  CHECK(entries(folder.path()) == 0);
  AtomicFile whole("test", file);
  whole.write("whole");
  CHECK_FALSE(fs::exists(file));
  whole.commit();
  CHECK(text_of(file) == "whole");
  CHECK(entries(folder.path()) == 1);
  CHECK(contains(refusal(folder.path() / "no" / "f"),
                 "test: " + (folder.path() / "no" / "f").string() + ": cannot be written"));
}

TEST_CASE("atomic file: a link stays, and what it points at is replaced") {
  const TemporaryFolder folder;
  const fs::path& root = folder.path();
  fs::create_directory(root / "far");
  fs::create_symlink("far/f.txt", root / "dangling");
  fs::create_symlink(root / "dangling", root / "twice");
  for (const char* link : {"dangling", "twice"}) {
    replace(root / link, link);
    CHECK(fs::is_symlink(root / link));
    CHECK_FALSE(fs::is_symlink(root / "far" / "f.txt"));
    CHECK(text_of(root / "far" / "f.txt") == link);
  }
  CHECK(entries(root / "far") == 1);
  std::ofstream(root / "far" / "f.txt.999999999-0.tmp") << "of a process that is gone";
  remove_stale_temporaries(root / "twice");
  CHECK(entries(root / "far") == 1);

  fs::create_symlink("circle", root / "circle");
  CHECK(refusal(root / "circle") ==
        "test: " + (root / "circle").string() + ": too many levels of links");
  CHECK_NOTHROW(remove_stale_temporaries(root / "circle"));
}

TEST_CASE("atomic file: what is no file is not replaced") {
  const TemporaryFolder folder;
  const fs::path inner = folder.path() / "folder", fifo = folder.path() / "fifo";
  fs::create_directory(inner);
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(refusal(inner) == "test: " + inner.string() + ": is a folder, expected a file");
  CHECK(refusal(fifo) == "test: " + fifo.string() + ": is not a regular file");
  CHECK(refusal("/dev/null") == "test: /dev/null: is not a regular file");
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("atomic file: what was killed is cleared away, and nothing else") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f.txt";
  const auto stays = [&](const std::string& name) {
    std::ofstream(folder.path() / name) << "text";
    remove_stale_temporaries(file);
    return fs::exists(folder.path() / name);
  };
  CHECK_FALSE(stays("f.txt.999999999-0.tmp"));
  CHECK_FALSE(stays("f.txt.1-23.tmp"));  // a process of that number lives, but does not hold it
  for (const char* name : {"f.txt", "g.txt.999999999-0.tmp", "f.txt.my-notes.tmp",
                           "f.txt.backup.tmp", "f.txt.1-2x.tmp", "f.txt.-2.tmp", "f.txt.1-.tmp",
                           "f.txt.1-2-3.tmp", "f.txt.tmp", "f.txt.1-2.tmp2"})
    CHECK_MESSAGE(stays(name), name);

  AtomicFile alive("test", file);
  alive.write("whole");
  remove_stale_temporaries(file);
  alive.commit();
  CHECK(text_of(file) == "whole");
}
