// Tiny sets in MNIST's files, for tests of how they are found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <pliant/data/idx.h>
#include <pliant/data/internal/download.h>
#include <pliant/data/mnist.h>
#include <pliant/tests/data_files.h>

namespace pliant::mnist_test {

using test::Bytes;
using test::gzip;
using test::TemporaryFolder;
namespace fs = std::filesystem;

inline const bool kHasSha = std::string(content_check_name()) == "SHA-256";

inline Bytes image_file(std::uint8_t count, std::uint8_t first_pixel) {
  Bytes bytes = {0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28};
  for (int i = 0; i < count * 28 * 28; ++i)
    bytes.push_back(static_cast<std::uint8_t>(first_pixel + i));
  return bytes;
}

inline Bytes label_file(const Bytes& labels) {
  Bytes bytes = {0, 0, 8, 1, 0, 0, 0, static_cast<std::uint8_t>(labels.size())};
  for (const std::uint8_t label : labels) bytes.push_back(label);
  return bytes;
}

// The contents of a tiny set in the order of mnist_files().
inline std::vector<Bytes> tiny_contents() {
  return {image_file(5, 3), label_file({0, 9, 4, 1, 7}), image_file(2, 77), label_file({5, 6})};
}

// Writes it into `folder`/`name` and tells what a lookup has to find there.
inline MnistFiles write_tiny(const TemporaryFolder& folder, const fs::path& name,
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
inline MnistLookup isolated(const TemporaryFolder& folder, const MnistFiles& files) {
  MnistLookup lookup;
  lookup.environment_directory = "";
  lookup.cache = folder.path() / "cache";
  lookup.mirrors = {};
  lookup.files = files;
  lookup.synthetic_train = 20;
  lookup.synthetic_test = 10;
  return lookup;
}

inline std::string mirror_of(const TemporaryFolder& folder, const std::string& name) {
  return "file://" + (folder.path() / name).string();
}

inline bool is_tiny(const DigitSet& set) {
  return set.train.images.shape() == Shape{5, 28, 28, 1} &&
         set.train.images.dtype() == DType::uint8 &&
         set.train.images.data<std::uint8_t>()[784] == static_cast<std::uint8_t>(3 + 784) &&
         set.train.labels.dtype() == DType::int64 &&
         set.train.labels.to_vector() == std::vector<double>{0, 9, 4, 1, 7} &&
         set.test.images.shape() == Shape{2, 28, 28, 1} &&
         set.test.images.data<std::uint8_t>()[0] == 77 &&
         set.test.labels.to_vector() == std::vector<double>{5, 6};
}

inline bool contains(const std::string& text, const std::string& part) {
  INFO("in: ", text, ", looked for: ", part);
  CHECK(text.find('\n') == std::string::npos);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

template <class F>
inline std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

inline std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

inline void set_variable(const char* name, const char* value) {
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

}  // namespace pliant::mnist_test
