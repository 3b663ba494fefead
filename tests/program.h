// For tests of programs: they are started as people start them.
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

#include <pliant/tests/data_files.h>

namespace pliant::test {

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
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(files[0]),
          text_of(files[1])};
}

}  // namespace pliant::test
