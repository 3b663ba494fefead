// For tests of pliant-mnist: a few digits, also as files, and the program itself.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pliant/data/mnist.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/program.h>

namespace pliant::test {

inline DigitSet few_digits(std::int64_t train, std::int64_t test) {
  MnistLookup lookup;
  lookup.environment_directory = "";
  lookup.cache = "";
  lookup.mirrors = {};
  lookup.synthetic_train = train;
  lookup.synthetic_test = test;
  return find_digits(lookup);
}

// The four files of a digit set in `folder`.
inline void write_digits(const TemporaryFolder& folder, const DigitSet& digits) {
  const auto append = [](Bytes& bytes, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(number >> shift));
  };
  const auto write = [&](const std::string& part, const LabelledImages& set) {
    Bytes images, labels;
    const auto count = static_cast<std::uint32_t>(set.size());
    for (const std::uint32_t number : {0x803u, count, 28u, 28u}) append(images, number);
    images.insert(images.end(), set.images.data<std::uint8_t>(),
                  set.images.data<std::uint8_t>() + set.images.size());
    for (const std::uint32_t number : {0x801u, count}) append(labels, number);
    for (std::int64_t i = 0; i < set.size(); ++i)
      labels.push_back(static_cast<std::uint8_t>(set.labels.data<std::int64_t>()[i]));
    folder.write(part + "-images-idx3-ubyte", images);
    folder.write(part + "-labels-idx1-ubyte", labels);
  };
  write("train", digits.train);
  write("t10k", digits.test);
}

inline Ended run_mnist(std::vector<std::string> words, int signal = 0, int milliseconds = 0) {
  words.insert(words.begin(), PLIANT_MNIST_PROGRAM);
  return run_program(std::move(words), signal, milliseconds);
}

// Runs a line of shell, in which $mnist is the program.
inline Ended run_shell(const std::string& line) {
  return run_program({"/bin/sh", "-c", "mnist='" PLIANT_MNIST_PROGRAM "'; " + line});
}

}  // namespace pliant::test
