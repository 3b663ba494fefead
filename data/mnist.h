// MNIST, wherever it can be found, or else the procedural digits, said aloud.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/data/digest.h>
#include <pliant/data/images.h>

namespace pliant {

struct DigitSet {
  LabelledImages train, test;  // images uint8 [N 28 28 1], labels from 0
  // "mnist": content checked to be the published files. "synthetic-digits": the procedural
  // stand-in. "custom": other images that the user gave by directory.
  std::string name;
  std::string source;  // one line for people: what was used and why

  // The largest label of both halves, and one.
  std::int64_t classes() const;
  bool synthetic() const { return name == "synthetic-digits"; }
};

// One of the four files: its name, to which ".gz" may be added, and its published content.
struct MnistFile {
  std::string name;
  ContentId content;
};
using MnistFiles = std::array<MnistFile, 4>;  // train images, train labels, test images, labels

const MnistFiles& mnist_files();

// Reads the four files in `directory`, named train-images-idx3-ubyte or train-images.idx3-ubyte
// and so on, each plain or with .gz. Any set of 28x28 images will do; the name becomes "mnist" if
// the contents are those of `files`, else "custom". A missing or bad file, other sizes, unequal
// counts and a file of more than 1 GiB, unpacked, are Errors that name the file.
// The files may also lie where torchvision puts them below the directory: in raw, MNIST/raw,
// FashionMNIST/raw or KMNIST/raw; several such sets side by side are an Error.
DigitSet read_digit_directory(const std::filesystem::path& directory,
                              const MnistFiles& files = mnist_files());

// Those of the four files that there are, where read_digit_directory would look.
std::vector<std::filesystem::path> digit_files(const std::filesystem::path& directory);

// <XDG_CACHE_HOME or ~/.cache>/pliant/mnist; empty if neither variable is set.
std::filesystem::path default_mnist_cache();

struct MnistLookup {
  std::string directory;  // of the user (--data); if given, nothing else is tried
  // Of the environment variable PLIANT_DATA; as strict as `directory`.
  std::string environment_directory = from_environment("PLIANT_DATA");
  std::filesystem::path cache = default_mnist_cache();
  std::vector<std::string> mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                      "https://storage.googleapis.com/cvdf-datasets/mnist/"};
  MnistFiles files = mnist_files();      // what cached and downloaded files must contain
  std::int64_t synthetic_train = 20000;  // images of the stand-in
  std::int64_t synthetic_test = 4000;
  std::uint64_t synthetic_seed = 1;
  // Told one line before a download begins, since that may take a while.
  std::function<void(const std::string&)> notice = {};

  static std::string from_environment(const char* variable);  // "" if it is not set
};

// Looks in turn at the user's directory, at PLIANT_DATA, in the cache, and at the mirrors, whose
// files are kept in the cache once their content is checked, or, where that cannot be, are used
// and not kept; failing all that it draws digits.
// Only a directory that was asked for and cannot be used is an Error. Offline it takes at most
// about ten seconds.
DigitSet find_digits(const MnistLookup& lookup = {});

}  // namespace pliant
