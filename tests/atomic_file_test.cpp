#include <pliant/core/atomic_file.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <fstream>

#include <pliant/core/file_lock.h>
#include <pliant/core/file_name.h>
#include <pliant/data/image_file.h>
#include <pliant/data/mnist.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

void replace(const fs::path& file, const std::string& text) {
  AtomicFile output("test", file);
  output.write(text);
  output.commit();
}

std::string refusal(const fs::path& file) {
  return error_of([&] { AtomicFile("test", file); });
}

unsigned mode_of(const fs::path& file) {
  struct stat there {};
  REQUIRE(::stat(file.c_str(), &there) == 0);
  return there.st_mode & 07777;
}

// What `f` gives in a process of its own; 255 if it ends otherwise.
template <class F>
int in_child(const F& f) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(f());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
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

TEST_CASE("atomic file: what is replaced passes on its mode and attributes") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f.txt";
  for (const mode_t mode : {0600U, 0640U, 0664U, 0755U}) {
    std::ofstream(file) << "old";
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    AtomicFile output("test", file);
    CHECK((mode_of(output.temporary()) & ~mode) == 0);  // nor is it more open on the way
    output.write("new");
    output.commit();
    CHECK(mode_of(file) == mode);
    CHECK(text_of(file) == "new");
  }
  if (::setxattr(file.c_str(), "user.note", "mine", 4, 0) == 0) {  // else there are none here
    replace(file, "newer");
    char note[8] = {};
    CHECK(::getxattr(file.c_str(), "user.note", note, sizeof note) == 4);
    CHECK(std::string(note) == "mine");
  }
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  AtomicFile output("test", file);
  REQUIRE(::chmod(file.c_str(), 0640) == 0);  // while it is written
  output.commit();
  CHECK(mode_of(file) == 0640);
  const mode_t mask = ::umask(027);
  replace(folder.path() / "new.txt", "text");
  ::umask(mask);
  CHECK(mode_of(folder.path() / "new.txt") == 0640);
}

TEST_CASE("atomic file: of another owner it stays that one's, or is not replaced" *
          doctest::skip(::geteuid() != 0)) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f.txt";
  std::ofstream(file) << "theirs";
  REQUIRE(::chown(file.c_str(), 12345, 54321) == 0);
  REQUIRE(::chmod(file.c_str(), 0666) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  replace(file, "by root");
  struct stat there {};
  REQUIRE(::stat(file.c_str(), &there) == 0);
  CHECK(there.st_uid == 12345);
  CHECK(there.st_gid == 54321);
  const int refused = in_child([&] {
    if (::setegid(77777) != 0 || ::seteuid(77777) != 0) return 2;
    return contains(refusal(file), "f.txt: its owner and group cannot be kept") ? 0 : 1;
  });
  CHECK(refused == 0);
  CHECK(text_of(file) == "by root");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("atomic file: a read-only file is not replaced") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f.txt";
  std::ofstream(file) << "kept";
  REQUIRE(::chmod(file.c_str(), 0444) == 0);
  CHECK(contains(refusal(file), "f.txt: is read-only"));
  CHECK(text_of(file) == "kept");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("atomic file: names as long as the file system takes") {
  const TemporaryFolder folder;
  for (const std::size_t length : {1U, 200U, 229U, 230U, 244U, 254U, 255U}) {
    const fs::path file = folder.path() / std::string(length, 'n');
    replace(file, "text");
    CHECK(text_of(file) == "text");
    { const AtomicFile abandoned("test", file); }
    remove_stale_temporaries(file);
    CHECK(fs::exists(file));
  }
  CHECK(entries(folder.path()) == 7);
  CHECK(contains(refusal(folder.path() / std::string(256, 'n')), "cannot be written"));

  const fs::path longest = folder.path() / std::string(255, 'n');
  const fs::path suffixed = with_suffix(longest, ".checkpoint");
  CHECK(suffixed.filename().string().size() == 255);
  CHECK(suffixed.filename().string().ends_with(".checkpoint"));
  CHECK(suffixed != with_suffix(folder.path() / (std::string(254, 'n') + 'm'), ".checkpoint"));
  CHECK(with_suffix("a/b", ".c") == "a/b.c");
}

TEST_CASE("atomic file: neither the current folder nor a long path matters later") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  AtomicFile output("test", "f.txt");
  fs::current_path(before);
  output.write("text");
  output.commit();
  CHECK(text_of(folder.path() / "f.txt") == "text");
}

TEST_CASE("atomic file: a limit on the size of files is an error, and nothing is left") {
  const TemporaryFolder folder;
  const int status = in_child([&] {
    const rlimit limit = {5000, 5000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const std::string text =
        error_of([&] { replace(folder.path() / "f.txt", std::string(10000, 'x')); });
    sigset_t pending;
    sigpending(&pending);
    return contains(text, "f.txt: cannot be written: File too large") &&
                   sigismember(&pending, SIGXFSZ) == 0
               ? 0
               : 1;
  });
  CHECK(status == 0);
  CHECK(entries(folder.path()) == 0);
}

TEST_CASE("file lock: one at a time, however the other ends") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "lock";
  const auto refused = [&] { return error_of([&] { const FileLock lock(file, "it is in use"); }); };
  {
    const FileLock lock(file, "first");
    CHECK(contains(refused(), "it is in use (" + file.string()));
    CHECK(in_child([&] { return contains(refused(), "it is in use") ? 0 : 1; }) == 0);
    CHECK(fs::exists(file));
  }
  CHECK_FALSE(fs::exists(file));
  CHECK(in_child([&] {
          const auto* const leaked = new FileLock(file, "second");
          return leaked != nullptr ? 7 : 0;  // without its destructor, as a kill would
        }) == 7);
  CHECK(fs::exists(file));
  CHECK(refused() == "");
  fs::create_symlink("elsewhere", file);
  CHECK(contains(refused(), "cannot be made"));
}

TEST_CASE("files: a NUL in a name is an Error at every door, and no other file is touched") {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  const fs::path whole = folder.path() / "net", file = whole.string() + "\0.old"s;
  replace(whole, "kept");
  Linear net(2, 2);
  net.initialise(Rng(1));
  MnistLookup lookup;
  lookup.directory = file;
  for (const std::function<void()>& door : std::vector<std::function<void()>>{
           [&] { AtomicFile("test", file); }, [&] { remove_stale_temporaries(file); },
           [&] { FileLock(file, "test"); }, [&] { read_safetensors(file); },
           [&] {
             write_safetensors(file, {{{"x", Tensor::zeros({1})}}, {}});
           },
           [&] { net.save(file); }, [&] { net.load(file); }, [&] { read_image(file); },
           [&] { read_digit_directory(file); }, [&] { find_digits(lookup); }}) {
    const std::string message = error_of(door);
    CAPTURE(message);
    CHECK(contains(
        message, "net?.old, has a NUL character at byte " + std::to_string(whole.string().size())));
  }
  CHECK(text_of(whole) == "kept");
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}
