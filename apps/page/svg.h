// Svg: a small drawing as text, the same bytes for the same calls. Lengths are in pixels; what is
// written is rounded to a tenth. The drawing brings its own background, so that it is readable on
// light pages and on dark ones.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pliant::page {

struct Place {
  double y = 0, x = 0;
};

// Colours that people with any colour vision can tell apart (Okabe and Ito 2008).
inline constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#a0508a"};

// Rounded to a tenth, without a trailing zero.
std::string tenths(double value);
// Three digits of a positive number: "0.0123", "1.23e-05".
std::string three_digits(double value);

enum class Anchor : unsigned char { start, middle };

class Svg {
 public:
  // `title` and `description` are for those who cannot see it.
  Svg(double width, double height, std::string_view title, std::string_view description);

  void heading(double y, double x, std::string_view text);
  void text(double y, double x, std::string_view text, Anchor anchor = Anchor::start);
  void rectangle(double y, double x, double height, double width, std::string_view attributes);
  void circle(const Place& at, double radius, std::string_view attributes);
  void line(const Place& from, const Place& to, std::string_view attributes);
  // A line through points; those a NaN apart are not joined.
  void path(std::span<const Place> points, std::string_view attributes);
  void arrow(const Place& from, const Place& to, std::string_view colour);
  // Something between <g attributes> and </g>.
  void open(std::string_view attributes);
  void close();
  void raw(std::string_view elements) { body_ += elements; }

  // The whole file.
  std::string file() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

// A map of rows x columns pixels of the side `unit`, with a margin of so many pixels around it.
struct Frame {
  double y = 0, x = 0;  // of the margin's corner
  double unit = 10;
  int rows = 28, columns = 28;
  int margin = 0;

  double height() const { return (rows + 2 * margin) * unit; }
  double width() const { return (columns + 2 * margin) * unit; }
  // Pixel centres lie at whole coordinates.
  Place at(const Place& of_map) const {
    return {y + (of_map.y + margin + 0.5) * unit, x + (of_map.x + margin + 0.5) * unit};
  }
};

// The values [rows * columns] as squares from white (`low`) to `darkest` of 255 (`high`).
struct Shades {
  double low = 0, high = 1;
  int darkest = 120;
};
void draw_map(Svg& svg, const Frame& frame, std::span<const double> values,
              const Shades& shades = {});

// The same with a number in each square.
void draw_numbers(Svg& svg, const Frame& frame, std::span<const double> values,
                  const Shades& shades = {});

// A sampling point: where it would be, where it is, and how much it counts.
struct Tap {
  Place regular, moved;
  double weight = 1;  // its area; below 0: a ring
  int colour = 0;
};
void draw_taps(Svg& svg, const Frame& frame, std::span<const Tap> taps);
// The kernel that nine taps, row by row, make: lines between neighbours.
void draw_lattice(Svg& svg, const Frame& frame, std::span<const Tap> taps);
// A small cross at an output location.
void draw_location(Svg& svg, const Frame& frame, const Place& at);

}  // namespace pliant::page
