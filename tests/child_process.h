// For tests of what ends, or belongs to, a whole process: a fork of this one, and this program
// anew.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

namespace pliant::test {

// Whether memory is a sanitizer's to hand out: limits and peaks of the process say nothing then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

inline constexpr int kHung = -1;

// The exit status of `child`, or 128 + the signal that ended it; kHung, and it is killed, if it has
// not ended after `seconds`.
inline int wait_for(pid_t child, int seconds = 60) {
  int status = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return kHung;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Forks; the child returns from main with what f returns: handlers of exit() and destructors of
// static objects run. Not for CHECK, which would count in the child.
template <class F>
pid_t start_child(F&& f) {
  std::cout.flush();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child != 0) return child;
  int status = 99;
  try {
    status = f();
  } catch (...) {
    ::_exit(98);
  }
  std::exit(status);
}

template <class F>
int in_child(F&& f) {
  return wait_for(start_child(f));
}

struct Anew {
  int status = 0;
  std::string output;
};

// Runs the test case `name` of this program, skipped or not, in a process of its own, with
// `environment` ("A=1 B='x y'") and whatever shell words are to stand before.
inline Anew run_anew(const std::string& environment, const std::string& name) {
  std::string program(4096, '\0');
  program.resize(static_cast<std::size_t>(
      std::max<ssize_t>(::readlink("/proc/self/exe", program.data(), program.size()), 0)));
  const std::string command =
      environment + " '" + program + "' --no-skip --no-colors=true -tc='" + name + "' 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Anew result;
  char text[4096];
  while (const std::size_t read = std::fread(text, 1, sizeof text, pipe))
    result.output.append(text, read);
  result.status = ::pclose(pipe);
  return result;
}

}  // namespace pliant::test
