#include <pliant/apps/mnist/progress.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pliant {

Progress::Progress(double total) : total_(total), terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::stage(std::string label) { label_ = std::move(label); }

void Progress::advance(double units, const std::string& detail) {
  done_ += units;
  const auto now = Clock::now();
  const bool due = now - drawn_ >=
                   (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30000));
  if (!due && done_ < total_) return;
  drawn_ = now;
  draw(detail);
}

void Progress::clear() {
  if (visible_) std::fputs("\r\033[K", stderr);
  visible_ = false;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::draw(const std::string& detail) {
  const double fraction = total_ > 0 ? std::min(1.0, done_ / total_) : 1.0;
  const double left = fraction > 0 ? seconds() * (1 - fraction) / fraction : 0;
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(std::lround(fraction * kWidth));
  const std::string bar = std::string(static_cast<std::size_t>(filled), '#') +
                          std::string(static_cast<std::size_t>(kWidth - filled), '.');
  std::fprintf(stderr, "%s[%s] %3.0f %%  ETA %s  %s%s%s%s", terminal_ ? "\r\033[K" : "",
               bar.c_str(), fraction * 100, clock_time(left).c_str(), label_.c_str(),
               detail.empty() ? "" : "  ", detail.c_str(), terminal_ ? "" : "\n");
  std::fflush(stderr);
  visible_ = terminal_;
}

std::string clock_time(double seconds) {
  const long whole = std::lround(std::max(0.0, seconds));
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

}  // namespace pliant
