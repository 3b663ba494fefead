#include <pliant/apps/kit/interrupt.h>

#include <cstddef>

namespace pliant::kit {
namespace {

volatile sig_atomic_t signal_asked = 0;

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

}  // namespace

StopOnSignal::StopOnSignal() {
  signal_asked = 0;
  struct sigaction action {};
  action.sa_handler = [](int signal) { signal_asked = signal; };
  // The second signal finds the default handler again and ends the process.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

StopOnSignal::~StopOnSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  signal_asked = 0;
}

int StopOnSignal::asked() { return signal_asked; }

}  // namespace pliant::kit
