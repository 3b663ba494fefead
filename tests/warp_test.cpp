#include <pliant/data/warp.h>
#include <pliant/tests/op_case.h>

#include <algorithm>

using namespace pliant;
using namespace pliant::test;

namespace {

// uint8 [H W 1] of random values.
Tensor noise(std::int64_t height, std::int64_t width) {
  return Tensor::randint(0, 256, {height, width, 1}, Rng(1)).to(DType::uint8);
}

Tensor plane(const Tensor& image) { return image.reshape({image.dim(0), image.dim(1)}); }

// A warp of everything, from 60 x 80 to 50 x 70.
Warp all_of_it() {
  return Warp(60, 80)
      .flip_horizontal()
      .rotate(20)
      .scale(1.3, 0.9)
      .shear(0.2, 0)
      .resize(66, 90)
      .shift(3, -4)
      .pad(2, 1, 5, 0)
      .crop(9, 12, 50, 70)
      .flip_vertical();
}

std::vector<Warp> many() {
  return {Warp(60, 80),
          Warp(60, 80).flip_horizontal(),
          Warp(60, 80).flip_vertical(),
          Warp(60, 80).rotate(30),
          Warp(60, 80).resize(120, 200),
          Warp(60, 80).crop(-5, 10, 40, 60),
          Warp(60, 80).shear(0.3, -0.2),
          all_of_it()};
}

}  // namespace

TEST_CASE("warp: steps of whole pixels move pixels and change none") {
  const Tensor image = noise(3, 4);
  const auto at = [&](const Tensor& of, std::int64_t r, std::int64_t c) {
    return of.data<std::uint8_t>()[r * of.dim(1) + c];
  };
  CHECK(same_bits(warp_image(image, Warp(3, 4)), image));
  const Tensor flipped = warp_image(image, Warp(3, 4).flip_horizontal());
  const Tensor fallen = warp_image(image, Warp(3, 4).flip_vertical());
  const Tensor turned = warp_image(image, Warp(3, 4).rotate(180));
  // A quarter counter-clockwise about the centre of a square.
  const Tensor square = noise(4, 4);
  const Tensor quarter = warp_image(square, Warp(4, 4).rotate(90));
  for (std::int64_t r = 0; r < 3; ++r)
    for (std::int64_t c = 0; c < 4; ++c) {
      CHECK(at(flipped, r, c) == at(image, r, 3 - c));
      CHECK(at(fallen, r, c) == at(image, 2 - r, c));
      CHECK(at(turned, r, c) == at(image, 2 - r, 3 - c));
      CHECK(at(quarter, r, c) == at(square, c, 3 - r));
    }
  const Tensor part = warp_image(image, Warp(3, 4).crop(1, -1, 3, 3), {9});
  CHECK(part.shape() == Shape{3, 3, 1});
  CHECK(at(part, 0, 0) == 9);
  CHECK(at(part, 0, 1) == at(image, 1, 0));
  CHECK(at(part, 2, 1) == 9);
  CHECK(same_bits(warp_image(image, Warp(3, 4).pad(1, 2, 3, 4).crop(1, 3, 3, 4)), image));
}

TEST_CASE("warp: two maps after one another are one") {
  const Warp both = Warp(60, 80).rotate(25).resize(30, 90).shear(0.1, 0.2);
  const Point p = {12.5, 40.25};
  const Point first = Warp(60, 80).rotate(25).map()(p);
  const Point second = Warp(60, 80).resize(30, 90).map()(first);
  const Point third = Warp(30, 90).shear(0.1, 0.2).map()(second);
  CHECK(both.map()(p).x == doctest::Approx(third.x));
  CHECK(both.map()(p).y == doctest::Approx(third.y));
  const Point again = both.map().inverse()(both.map()(p));
  CHECK(again.x == doctest::Approx(p.x));
  CHECK(again.y == doctest::Approx(p.y));
}

TEST_CASE("warp: a point, a box, a polygon and a mask's pixels go to the same place") {
  // A rectangle of 1 in a picture of 0.
  const float box[4] = {22, 14, 51, 37};
  const Polygon outline = {{22, 14}, {51, 14}, {51, 37}, {22, 37}};
  const Tensor mask = polygon_mask(std::vector<Polygon>{outline}, 60, 80);
  const Tensor boxes = Tensor::from<float>(std::span<const float>(box, 4), {1, 4});
  for (const Warp& warp : many()) {
    const Tensor moved = warp_mask(mask, warp, 0);
    // The mask of the moved outline is the moved mask, but for centres on the very edge.
    const Tensor drawn = polygon_mask(std::vector<Polygon>{warp_polygon(outline, warp)},
                                      warp.height(), warp.width());
    CHECK(max_difference(moved.to(DType::float32), drawn.to(DType::float32)) == 0);
    // The box is the box of the mask, to a pixel.
    const std::vector<double> of = warp_boxes(boxes, warp).boxes.to_vector();
    double x1 = 1e9, y1 = 1e9, x2 = -1e9, y2 = -1e9;
    for (std::int64_t r = 0; r < moved.dim(0); ++r)
      for (std::int64_t c = 0; c < moved.dim(1); ++c)
        if (moved.data<std::uint8_t>()[r * moved.dim(1) + c] == 1) {
          x1 = std::min<double>(x1, static_cast<double>(c));
          y1 = std::min<double>(y1, static_cast<double>(r));
          x2 = std::max<double>(x2, static_cast<double>(c + 1));
          y2 = std::max<double>(y2, static_cast<double>(r + 1));
        }
    CHECK(std::abs(of[0] - x1) <= 1.5);
    CHECK(std::abs(of[1] - y1) <= 1.5);
    CHECK(std::abs(of[2] - x2) <= 1.5);
    CHECK(std::abs(of[3] - y2) <= 1.5);
    // A point far inside comes to a pixel of the mask, or lies outside the picture.
    const Point at = warp.map()({30, 20});
    if (at.x >= 0 && at.y >= 0 && at.x < static_cast<double>(warp.width()) &&
        at.y < static_cast<double>(warp.height()))
      CHECK(moved.data<std::uint8_t>()[static_cast<std::int64_t>(at.y) * moved.dim(1) +
                                       static_cast<std::int64_t>(at.x)] == 1);
  }
}

TEST_CASE("warp: image and mask agree on what lies outside") {
  const Tensor ones = Tensor::full({60, 80, 1}, 1, DType::uint8);
  for (const Warp& warp : many()) {
    const Tensor image = warp_image(ones, warp, {77});
    const Tensor mask = warp_mask(plane(ones), warp, 77);
    CHECK(same_bits(plane(image), mask));  // inside, the edge keeps its full value
  }
}

TEST_CASE("warp: a smooth picture is sampled where the map says") {
  Tensor ramp = Tensor::empty({60, 80, 2});
  for (std::int64_t r = 0; r < 60; ++r)
    for (std::int64_t c = 0; c < 80; ++c) {  // each pixel says where its centre lies
      ramp.mutable_data<float>()[(r * 80 + c) * 2] = static_cast<float>(c) + 0.5f;
      ramp.mutable_data<float>()[(r * 80 + c) * 2 + 1] = static_cast<float>(r) + 0.5f;
    }
  for (const Warp& warp : many()) {
    const Tensor moved = warp_image(ramp, warp, {-1});
    const Affine back = warp.map().inverse();
    // Where it shrinks the triangle's weights, at whole pixels, are not quite balanced.
    const double reach = std::max(std::hypot(back.xx, back.xy), std::hypot(back.yx, back.yy));
    const double tolerance = reach > 1 + 1e-9 ? 0.1 : 1e-3;
    for (std::int64_t r = 0; r < moved.dim(0); ++r)
      for (std::int64_t c = 0; c < moved.dim(1); ++c) {
        const Point from = back({static_cast<double>(c) + 0.5, static_cast<double>(r) + 0.5});
        const float* const got = moved.data<float>() + (r * moved.dim(1) + c) * 2;
        if (from.x < 2 || from.y < 2 || from.x > 78 || from.y > 58) continue;
        CHECK(std::abs(got[0] - from.x) < tolerance);
        CHECK(std::abs(got[1] - from.y) < tolerance);
      }
  }
}

TEST_CASE("warp: resizing is antialiased") {
  // By hand, to a quarter: triangles of 8 pixels, weights 1 3 5 7 7 5 3 1 of 32; at the edge the last
  // six of 28.
  Tensor line = Tensor::zeros({1, 16, 1}, DType::uint8);
  line.mutable_data<std::uint8_t>()[5] = 160;
  CHECK(resize_image(line, 1, 4).to_vector() == std::vector<double>{6, 35, 0, 0});
  // Stripes of one pixel become gray and do not alias: two columns on, the triangle's weights have
  // one sum whatever the phase. Only at the edges, where it is cut, they show.
  Tensor stripes = Tensor::zeros({40, 40, 1}, DType::uint8);
  for (std::int64_t i = 0; i < 1600; ++i)
    stripes.mutable_data<std::uint8_t>()[i] = i % 2 == 0 ? 200 : 0;
  const Tensor small = resize_image(stripes, 10, 10);
  CHECK(small.slice(0, 1).to_vector() ==
        std::vector<double>{107, 100, 100, 100, 100, 100, 100, 100, 100, 93});
  const Tensor turned = warp_image(stripes, Warp(40, 40).rotate(7).resize(10, 10));
  for (std::int64_t r = 2; r < 8; ++r)
    for (std::int64_t c = 2; c < 8; ++c)
      CHECK(std::abs(turned.data<std::uint8_t>()[10 * r + c] - 100) <= 1);
  // Twice as large: 3/4 and 1/4 of neighbours, the edges as they are.
  const Tensor two = Tensor::from<std::uint8_t>({0, 100}, {1, 2, 1});
  CHECK(resize_image(two, 1, 4).to_vector() == std::vector<double>{0, 25, 75, 100});
}

TEST_CASE("warp: boxes are cut, dropped and made difficult by what is left of them") {
  DetectionSample sample;
  sample.image = noise(60, 80);
  sample.boxes = Tensor::from<float>({0, 0, 10, 10, 30, 20, 50, 40, 70, 50, 80, 60}, {3, 4});
  sample.labels = Tensor::from<std::int64_t>({5, 6, 7}, {3});
  sample.difficult = Tensor::zeros({3}, DType::uint8);
  sample.crowd = Tensor::from<std::uint8_t>({0, 1, 0}, {3});
  sample.masks = Tensor::full({3, 60, 80}, 1, DType::uint8);
  for (const double x : {0.0, 1.0, 2.0})
    sample.polygons.push_back({Polygon{{x, 0}, {x + 1, 0}, {x, 1}}});
  const Warp warp = Warp(60, 80).crop(0, 4, 30, 40);  // all of 0 .. 30 by 4 .. 44
  const DetectionSample moved = warped(sample, warp, {.clearly_visible = 0.5});
  CHECK(moved.boxes.to_vector() == std::vector<double>{0, 0, 6, 10, 26, 20, 40, 30});
  CHECK(moved.labels.to_vector() == std::vector<double>{5, 6});
  CHECK(moved.crowd.to_vector() == std::vector<double>{0, 1});
  CHECK(moved.difficult.to_vector() == std::vector<double>{0, 1});  // .6 and .35 are left
  CHECK(moved.masks.shape() == Shape{2, 30, 40});
  REQUIRE(moved.polygons.size() == 2);
  CHECK(moved.polygons[1][0][0].x == -3);
  CHECK(sample.difficult.to_vector() == std::vector<double>{0, 0, 0});  // given ones stay
  CHECK(warped(sample, warp, {.least_visible = 0.5}).labels.to_vector() == std::vector<double>{5});
  CHECK(warped(sample, Warp(60, 80).crop(100, 100, 5, 5)).boxes.shape() == Shape{0, 4});
}

TEST_CASE("warp: the box of a turned box, by its corners or by the ellipse in it") {
  const Tensor box = Tensor::from<float>({30, 20, 50, 40}, {1, 4});  // a square about the centre
  const Warp warp = Warp(60, 80).rotate(45);
  const double r = std::sqrt(200.0);
  const std::vector<double> corners = warp_boxes(box, warp).boxes.to_vector();
  CHECK(corners[0] == doctest::Approx(40 - r));
  CHECK(corners[3] == doctest::Approx(30 + r));
  const std::vector<double> ellipse = warp_boxes(box, warp, TurnedBox::ellipse).boxes.to_vector();
  CHECK(ellipse[0] == doctest::Approx(30));
  CHECK(ellipse[3] == doctest::Approx(40));
}

TEST_CASE("warp: what cannot be is an Error") {
  CHECK(contains(error_of([] { Warp(0, 5); }), "5 x 0 pixels"));
  CHECK(contains(error_of([] { Warp(5, 5).resize(1 << 20, 1 << 20); }), "at most 67108864"));
  CHECK(contains(error_of([] { Warp(5, 5).pad(INT64_MAX, 1, 0, 0); }), "warp"));
  CHECK(contains(error_of([] { Warp(5, 5).scale(0, 1); }), "a factor or a shift is 0"));
  CHECK(contains(error_of([] { Warp(5, 5).rotate(NAN); }), "not finite"));
  CHECK(contains(error_of([] {
                   warp_image(Tensor::zeros({4, 4, 1}), Warp(5, 5));
                 }),
                 "a picture of 4 x 4 pixels under a warp of one of 5 x 5"));
  CHECK(contains(error_of([] { warp_image(Tensor::zeros({4, 4}), Warp(4, 4)); }), "[H W C]"));
  CHECK(contains(error_of([] { warp_image(noise(4, 4), Warp(4, 4), {300}); }), "filled with 300"));
  CHECK(contains(error_of([] { warp_image(noise(4, 4), Warp(4, 4), {1, 2}); }), "2 values"));
  CHECK(contains(error_of([] { warp_mask(noise(4, 4).to(DType::int32), Warp(4, 4)); }), "uint8"));
  CHECK(contains(error_of([] { warp_boxes(Tensor::zeros({4}), Warp(4, 4)); }), "float32 [N 4]"));
}
