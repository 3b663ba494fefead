#include <pliant/apps/mnist/interrupt.h>

#include <csignal>
#include <initializer_list>

namespace pliant {
namespace {

volatile sig_atomic_t signal_asked = 0;

void set(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // The second signal finds the default handler again and ends the process.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

StopOnSignal::StopOnSignal() {
  signal_asked = 0;
  for (const int signal : {SIGINT, SIGTERM}) set(signal, [](int s) { signal_asked = s; });
}

StopOnSignal::~StopOnSignal() {
  for (const int signal : {SIGINT, SIGTERM}) set(signal, SIG_DFL);
  signal_asked = 0;
}

int StopOnSignal::asked() { return signal_asked; }

}  // namespace pliant
