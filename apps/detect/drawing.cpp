#include <pliant/apps/detect/drawing.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace pliant::detect {
namespace {

using Colour = std::array<std::uint8_t, 3>;

// Colours that people with any colour vision can tell apart on dark and bright pictures (Okabe and
// Ito 2008).
constexpr std::array<Colour, 7> kColours = {{{240, 228, 66},
                                             {86, 180, 233},
                                             {230, 159, 0},
                                             {0, 158, 115},
                                             {204, 121, 167},
                                             {213, 94, 0},
                                             {0, 114, 178}}};
constexpr Colour kInk = {16, 16, 16};

// A letter is five columns of seven pixels, the lowest bit at the top.
using Letter = std::array<std::uint8_t, 5>;
constexpr std::int64_t kLetterWidth = 5, kLetterHeight = 7;
constexpr std::string_view kKnown = " -.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::array<Letter, 39> kLetters = {{
    {0x00, 0x00, 0x00, 0x00, 0x00}, {0x08, 0x08, 0x08, 0x08, 0x08}, {0x00, 0x60, 0x60, 0x00, 0x00},
    {0x3E, 0x51, 0x49, 0x45, 0x3E}, {0x00, 0x42, 0x7F, 0x40, 0x00}, {0x42, 0x61, 0x51, 0x49, 0x46},
    {0x21, 0x41, 0x45, 0x4B, 0x31}, {0x18, 0x14, 0x12, 0x7F, 0x10}, {0x27, 0x45, 0x45, 0x45, 0x39},
    {0x3C, 0x4A, 0x49, 0x49, 0x30}, {0x01, 0x71, 0x09, 0x05, 0x03}, {0x36, 0x49, 0x49, 0x49, 0x36},
    {0x06, 0x49, 0x49, 0x29, 0x1E}, {0x7E, 0x11, 0x11, 0x11, 0x7E}, {0x7F, 0x49, 0x49, 0x49, 0x36},
    {0x3E, 0x41, 0x41, 0x41, 0x22}, {0x7F, 0x41, 0x41, 0x22, 0x1C}, {0x7F, 0x49, 0x49, 0x49, 0x41},
    {0x7F, 0x09, 0x09, 0x09, 0x01}, {0x3E, 0x41, 0x49, 0x49, 0x7A}, {0x7F, 0x08, 0x08, 0x08, 0x7F},
    {0x00, 0x41, 0x7F, 0x41, 0x00}, {0x20, 0x40, 0x41, 0x3F, 0x01}, {0x7F, 0x08, 0x14, 0x22, 0x41},
    {0x7F, 0x40, 0x40, 0x40, 0x40}, {0x7F, 0x02, 0x0C, 0x02, 0x7F}, {0x7F, 0x04, 0x08, 0x10, 0x7F},
    {0x3E, 0x41, 0x41, 0x41, 0x3E}, {0x7F, 0x09, 0x09, 0x09, 0x06}, {0x3E, 0x41, 0x51, 0x21, 0x5E},
    {0x7F, 0x09, 0x19, 0x29, 0x46}, {0x46, 0x49, 0x49, 0x49, 0x31}, {0x01, 0x01, 0x7F, 0x01, 0x01},
    {0x3F, 0x40, 0x40, 0x40, 0x3F}, {0x1F, 0x20, 0x40, 0x20, 0x1F}, {0x3F, 0x40, 0x38, 0x40, 0x3F},
    {0x63, 0x14, 0x08, 0x14, 0x63}, {0x07, 0x08, 0x70, 0x08, 0x07}, {0x61, 0x51, 0x49, 0x45, 0x43},
}};
constexpr Letter kUnknown = {0x7F, 0x41, 0x41, 0x41, 0x7F};

const Letter& letter_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const std::size_t at = kKnown.find(c);
  return at == std::string_view::npos ? kUnknown : kLetters[at];
}

class Drawing {
 public:
  explicit Drawing(const Tensor& picture)
      : image_(picture.clone()), height_(picture.dim(0)), width_(picture.dim(1)) {}

  void fill(std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right,
            const Colour& colour) {
    std::uint8_t* const pixels = image_.mutable_data<std::uint8_t>();
    for (std::int64_t r = std::max<std::int64_t>(0, top); r < std::min(bottom, height_); ++r)
      for (std::int64_t c = std::max<std::int64_t>(0, left); c < std::min(right, width_); ++c)
        std::copy(colour.begin(), colour.end(), pixels + 3 * (r * width_ + c));
  }

  void frame(std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right,
             std::int64_t thick, const Colour& colour) {
    fill(top, left, top + thick, right, colour);
    fill(bottom - thick, left, bottom, right, colour);
    fill(top, left, bottom, left + thick, colour);
    fill(top, right - thick, bottom, right, colour);
  }

  // On a ground of its colour, with the lower left corner there, moved into the picture.
  void text(const std::string& words, std::int64_t bottom, std::int64_t left, std::int64_t unit,
            const Colour& ground) {
    const std::int64_t step = (kLetterWidth + 1) * unit;
    const std::int64_t tall = (kLetterHeight + 2) * unit;
    const std::int64_t wide = static_cast<std::int64_t>(words.size()) * step + unit;
    left = std::max<std::int64_t>(0, std::min(left, width_ - wide));
    const std::int64_t top = std::max<std::int64_t>(0, bottom - tall);
    fill(top, left, top + tall, left + wide, ground);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const Letter& letter = letter_of(words[i]);
      const std::int64_t x = left + unit + static_cast<std::int64_t>(i) * step;
      for (std::int64_t c = 0; c < kLetterWidth; ++c)
        for (std::int64_t r = 0; r < kLetterHeight; ++r)
          if ((letter[static_cast<std::size_t>(c)] >> r & 1) != 0)
            fill(top + (r + 1) * unit, x + c * unit, top + (r + 2) * unit, x + (c + 1) * unit,
                 kInk);
    }
  }

  Tensor image() && { return std::move(image_); }

 private:
  Tensor image_;
  std::int64_t height_, width_;
};

}  // namespace

Tensor drawn(const Tensor& picture, const std::vector<FoundBox>& found,
             const std::vector<std::string>& classes) {
  constexpr std::int64_t kSideOfUnit = 600;  // the letters of larger pictures are larger
  constexpr std::size_t kLongestName = 12;
  const std::int64_t unit =
      std::max<std::int64_t>(1, std::min(picture.dim(0), picture.dim(1)) / kSideOfUnit + 1);
  std::vector<FoundBox> order = found;
  std::stable_sort(order.begin(), order.end(),
                   [](const FoundBox& a, const FoundBox& b) { return a.score < b.score; });
  Drawing drawing(picture);
  for (const FoundBox& box : order) {
    const auto label = static_cast<std::size_t>(box.label);
    const Colour& colour = kColours[label % kColours.size()];
    const std::int64_t left = std::lround(box.box[0]), top = std::lround(box.box[1]);
    drawing.frame(top, left, std::lround(box.box[3]), std::lround(box.box[2]), unit, colour);
    drawing.text(
        classes[label].substr(0, kLongestName) + ' ' + std::to_string(std::lround(100 * box.score)),
        top, left, unit, colour);
  }
  return std::move(drawing).image();
}

}  // namespace pliant::detect
