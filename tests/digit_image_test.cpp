#include <pliant/data/digit_image.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include <pliant/data/digits.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Gray = std::function<double(std::int64_t r, std::int64_t c)>;

Tensor draw(std::int64_t height, std::int64_t width, const Gray& gray) {
  Tensor out = Tensor::empty({height, width, 1}, DType::uint8);
  std::uint8_t* to = out.mutable_data<std::uint8_t>();
  for (std::int64_t r = 0; r < height; ++r)
    for (std::int64_t c = 0; c < width; ++c)
      *to++ = static_cast<std::uint8_t>(std::lround(std::clamp(gray(r, c), 0.0, 255.0)));
  return out;
}

double pixel(const Tensor& image, std::int64_t r, std::int64_t c) {
  if (r < 0 || c < 0 || r >= image.dim(0) || c >= image.dim(1)) return 0;
  return image.data<std::uint8_t>()[r * image.dim(1) + c];
}

// `image` with each pixel as zoom x zoom, off the centre of a larger image, grays mapped.
Tensor pasted(const Tensor& image, std::int64_t zoom, const std::function<double(double)>& gray) {
  return draw(50 * zoom, 37 * zoom, [&](std::int64_t r, std::int64_t c) {
    return gray(pixel(image, (r + 8 * zoom) / zoom - 20, (c + 8 * zoom) / zoom - 10));
  });
}

double mean_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to_vector(), y = b.to_vector();
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(x[i] - y[i]);
  return sum / static_cast<double>(x.size());
}

}  // namespace

TEST_CASE("digit image: size, place, polarity and contrast of the image do not matter") {
  const LabelledImages digits = make_digits(40, Rng(3));
  for (std::int64_t i = 0; i < digits.size(); ++i) {
    const Tensor raw = digits.images.slice(i, i + 1).reshape({28, 28, 1});
    const DigitImage digit = digit_image(raw, "digit");
    CHECK(digit.polarity == Polarity::light_on_dark);
    const DigitImage dark =
        digit_image(pasted(raw, 3, [](double v) { return 230 - 0.7 * v; }), "dark");
    CHECK(dark.polarity == Polarity::dark_on_light);
    // More ground moves Otsu's threshold a little, and with it what counts as full ink.
    CHECK(mean_difference(dark.image, digit.image) < 5);
    const DigitImage light =
        digit_image(pasted(raw, 7, [](double v) { return 40 + 0.5 * v; }), "light");
    CHECK(light.polarity == Polarity::light_on_dark);
    CHECK(mean_difference(light.image, digit.image) < 5);
  }
}

TEST_CASE("digit image: box of 20, proportions kept, mass at (14, 14)") {
  // An L of 300 x 150, whose mass is off the middle of its box.
  const Tensor image = draw(700, 900, [](std::int64_t r, std::int64_t c) {
    const bool stem = c >= 50 && c < 110 && r >= 20 && r < 320;
    const bool foot = r >= 260 && r < 320 && c >= 50 && c < 200;
    return stem || foot ? 30.0 : 220.0;
  });
  const DigitImage digit = digit_image(image, "L");
  double mass = 0, rows = 0, columns = 0;
  std::int64_t top = 28, bottom = -1, left = 28, right = -1;
  for (std::int64_t r = 0; r < 28; ++r)
    for (std::int64_t c = 0; c < 28; ++c) {
      const double v = pixel(digit.image, r, c);
      mass += v;
      rows += v * static_cast<double>(r);
      columns += v * static_cast<double>(c);
      if (v == 0) continue;
      top = std::min(top, r), bottom = std::max(bottom, r);
      left = std::min(left, c), right = std::max(right, c);
    }
  CHECK(digit.polarity == Polarity::dark_on_light);
  CHECK(bottom - top + 1 == 20);
  CHECK(right - left + 1 == 10);
  CHECK(std::abs(rows / mass - 14) <= 0.5);
  CHECK(std::abs(columns / mass - 14) <= 0.5);
  CHECK(pixel(digit.image, top, left) == 255);
  // What is in this form stays as it is.
  CHECK(max_difference(digit_image(digit.image, "L").image, digit.image) == 0);
}

TEST_CASE("digit image: specks, noise, a thin pen, few pixels, an image filled by its digit") {
  const auto bar = [](std::int64_t r, std::int64_t c) {
    return r >= 40 && r < 160 && c >= 90 && c < 110;
  };
  const Tensor clean =
      digit_image(draw(200, 200, [&](auto r, auto c) { return bar(r, c) ? 200.0 : 60.0; }), "clean")
          .image;
  const Tensor noisy = draw(200, 200, [&](auto r, auto c) {
    const bool speck = r >= 4 && r < 8 && c >= 190 && c < 194;
    const double noise = 8 * Rng(1).normal(static_cast<std::uint64_t>(200 * r + c));
    return noise + (bar(r, c) || speck ? 200.0 : 60.0);
  });
  CHECK(mean_difference(digit_image(noisy, "noisy").image, clean) < 3);

  const DigitImage thin = digit_image(
      draw(1500, 3000,
           [](auto r, auto c) { return r > 100 && r < 1400 && c / 2 == 700 ? 0.0 : 255.0; }),
      "thin");
  CHECK(thin.polarity == Polarity::dark_on_light);
  CHECK(max_difference(thin.image, Tensor::zeros(thin.image.shape(), DType::uint8)) == 255);
  CHECK(pixel(digit_image(draw(1, 2, [](auto, auto c) { return 255.0 * static_cast<double>(c); }),
                          "two")
                  .image,
              14, 14) > 0);
  // A ring that touches all four sides.
  const auto ring = [](auto r, auto c) {
    const double d = std::hypot(static_cast<double>(r) - 29.5, static_cast<double>(c) - 29.5);
    return d < 30 && d > 20 ? 0.0 : 255.0;
  };
  CHECK(digit_image(draw(60, 60, ring), "ring").polarity == Polarity::dark_on_light);
}

TEST_CASE("digit image: without ink it is an Error that names the image") {
  for (const double gray : {0.0, 128.0, 255.0})
    CHECK(error_of([&] {
            digit_image(draw(9, 5, [&](auto, auto) { return gray; }), "blank.png");
          }) == "blank.png: shows no digit, only one even gray");
  const Tensor faint = draw(40, 40, [](auto r, auto) { return r == 20 ? 140.0 : 128.0; });
  CHECK(contains(error_of([&] { digit_image(faint, "faint.png"); }), "shows no digit"));
  CHECK(contains(error_of([] { digit_image(Tensor::zeros({4, 4}), "x"); }), "expected uint8"));
}
