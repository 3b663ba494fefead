#include <pliant/apps/kit/progress.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <pliant/core/text.h>

namespace pliant::kit {
namespace {

// A character in the last column would begin a new line on some terminals.
std::size_t free_columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::size_t{size.ws_col} - 1 : 79;
}

}  // namespace

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
  const std::string blank(std::min(visible_, free_columns()), ' ');
  if (visible_ > 0) std::fputs(('\r' + blank + '\r').c_str(), stderr);
  visible_ = 0;
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
  const std::string percent = fixed(fraction * 100, 0);
  std::string line = '[' + bar + "] " + std::string(3 - percent.size(), ' ') + percent +
                     " %  ETA " + clock_time(left) + "  " + label_ + (detail.empty() ? "" : "  ") +
                     detail;
  if (terminal_) {
    const std::size_t columns = free_columns();
    line = cut_to(line, columns);
    const std::size_t shown = line.size();
    if (shown < visible_) line.append(std::min(visible_, columns) - std::min(shown, columns), ' ');
    visible_ = shown;
    std::fputs(('\r' + line).c_str(), stderr);
  } else {
    std::fputs((line + '\n').c_str(), stderr);
  }
  std::fflush(stderr);
}

std::string clock_time(double seconds) {
  constexpr double kLongest = 1e15;
  const long long whole = std::llround(std::clamp(seconds, 0.0, kLongest));
  const auto two = [](long long number) { return text_from(number / 10, number % 10); };
  const long long hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return std::to_string(hours) + ':' + two(minutes) + ':' + two(whole % 60);
  return std::to_string(minutes) + ':' + two(whole % 60);
}

}  // namespace pliant::kit
