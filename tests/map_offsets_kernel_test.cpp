#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <pliant/core/kernels/map_offsets.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using test::same_bits;

namespace {

using Values = std::vector<double>;

template <class T>
struct Result {
  std::vector<T> y, dx, doffset;
};

template <class T>
Result<T> run(const MapOffsetsGeometry& g, const std::vector<T>& x, const std::vector<T>& offset,
              const std::vector<T>& dy) {
  const T rubbish = std::numeric_limits<T>::quiet_NaN();  // every element must be written
  Result<T> out{std::vector<T>(x.size(), rubbish), std::vector<T>(x.size(), rubbish),
                std::vector<T>(offset.size(), rubbish)};
  Workspace workspace(Device::cpu());
  cpu::map_offsets_forward(g, x.data(), offset.data(), out.y.data(), workspace);
  cpu::map_offsets_gradient(g, x.data(), offset.data(), dy.data(), out.dx.data(),
                            out.doffset.data(), workspace);
  return out;
}

double clamped(double at, std::int64_t size) {
  return std::fmin(std::fmax(at, 0), static_cast<double>(size - 1));
}

// The definition: a hat round every pixel of the channel, at the clamped place.
double sample(const MapOffsetsGeometry& g, const Values& x, std::int64_t n, std::int64_t c,
              double row, double column) {
  row = clamped(row, g.h);
  column = clamped(column, g.w);
  double sum = 0;
  for (std::int64_t i = 0; i < g.h; ++i)
    for (std::int64_t j = 0; j < g.w; ++j)
      sum += std::fmax(0, 1 - std::fabs(row - static_cast<double>(i))) *
             std::fmax(0, 1 - std::fabs(column - static_cast<double>(j))) *
             x[static_cast<std::size_t>(((n * g.h + i) * g.w + j) * g.c + c)];
  return sum;
}

double value_at(const MapOffsetsGeometry& g, const Values& x, const Values& offset,
                std::size_t at) {
  const std::int64_t i = static_cast<std::int64_t>(at), c = i % g.c, column = i / g.c % g.w;
  const std::int64_t row = i / g.c / g.w % g.h, n = i / g.c / g.w / g.h;
  return sample(g, x, n, c, static_cast<double>(row) + offset[2 * at],
                static_cast<double>(column) + offset[2 * at + 1]);
}

struct Case {
  MapOffsetsGeometry g;
  Values x, offset, dy;
};

Case random_case(MapOffsetsGeometry g, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1), fraction(0.05, 0.95);
  std::uniform_int_distribution<int> whole(-3, 2);
  Case made{g, Values(static_cast<std::size_t>(g.n * g.h * g.w * g.c)), {}, {}};
  made.dy.resize(made.x.size());
  made.offset.resize(2 * made.x.size());
  for (double& value : made.x) value = uniform(random);
  for (double& value : made.dy) value = uniform(random);
  for (double& value : made.offset) value = whole(random) + fraction(random);
  return made;
}

void close(const Values& got, const Values& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(got[i] == doctest::Approx(want[i]).epsilon(tolerance));
}

// Floor/ceil interpolation along one axis: where the coordinate is an integer both ends are one
// pixel, and where it is clamped nothing follows it.
double floor_ceil_slope(double at, std::int64_t size, const std::function<double(double)>& value) {
  if (at != clamped(at, size)) return 0;
  return value(std::ceil(at)) - value(std::floor(at));
}

std::vector<float> single(const Values& v) { return {v.begin(), v.end()}; }
Values wide(const std::vector<float>& v) { return {v.begin(), v.end()}; }

}  // namespace

TEST_CASE("map offsets and their gradients agree with the definition") {
  for (const MapOffsetsGeometry& g : std::vector<MapOffsetsGeometry>{
           {2, 4, 5, 3}, {1, 1, 1, 1}, {1, 1, 6, 2}, {3, 3, 2, 19}, {0, 3, 3, 2}}) {
    const Case made = random_case(g, 1);
    const double step = 1e-5;
    Values y(made.x.size()), dx(made.x.size()), doffset(made.offset.size());
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = value_at(g, made.x, made.offset, i);
    Values offset = made.offset, x = made.x;
    for (std::size_t i = 0; i < offset.size(); ++i) {
      offset[i] += step;
      const double above = value_at(g, x, offset, i / 2);
      offset[i] -= 2 * step;
      doffset[i] = made.dy[i / 2] * (above - value_at(g, x, offset, i / 2)) / (2 * step);
      offset[i] = made.offset[i];
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      x.assign(x.size(), 0.0);
      x[i] = 1;
      for (std::size_t j = 0; j < x.size(); ++j) dx[i] += made.dy[j] * value_at(g, x, offset, j);
    }
    const Result<double> got = run(g, made.x, made.offset, made.dy);
    close(got.y, y, 1e-12);
    close(got.dx, dx, 1e-12);
    close(got.doffset, doffset, 1e-8);
    const Result<float> f = run(g, single(made.x), single(made.offset), single(made.dy));
    close(wide(f.y), y, 1e-5);
    close(wide(f.dx), dx, 1e-5);
    close(wide(f.doffset), doffset, 1e-4);
  }
}

TEST_CASE("zero map offsets copy the map and still learn") {
  const MapOffsetsGeometry g{1, 2, 2, 1};
  const Values x = {1, 3, 7, 15};
  const Result<double> got = run(g, x, Values(8, 0.0), {1, 1, 1, 10});
  CHECK(got.y == x);
  CHECK(got.dx == Values{1, 1, 1, 10});
  CHECK(got.doffset == Values{6, 2, 12, 0, 0, 8, 0, 0});  // 0 exactly at the upper clamp edge
}

TEST_CASE("map offsets: the derivative of floor/ceil interpolation, with the same result") {
  for (MapOffsetsGeometry g :
       std::vector<MapOffsetsGeometry>{{2, 4, 5, 3}, {1, 1, 1, 1}, {1, 6, 3, 18}, {0, 3, 3, 2}}) {
    Case made = random_case(g, 4);
    for (std::size_t i = 0; i < made.offset.size(); ++i)
      if (i % 3 != 0) made.offset[i] = std::round(made.offset[i]);
    const Result<double> right = run(g, made.x, made.offset, made.dy);
    g.at_integers = AtIntegers::zero;
    const Result<double> got = run(g, made.x, made.offset, made.dy);
    CHECK(got.y == right.y);
    CHECK(got.dx == right.dx);
    Values doffset(made.offset.size());
    for (std::size_t at = 0; at < made.x.size(); ++at) {
      const std::int64_t i = static_cast<std::int64_t>(at), c = i % g.c, n = i / g.c / g.w / g.h;
      const double row = static_cast<double>(i / g.c / g.w % g.h) + made.offset[2 * at];
      const double column = static_cast<double>(i / g.c % g.w) + made.offset[2 * at + 1];
      doffset[2 * at] = made.dy[at] * floor_ceil_slope(row, g.h, [&](double r) {
                          return sample(g, made.x, n, c, r, column);
                        });
      doffset[2 * at + 1] = made.dy[at] * floor_ceil_slope(column, g.w, [&](double k) {
                              return sample(g, made.x, n, c, row, k);
                            });
    }
    close(got.doffset, doffset, 1e-12);
    if (g.n > 0 && g.h > 1) CHECK(got.doffset != right.doffset);
    const Result<float> f = run(g, single(made.x), single(made.offset), single(made.dy));
    close(wide(f.doffset), doffset, 1e-4);
    const Result<double> zero =
        run(g, made.x, Values(made.offset.size(), 0.0), Values(made.dy.size(), 1.0));
    CHECK(zero.doffset == Values(made.offset.size(), 0.0));
  }
}

TEST_CASE("map offsets beyond the map, far away or nowhere") {
  const double infinity = std::numeric_limits<double>::infinity();
  const MapOffsetsGeometry g{1, 2, 3, 1};
  const Values x = {1, 2, 4, 8, 16, 32};
  const auto check = [&](double dy, double dx, double y, double by_row, double by_column) {
    Values offset(12, 0.0);
    offset[2] = dy, offset[3] = dx;  // of pixel (0, 1)
    const Result<double> got = run(g, x, offset, {0, 1, 0, 0, 0, 0});
    CAPTURE(dy);
    CAPTURE(dx);
    CHECK(got.y[1] == y);
    CHECK(got.doffset[2] == by_row);
    CHECK(got.doffset[3] == by_column);
    double sum = 0;
    for (const double value : got.dx) sum += value;
    CHECK(sum == (y == 0 ? 0 : 1));
  };
  for (const double far : {1e18, infinity, 5.0, 1.0}) check(far, 0, 16, 0, 16);
  for (const double far : {-1e18, -infinity, -0.5}) check(far, 0, 2, 0, 2);
  for (const double far : {1e18, infinity, 1.0}) check(0, far, 4, 28, 0);
  for (const double far : {-1e18, -infinity, -1.5}) check(0, far, 1, 7, 0);
  check(-0.5, -1, 1, 0, 1);
  check(std::nan(""), 0, 0, 0, 0);
  check(0, std::nan(""), 0, 0, 0);
}

TEST_CASE("map offsets: gradients alone, and the same bits on any number of threads") {
  const Case made = random_case({3, 6, 7, 37}, 2);
  const std::vector<float> x = single(made.x), offset = single(made.offset), dy = single(made.dy);
  const int before = thread_count();
  set_thread_count(1);
  const Result<float> one = run(made.g, x, offset, dy);
  for (const int threads : {2, 3}) {
    set_thread_count(threads);
    const Result<float> many = run(made.g, x, offset, dy);
    CHECK(same_bits(one.y, many.y));
    CHECK(same_bits(one.dx, many.dx));
    CHECK(same_bits(one.doffset, many.doffset));
  }
  set_thread_count(before);
  Workspace workspace(Device::cpu());
  std::vector<float> dx(x.size()), doffset(offset.size());
  cpu::map_offsets_gradient(made.g, x.data(), offset.data(), dy.data(), dx.data(),
                            static_cast<float*>(nullptr), workspace);
  cpu::map_offsets_gradient(made.g, x.data(), offset.data(), dy.data(),
                            static_cast<float*>(nullptr), doffset.data(), workspace);
  CHECK(same_bits(dx, one.dx));
  CHECK(same_bits(doffset, one.doffset));
}
