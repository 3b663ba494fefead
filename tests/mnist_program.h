// For tests of pliant-mnist: a few digits, also as files, and the program itself, started as people
// start it.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <pliant/data/mnist.h>
#include <pliant/tests/data_files.h>

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

struct Ended {
  int status = 0;  // the exit status, or 128 + the signal that ended it
  std::string out, err;
};

// Runs a program to its end; `signal`, if any, is sent after so many milliseconds.
inline Ended run_program(std::vector<std::string> words, int signal = 0, int milliseconds = 0) {
  const TemporaryFolder folder;
  const std::string files[] = {folder.path() / "out", folder.path() / "err"};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  for (const int stream : {1, 2})
    posix_spawn_file_actions_addopen(&streams, stream, files[stream - 1].c_str(),
                                     O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  const int failure =
      ::posix_spawn(&child, words[0].c_str(), &streams, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&streams);
  REQUIRE(failure == 0);
  if (signal != 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ::kill(child, signal);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const auto text = [](const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text(files[0]),
          text(files[1])};
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
