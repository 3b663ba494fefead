// A progress bar with an estimate of the time left, on standard error.
#pragma once

#include <chrono>
#include <string>

namespace pliant::kit {

// Work is counted in units of equal expected cost. On a terminal one line is redrawn, as much of it
// as the terminal's present width holds, with no other control character than a carriage return;
// elsewhere a line is printed every half minute.
class Progress {
 public:
  explicit Progress(double total);

  // What is under way, shown beside the bar.
  void stage(std::string label);
  void advance(double units, const std::string& detail = "");
  // Takes work out that turned out not to be needed.
  void skip(double units) { total_ -= units; }
  // Wipes the bar, so that other lines can be printed; it comes back at the next advance().
  void clear();
  double seconds() const;

 private:
  void draw(const std::string& detail);

  using Clock = std::chrono::steady_clock;
  double total_, done_ = 0;
  std::string label_;
  Clock::time_point start_ = Clock::now(), drawn_{};
  bool terminal_;
  std::size_t visible_ = 0;  // columns of the bar on the terminal
};

// 75 -> "1:15", 3700 -> "1:01:40".
std::string clock_time(double seconds);

}  // namespace pliant::kit
