#include <pliant/core/program.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include <pliant/core/error.h>
#include <pliant/core/text.h>

namespace pliant {
namespace {

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) != -1; }

// By what can be neither read nor written, and is always there. In ascending order: open() takes
// the lowest number that is free.
void fill_closed_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (!is_open(descriptor)) static_cast<void>(::open("/", O_RDONLY | O_DIRECTORY));
}

bool written(std::FILE* stream, std::ostream& output) {
  output.flush();
  const bool flushed = std::fflush(stream) == 0 && std::ferror(stream) == 0 && output.good();
  // Some file systems tell only at a close that there is no room.
  const int copy = ::fcntl(::fileno(stream), F_DUPFD_CLOEXEC, 0);
  return (copy < 0 || ::close(copy) == 0) && flushed;
}

int told(const char* name, const char* what) {
  std::cerr << name << ": " << printable(what) << std::endl;
  return 1;
}

// The status once everything is written, and what hindered that on the stream that still works.
int with_output(const char* name, int status) {
  if (!written(stdout, std::cout)) {
    told(name, "standard output could not be written completely");
    status = status == 0 ? 1 : status;
  }
  if (!written(stderr, std::cerr)) {
    std::cout << name << ": standard error could not be written completely" << std::endl;
    status = status == 0 ? 1 : status;
  }
  return status;
}

int guarded(const char* name, const std::function<int()>& body) {
  try {
    require(body != nullptr, "run_program: the function is empty");
    return body();
  } catch (const std::bad_alloc&) {
    return told(name, "there is not enough memory");
  } catch (const std::exception& error) {
    return told(name, error.what());
  }
}

}  // namespace

int run_program(const char* name, const std::function<int()>& body) {
  const bool output = is_open(STDOUT_FILENO), errors = is_open(STDERR_FILENO);
  fill_closed_streams();
  std::signal(SIGXFSZ, SIG_IGN);
  if (!output) return told(name, "standard output is closed");
  if (!errors) {
    std::cout << name << ": standard error is closed" << std::endl;
    return 1;
  }
  return with_output(name, guarded(name, body));
}

}  // namespace pliant
