// Stopping in good order when asked to.
#pragma once

#include <array>
#include <csignal>
#include <exception>

namespace pliant::kit {

// Thrown where work stops because a signal asked for it and what was done is safe.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  int signal() const { return signal_; }
  const char* what() const noexcept override { return "interrupted"; }

 private:
  int signal_;
};

// While one lives, the first SIGINT, SIGTERM or SIGHUP only sets asked(); the second ends the
// process as ever. A signal that is ignored (nohup, or `command &` in a script) stays so. One at a
// time.
class StopOnSignal {
 public:
  StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  ~StopOnSignal();

  // The signal that came, or 0.
  static int asked();

 private:
  std::array<struct sigaction, 3> before_;
};

// Between pieces of work that a signal may part: throws Interrupted once one came.
inline void stop_if_asked() {
  if (const int signal = StopOnSignal::asked(); signal != 0) throw Interrupted(signal);
}

}  // namespace pliant::kit
