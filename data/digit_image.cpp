#include <pliant/data/digit_image.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <pliant/core/error.h>

namespace pliant {
namespace {

constexpr std::int64_t kSide = 28, kBox = 20;
constexpr double kCenter = 14;         // of MNIST's masses, in pixel indices
constexpr double kLeastContrast = 24;  // between the means of ink and ground
constexpr double kFaint = 0.25;        // of the ink: less does not stretch the box
constexpr double kSpeck = 0.02;        // of the largest piece: less does not either
constexpr std::int64_t kLargest = 1024;
constexpr float kGroundNoise = 0.06F;  // of the ink: less is ground

using Histogram = std::array<std::int64_t, 256>;

struct Image {
  const std::uint8_t* pixels;
  std::int64_t height, width;

  std::uint8_t at(std::int64_t r, std::int64_t c) const { return pixels[r * width + c]; }
};

// How ink and ground are told apart: gray -> ink, 0 for the ground and 1 for the ink. Not clamped,
// so that noise around the ground averages out.
struct Ink {
  std::array<float, 256> of;
  Polarity polarity;
};

struct Box {
  std::int64_t top, left, bottom, right;  // the last two are just outside

  std::int64_t height() const { return bottom - top; }
  std::int64_t width() const { return right - left; }
};

Histogram histogram_of(const Image& image, const Box& box) {
  Histogram counts{};
  for (std::int64_t r = box.top; r < box.bottom; ++r)
    for (std::int64_t c = box.left; c < box.right; ++c) ++counts[image.at(r, c)];
  return counts;
}

// Grays up to the threshold are one class, the others the other: N. Otsu, "A threshold selection
// method from gray-level histograms", 1979.
struct Split {
  int threshold = 0;
  double dark_mean = 0, light_mean = 0;
};

Split otsu(const Histogram& counts) {
  double total = 0, sum = 0, dark = 0, dark_sum = 0, best = -1;
  for (int v = 0; v < 256; ++v) {
    const auto n = static_cast<double>(counts[static_cast<std::size_t>(v)]);
    total += n;
    sum += n * v;
  }
  Split split;
  for (int v = 0; v < 255; ++v) {
    const auto n = static_cast<double>(counts[static_cast<std::size_t>(v)]);
    dark += n;
    dark_sum += n * v;
    if (dark == 0 || dark == total) continue;
    const double dark_mean = dark_sum / dark, light_mean = (sum - dark_sum) / (total - dark);
    const double apart = light_mean - dark_mean, between = dark * (total - dark) * apart * apart;
    if (between > best) {
      best = between;
      split = {v, dark_mean, light_mean};
    }
  }
  return split;
}

// The gray that `share` of the counts in [low, high] do not pass.
int quantile(const Histogram& counts, int low, int high, double share) {
  std::int64_t total = 0, seen = 0;
  for (int v = low; v <= high; ++v) total += counts[static_cast<std::size_t>(v)];
  for (int v = low; v <= high; ++v) {
    seen += counts[static_cast<std::size_t>(v)];
    if (static_cast<double>(seen) >= share * static_cast<double>(total)) return v;
  }
  return high;
}

double dark_share(const Histogram& counts, int threshold) {
  std::int64_t total = 0, dark = 0;
  for (int v = 0; v < 256; ++v) {
    total += counts[static_cast<std::size_t>(v)];
    if (v <= threshold) dark += counts[static_cast<std::size_t>(v)];
  }
  return total == 0 ? 0.5 : static_cast<double>(dark) / static_cast<double>(total);
}

// The outermost pixels: a sixteenth of the smaller side, at least one.
Histogram border_of(const Image& image, const Histogram& whole) {
  const std::int64_t edge = std::max<std::int64_t>(1, std::min(image.height, image.width) / 16);
  Histogram counts = whole;
  const Histogram inner =
      histogram_of(image, {edge, edge, image.height - edge, image.width - edge});
  for (std::size_t v = 0; v < counts.size(); ++v) counts[v] -= inner[v];
  return counts;
}

Ink find_ink(const Image& image, const std::string& name) {
  const Histogram whole = histogram_of(image, {0, 0, image.height, image.width});
  const Split split = otsu(whole);
  require(split.light_mean - split.dark_mean >= kLeastContrast, name,
          ": shows no digit, only one even gray");
  const double dark =
      dark_share(whole, split.threshold) + dark_share(border_of(image, whole), split.threshold);
  Ink ink{{}, dark >= 1 ? Polarity::light_on_dark : Polarity::dark_on_light};
  const bool light = ink.polarity == Polarity::light_on_dark;
  const int ground = light ? quantile(whole, 0, split.threshold, 0.5)
                           : quantile(whole, split.threshold + 1, 255, 0.5);
  const int full = light ? quantile(whole, split.threshold + 1, 255, 0.75)
                         : quantile(whole, 0, split.threshold, 0.25);
  for (int v = 0; v < 256; ++v) {
    const double share = static_cast<double>(v - ground) / static_cast<double>(full - ground);
    ink.of[static_cast<std::size_t>(v)] = static_cast<float>(share);
  }
  return ink;
}

// How much of each old pixel goes into one new one along an axis.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

// New pixel i of `to` out of `from`: the mean of what it covers, or bilinear where `to` is larger.
Taps taps_of(std::int64_t i, std::int64_t from, std::int64_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  Taps taps;
  if (ratio >= 1) {
    const double begin = static_cast<double>(i) * ratio, end = begin + ratio;
    taps.first = static_cast<std::int64_t>(begin);
    for (std::int64_t at = taps.first; at < from && static_cast<double>(at) < end; ++at) {
      const double cover =
          std::min(end, static_cast<double>(at) + 1) - std::max(begin, static_cast<double>(at));
      taps.weights.push_back(static_cast<float>(cover / ratio));
    }
  } else {
    const double center = std::clamp((static_cast<double>(i) + 0.5) * ratio - 0.5, 0.0,
                                     static_cast<double>(from - 1));
    taps.first = std::min(static_cast<std::int64_t>(center), std::max<std::int64_t>(0, from - 2));
    const auto second = static_cast<float>(center - static_cast<double>(taps.first));
    taps.weights = {1 - second};
    if (from > 1) taps.weights.push_back(second);
  }
  return taps;
}

// What `value` makes of the grays of a box of the image, resized: [height * width] floats.
std::vector<float> resize(const Image& image, const Box& box, const std::array<float, 256>& value,
                          std::int64_t height, std::int64_t width) {
  std::vector<Taps> columns;
  for (std::int64_t c = 0; c < width; ++c) columns.push_back(taps_of(c, box.width(), width));
  std::vector<float> out(static_cast<std::size_t>(height * width));
  std::vector<float> row(static_cast<std::size_t>(box.width()));
  auto to = out.begin();
  for (std::int64_t r = 0; r < height; ++r) {
    const Taps rows = taps_of(r, box.height(), height);
    std::fill(row.begin(), row.end(), 0.0F);
    std::int64_t from = box.top + rows.first;
    for (const float weight : rows.weights) {
      const std::uint8_t* const pixels = image.pixels + from++ * image.width + box.left;
      for (std::size_t c = 0; c < row.size(); ++c) row[c] += weight * value[pixels[c]];
    }
    for (const Taps& taps : columns) {
      float sum = 0;
      auto at = row.begin() + taps.first;
      for (const float weight : taps.weights) sum += weight * *at++;
      *to++ = sum;
    }
  }
  return out;
}

std::uint8_t byte_of(float value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
}

// A larger image gains nothing: its sides are brought to at most kLargest.
std::vector<std::uint8_t> reduced(const Image& image, std::int64_t height, std::int64_t width) {
  std::array<float, 256> same{};
  for (std::size_t v = 0; v < same.size(); ++v) same[v] = static_cast<float>(v);
  const std::vector<float> values =
      resize(image, {0, 0, image.height, image.width}, same, height, width);
  std::vector<std::uint8_t> bytes(values.size());
  std::transform(values.begin(), values.end(), bytes.begin(), byte_of);
  return bytes;
}

// A connected piece of ink: its box and how many pixels it has.
struct Piece {
  Box box;
  std::int64_t pixels = 0;
};

// Takes the piece that `start` is part of out of `wanted`; neighbours touch by a side or a corner.
Piece take_piece(std::vector<char>& wanted, std::int64_t width, std::int64_t start) {
  const std::int64_t height = static_cast<std::int64_t>(wanted.size()) / width;
  Piece piece{{start / width, start % width, start / width + 1, start % width + 1}};
  std::vector<std::int64_t> open = {start};
  wanted[static_cast<std::size_t>(start)] = 0;
  while (!open.empty()) {
    const std::int64_t r = open.back() / width, c = open.back() % width;
    open.pop_back();
    ++piece.pixels;
    Box& box = piece.box;
    box = {std::min(box.top, r), std::min(box.left, c), std::max(box.bottom, r + 1),
           std::max(box.right, c + 1)};
    for (std::int64_t y = std::max<std::int64_t>(0, r - 1); y < std::min(height, r + 2); ++y)
      for (std::int64_t x = std::max<std::int64_t>(0, c - 1); x < std::min(width, c + 2); ++x)
        if (char& here = wanted[static_cast<std::size_t>(y * width + x)]; here != 0) {
          here = 0;
          open.push_back(y * width + x);
        }
  }
  return piece;
}

// Around all pieces of ink but specks.
Box box_of(const Image& image, const Ink& ink) {
  std::vector<char> wanted(static_cast<std::size_t>(image.height * image.width));
  for (std::size_t i = 0; i < wanted.size(); ++i)
    wanted[i] = static_cast<double>(ink.of[image.pixels[i]]) > kFaint ? 1 : 0;
  std::vector<Piece> pieces;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0) continue;
    pieces.push_back(take_piece(wanted, image.width, static_cast<std::int64_t>(i)));
    largest = std::max(largest, pieces.back().pixels);
  }
  Box all{image.height, image.width, 0, 0};
  for (const Piece& piece : pieces) {
    if (static_cast<double>(piece.pixels) < kSpeck * static_cast<double>(largest)) continue;
    const Box& box = piece.box;
    all = {std::min(all.top, box.top), std::min(all.left, box.left),
           std::max(all.bottom, box.bottom), std::max(all.right, box.right)};
  }
  return all;
}

// The digit as it goes into the output: height x width of ink in 0..1, from `top`, `left` on.
struct Fitted {
  std::int64_t height, width, top, left;
  std::vector<float> ink;
};

// The box scaled to kBox; its mass lies in the middle.
Fitted fit(const Image& image, const Box& box, const Ink& ink, const std::string& name) {
  const std::int64_t longer = std::max(box.height(), box.width());
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, (2 * side * kBox + longer) / (2 * longer));
  };
  Fitted digit{scaled(box.height()), scaled(box.width()), 0, 0, {}};
  digit.ink = resize(image, box, ink.of, digit.height, digit.width);
  // A thin pen is faint where it was averaged; the digit shall reach 1 all the same.
  const float most = std::min(1.0F, *std::max_element(digit.ink.begin(), digit.ink.end()));
  require(most > 0, name, ": shows no digit, only specks");
  double mass = 0, row_sum = 0, column_sum = 0;
  for (std::size_t i = 0; i < digit.ink.size(); ++i) {
    const float share = digit.ink[i] / most;
    digit.ink[i] = share < kGroundNoise ? 0 : std::min(share, 1.0F);
    const auto at = static_cast<std::int64_t>(i);
    const auto value = static_cast<double>(digit.ink[i]);
    mass += value;
    const std::int64_t row = at / digit.width, column = at % digit.width;
    row_sum += value * static_cast<double>(row);
    column_sum += value * static_cast<double>(column);
  }
  digit.top = std::lround(kCenter - row_sum / mass);
  digit.left = std::lround(kCenter - column_sum / mass);
  return digit;
}

Tensor on_black(const Fitted& digit) {
  Tensor out = Tensor::zeros({kSide, kSide, 1}, DType::uint8);
  std::uint8_t* const to = out.mutable_data<std::uint8_t>();
  for (std::int64_t r = 0; r < digit.height; ++r)
    for (std::int64_t c = 0; c < digit.width; ++c) {
      const std::int64_t y = digit.top + r, x = digit.left + c;
      if (y >= 0 && y < kSide && x >= 0 && x < kSide)
        to[y * kSide + x] = byte_of(255 * digit.ink[static_cast<std::size_t>(r * digit.width + c)]);
    }
  return out;
}

// Whether nothing would move: the image is of MNIST's size, light on black, its box is of the
// right size and in the right place.
bool is_fitted(const Image& image, const Box& box, const Ink& ink, const Fitted& digit) {
  return image.height == kSide && image.width == kSide && ink.polarity == Polarity::light_on_dark &&
         ink.of[0] == 0 && box.height() == digit.height && box.width() == digit.width &&
         box.top == digit.top && box.left == digit.left;
}

}  // namespace

const char* name_of(Polarity polarity) {
  return polarity == Polarity::light_on_dark ? "light on dark" : "dark on light";
}

DigitImage digit_image(const Tensor& gray, const std::string& name) {
  require(gray.dtype() == DType::uint8 && gray.rank() == 3 && gray.dim(2) == 1 && gray.size() > 0,
          name, ": a digit's image is ", gray.dtype(), ' ', gray.shape(),
          ", expected uint8 [H W 1]");
  Image image{gray.data<std::uint8_t>(), gray.dim(0), gray.dim(1)};
  std::vector<std::uint8_t> smaller;
  if (std::max(image.height, image.width) > kLargest) {
    const std::int64_t longer = std::max(image.height, image.width);
    const auto smaller_side = [&](std::int64_t side) {
      return std::max<std::int64_t>(1, side * kLargest / longer);
    };
    const std::int64_t height = smaller_side(image.height), width = smaller_side(image.width);
    smaller = reduced(image, height, width);
    image = {smaller.data(), height, width};
  }
  const Ink ink = find_ink(image, name);
  const Box box = box_of(image, ink);
  const Fitted digit = fit(image, box, ink, name);
  return {is_fitted(image, box, ink, digit) ? gray.clone() : on_black(digit), ink.polarity};
}

}  // namespace pliant
