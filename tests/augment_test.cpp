#include <pliant/data/augment.h>
#include <pliant/data/loader.h>
#include <pliant/data/mix.h>
#include <pliant/tests/op_case.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor noise(const Shape& shape, std::uint64_t seed) {
  return Tensor::randint(0, 256, shape, Rng(seed)).to(DType::uint8);
}

Tensor pixels(std::initializer_list<std::uint8_t> values) {
  return Tensor::from<std::uint8_t>(values, {1, static_cast<std::int64_t>(values.size()) / 3, 3});
}

std::vector<double> of(const Tensor& tensor) { return tensor.to_vector(); }
using Values = std::vector<double>;

// Pictures with a square of 250 on dark noise, and where it is.
struct Squares {
  std::int64_t size() const { return 12; }
  DetectionSample at(std::int64_t i, const Rng&) const {
    DetectionSample sample;
    sample.image = noise({40, 50, 3}, static_cast<std::uint64_t>(i));
    std::uint8_t* const to = sample.image.mutable_data<std::uint8_t>();
    for (std::int64_t k = 0; k < sample.image.size(); ++k)
      to[k] = static_cast<std::uint8_t>(to[k] / 8);
    const auto x = static_cast<double>(5 + i), y = static_cast<double>(20 - i);
    const Polygon outline = {{x, y}, {x + 16, y}, {x + 16, y + 14}, {x, y + 14}};
    sample.masks = polygon_mask(std::vector<Polygon>{outline}, 40, 50).reshape({1, 40, 50});
    for (std::int64_t k = 0; k < 2000; ++k)
      if (sample.masks.data<std::uint8_t>()[k] == 1) std::fill_n(to + 3 * k, 3, std::uint8_t{250});
    sample.boxes = Tensor::from<float>({static_cast<float>(x), static_cast<float>(y),
                                        static_cast<float>(x + 16), static_cast<float>(y + 14)},
                                       {1, 4});
    sample.labels = Tensor::zeros({1}, DType::int64);
    sample.difficult = sample.crowd = Tensor::zeros({1}, DType::uint8);
    sample.polygons = {{outline}};
    return sample;
  }
};

DetectionSample augmented(const DetectionSample& sample, const Rng& rng) {
  const Warp warp = random_warp(40, 50,
                                {.rotate = 20,
                                 .shear = 0.1,
                                 .scale_low = 0.7,
                                 .scale_high = 1.4,
                                 .stretch = 1.3,
                                 .height = 36,
                                 .width = 44},
                                rng.fork("warp"));
  DetectionSample moved = warped(sample, warp);
  moved.image = colour_jitter(moved.image, {0.2, 0.2, 0.2, 0.1}, rng.fork("colour"));
  return rand_augment(moved, {.count = 2, .magnitude = 5}, rng.fork("more"));
}

// From a point to the nearest edge.
double distance(const std::vector<Polygon>& polygons, double x, double y) {
  double nearest = 1e9;
  for (const Polygon& polygon : polygons)
    for (std::size_t i = 0; i < polygon.size(); ++i) {
      const Point a = polygon[i], b = polygon[(i + 1) % polygon.size()];
      const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
      const double t = length > 0 ? ((x - a.x) * dx + (y - a.y) * dy) / length : 0;
      const double along = std::clamp(t, 0.0, 1.0);
      nearest = std::min(nearest, std::hypot(x - a.x - along * dx, y - a.y - along * dy));
    }
  return nearest;
}

}  // namespace

TEST_CASE("augment: picture, box, mask and polygon stay together") {
  const Squares set;
  int seen = 0;
  for (std::int64_t i = 0; i < set.size(); ++i)
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const Warp warp = random_warp(
          40, 50, {.rotate = 30, .shear = 0.2, .scale_low = 0.6, .scale_high = 1.5, .stretch = 1.5},
          Rng(seed).fork(static_cast<std::uint64_t>(i)));
      const DetectionSample moved = warped(set.at(i, Rng(0)), warp);
      if (moved.boxes.dim(0) == 0) continue;
      ++seen;
      const std::vector<double> box = of(moved.boxes);
      const std::uint8_t* const mask = moved.masks.data<std::uint8_t>();
      const Tensor drawn = polygon_mask(moved.polygons[0], 40, 50);
      int apart = 0;
      for (std::int64_t k = 0; k < 2000; ++k) {
        const double x = static_cast<double>(k % 50) + 0.5, y = static_cast<double>(k / 50) + 0.5;
        if (mask[k] == 1) CHECK((x > box[0] && x < box[2] && y > box[1] && y < box[3]));
        if (mask[k] != drawn.data<std::uint8_t>()[k] && distance(moved.polygons[0], x, y) > 1e-6)
          ++apart;  // on the edge itself the last bit decides
        // Bright where the mask is, dark where it is not; between, on the edge, both are mixed.
        const int bright = moved.image.data<std::uint8_t>()[3 * k];
        if (bright > 200) CHECK(mask[k] == 1);
        if (bright < 35) CHECK(mask[k] == 0);
      }
      CHECK(apart == 0);
    }
  CHECK(seen > 60);
}

TEST_CASE("augment: the same by key on one thread or eight, another by another key or epoch") {
  const Mapped set(Squares{}, augmented);
  const auto run = [&](std::int64_t threads, std::uint64_t key, std::int64_t epoch) {
    std::vector<Tensor> all;
    const Loader loader(set, [](std::vector<DetectionSample> samples) { return samples; },
                        {.size = 2, .augment = Rng(key), .ahead = 8, .threads = threads});
    for (const auto& batch : loader.epoch(epoch))
      for (const DetectionSample& sample : batch) {
        all.push_back(sample.image);
        all.push_back(sample.boxes);
        all.push_back(sample.masks);
      }
    return all;
  };
  const std::vector<Tensor> one = run(1, 3, 0), eight = run(8, 3, 0);
  REQUIRE(one.size() == 36);
  REQUIRE(eight.size() == 36);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], eight[i]));
  CHECK_FALSE(same_bits(one[0], run(1, 4, 0)[0]));
  CHECK_FALSE(same_bits(one[0], run(1, 3, 1)[0]));
}

TEST_CASE("augment: what is drawn is in its range, and every value of it can be") {
  int flips = 0;
  double low = 9, high = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Affine map = random_warp(30, 30, {.scale_low = 0.5, .scale_high = 2}, Rng(seed)).map();
    flips += map.xx < 0 ? 1 : 0;
    const double scale = std::abs(map.xx);
    low = std::min(low, scale);
    high = std::max(high, scale);
    CHECK(map.yy == doctest::Approx(scale));
  }
  CHECK(flips > 150);
  CHECK(flips < 250);
  CHECK(low >= 0.49);
  CHECK(low < 0.55);
  CHECK(high <= 2.01);
  CHECK(high > 1.95);
  // Parts of a larger picture begin anywhere, a smaller one at the corner.
  std::set<double> places;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    places.insert(random_warp(10, 10, {.flip = 0, .height = 7, .width = 12}, Rng(seed)).map().y0);
  CHECK(places == std::set<double>{-3, -2, -1, 0});
  CHECK(contains(error_of([] { random_warp(9, 9, {.scale_low = 0}, Rng(0)); }), "scale is from 0"));
  CHECK(contains(error_of([] { random_warp(9, 9, {.rotate = NAN}, Rng(0)); }), "rotate is nan"));
}

TEST_CASE("colour: by hand") {
  const Tensor image = pixels({10, 20, 30, 200, 100, 0});
  CHECK(of(adjust_brightness(image, 2)) == Values{20, 40, 60, 255, 200, 0});
  CHECK(of(adjust_brightness(image, 0)) == Values(6, 0));
  // Grays 18.15 and 118.5, their mean 68.3, rounded.
  CHECK(of(adjust_contrast(image, 0)) == Values(6, 68));
  CHECK(of(adjust_contrast(image, 0.5)) == Values{39, 44, 49, 134, 84, 34});
  CHECK(of(adjust_saturation(image, 0)) == Values{18, 18, 18, 119, 119, 119});
  CHECK(of(adjust_hue(pixels({255, 0, 0}), 0.5)) == Values{0, 255, 255});
  CHECK(of(adjust_hue(pixels({255, 0, 0}), 1.0 / 3)) == Values{0, 255, 0});
  CHECK(of(adjust_hue(pixels({7, 7, 7}), 0.2)) == Values{7, 7, 7});
  CHECK(of(posterize(image, 2)) == Values{0, 0, 0, 192, 64, 0});
  CHECK(of(solarize(image, 100)) == Values{10, 20, 30, 55, 155, 0});
  CHECK(of(autocontrast(image)) == Values{0, 0, 255, 255, 255, 0});
  CHECK(of(normalize(pixels({255, 0, 51}), {0, 0.5f, 0}, {1, 0.5f, 0.1f})) ==
        Values{1, -1, static_cast<double>(0.2f / 0.1f)});
  for (const auto& same :
       {adjust_brightness(image, 1), adjust_contrast(image, 1), adjust_saturation(image, 1),
        adjust_hue(image, 0), adjust_hue(image, -1), adjust_sharpness(image, 1),
        posterize(image, 8), solarize(image, 256), gaussian_blur(image, 0)})
    CHECK(same_bits(same, image));
}

TEST_CASE("colour: equalize makes a narrow histogram wide") {
  Tensor image = Tensor::empty({16, 16, 1}, DType::uint8);
  for (std::int64_t i = 0; i < 256; ++i)
    image.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(100 + i / 64);
  // 64 of each of four: by PIL's rule a step is (256 - 64) / 255 = 0, and nothing changes.
  CHECK(same_bits(equalize(image), image));
  Tensor large = Tensor::empty({64, 64, 1}, DType::uint8);
  for (std::int64_t i = 0; i < 4096; ++i)
    large.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(100 + i / 1024);
  // A step is (4096 - 1024) / 255 = 12: 6/12, 1030/12, 2054/12, 3078/12 beyond 255.
  const Tensor even = equalize(large);
  CHECK(even.data<std::uint8_t>()[0] == 0);
  CHECK(even.data<std::uint8_t>()[1024] == 85);
  CHECK(even.data<std::uint8_t>()[2048] == 171);
  CHECK(even.data<std::uint8_t>()[4095] == 255);
}

TEST_CASE("colour: a blur keeps the mean and a flat picture, and spreads a point evenly") {
  CHECK(same_bits(gaussian_blur(Tensor::full({5, 7, 3}, 90, DType::uint8), 2),
                  Tensor::full({5, 7, 3}, 90, DType::uint8)));
  Tensor point = Tensor::zeros({9, 9, 1}, DType::uint8);
  point.mutable_data<std::uint8_t>()[40] = 255;
  const Tensor spread = gaussian_blur(point, 1);
  const std::uint8_t* const got = spread.data<std::uint8_t>();
  CHECK(got[40] == 41);  // 255 / (2 pi), by the sampled weights .39905 squared
  CHECK(got[39] == 25);
  CHECK(got[41] == 25);
  CHECK(got[31] == 25);
  CHECK(got[49] == 25);
  CHECK(contains(error_of([&] { gaussian_blur(point, -1); }), "sigma is -1"));
  CHECK(contains(error_of([&] { adjust_brightness(point, NAN); }), "the factor is nan"));
  CHECK(contains(error_of([] { posterize(Tensor::zeros({2, 2, 3}), 3); }), "uint8 [H W C]"));
}

TEST_CASE("augment: cutout fills a square in the picture, whole or cut at the edges") {
  const Tensor white = Tensor::full({20, 30, 3}, 255, DType::uint8);
  std::int64_t most = 0, least = 1 << 20;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Tensor cut = cutout(white, 8, 0, Rng(seed));
    const auto all = cut.span<std::uint8_t>();
    const auto count = static_cast<std::int64_t>(std::count(all.begin(), all.end(), 0));
    most = std::max(most, count);
    least = std::min(least, count);
  }
  CHECK(most == 8 * 8 * 3);
  CHECK(least >= 4 * 4 * 3);
  CHECK(least < most);
  CHECK(same_bits(cutout(white, 0, 0, Rng(1)), white));
}

TEST_CASE("augment: rand_augment changes most pictures, and every kind of change comes up") {
  const Tensor image = noise({32, 32, 3}, 5);
  int moved = 0, recoloured = 0, as_they_are = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const RandAugment augment({.count = 1, .magnitude = 9}, 32, 32, Rng(seed));
    const Affine& map = augment.warp.map();
    const bool moves = map.xx != 1 || map.xy != 0 || map.yx != 0 || map.x0 != 0 || map.y0 != 0;
    const bool recolours = !same_bits(augment.colours(image), image);
    CHECK_FALSE((moves && recolours));  // one change
    moved += moves ? 1 : 0;
    recoloured += recolours ? 1 : 0;
    as_they_are += moves || recolours ? 0 : 1;
  }
  CHECK(moved > 70);       // 5 of 14
  CHECK(recoloured > 80);  // 8 of 14, some of which may leave noise as it is
  CHECK(as_they_are > 5);  // 1 of 14 and more
  LabelledImage sample{image, 3};
  CHECK(same_bits(rand_augment(sample, {.count = 0}, Rng(1)).image, image));
  CHECK(rand_augment(sample, {}, Rng(1)).label == 3);
  CHECK(contains(error_of([&] { rand_augment(sample, {.magnitude = 31}, Rng(1)); }),
                 "2 changes of magnitude 31"));
}

TEST_CASE("mix: mixup and cutmix show both images in the shares that they say") {
  LabelledImages batch{Tensor::empty({4, 10, 12, 1}),
                       Tensor::from<std::int64_t>({0, 1, 2, 3}, {4})};
  for (std::int64_t i = 0; i < batch.images.size(); ++i)
    batch.images.mutable_data<float>()[i] = static_cast<float>(i / 120);  // its number everywhere
  double sum = 0, squares = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const auto& mixed : {mixup(batch, 0.4, Rng(seed)), cutmix(batch, 1, Rng(seed))}) {
      CHECK(mixed.share >= 0);
      CHECK(mixed.share <= 1);
      CHECK(mixed.labels.to_vector() == batch.labels.to_vector());
      for (std::int64_t n = 0; n < 4; ++n) {
        const auto other = static_cast<double>(mixed.others.data<std::int64_t>()[n]);
        double mean = 0;
        for (std::int64_t i = 0; i < 120; ++i)
          mean += static_cast<double>(mixed.images.data<float>()[n * 120 + i]) / 120;
        CHECK(mean ==
              doctest::Approx(mixed.share * static_cast<double>(n) + (1 - mixed.share) * other));
      }
    }
    const double share = mixup(batch, 0.4, Rng(seed)).share;
    sum += share;
    squares += (share - 0.5) * (share - 0.5);
  }
  // Beta(.4, .4): mean 1/2, variance 1 / (4 (2 * .4 + 1)) = .139.
  CHECK(sum / 200 == doctest::Approx(0.5).epsilon(0.15));
  CHECK(squares / 200 == doctest::Approx(0.139).epsilon(0.15));
  CHECK(same_bits(mixup(batch, 1, Rng(3)).images, mixup(batch, 1, Rng(3)).images));
  CHECK(contains(error_of([&] { mixup(batch, 0, Rng(1)); }), "alpha is 0"));
  CHECK(contains(error_of([&] {
                   cutmix({batch.images.to(DType::uint8), batch.labels}, 1, Rng(1));
                 }),
                 "needs float32 images"));
}
