#include <pliant/data/warp.h>

#include <cmath>
#include <numbers>

#include <pliant/core/sizes.h>
#include <pliant/data/internal/image_decoders.h>

namespace pliant {
namespace {

bool is_finite(const Affine& map) {
  return std::isfinite(map.xx) && std::isfinite(map.xy) && std::isfinite(map.x0) &&
         std::isfinite(map.yx) && std::isfinite(map.yy) && std::isfinite(map.y0);
}

double determinant(const Affine& map) { return map.xx * map.yy - map.xy * map.yx; }

}  // namespace

Affine Affine::then(const Affine& next) const {
  const Point at = next({x0, y0});
  return {next.xx * xx + next.xy * yx, next.xx * xy + next.xy * yy, at.x,
          next.yx * xx + next.yy * yx, next.yx * xy + next.yy * yy, at.y};
}

Affine Affine::inverse() const {
  const double d = determinant(*this);
  require(std::isfinite(1 / d), "warp: the map has no inverse: its determinant is ", d);
  const Affine turn = {yy / d, -xy / d, 0, -yx / d, xx / d, 0};
  const Point at = turn({x0, y0});
  return {turn.xx, turn.xy, -at.x, turn.yx, turn.yy, -at.y};
}

Warp::Warp(std::int64_t height, std::int64_t width)
    : given_height_(height), given_width_(width), height_(height), width_(width) {
  check_image_size("warp", width, height);
}

Warp& Warp::to_size(const Affine& step, std::int64_t height, std::int64_t width) {
  check_image_size("warp", width, height);
  const Affine map = map_.then(step);
  require(is_finite(map) && std::isfinite(1 / determinant(map)),
          "warp: a factor or a shift is 0, not finite or too far from 1");
  map_ = map;
  height_ = height;
  width_ = width;
  return *this;
}

Warp& Warp::about_centre(const Affine& step) {
  const double x = static_cast<double>(width_) / 2, y = static_cast<double>(height_) / 2;
  const Affine there = {1, 0, -x, 0, 1, -y}, back = {1, 0, x, 0, 1, y};
  return to_size(there.then(step).then(back), height_, width_);
}

Warp& Warp::resize(std::int64_t height, std::int64_t width) {
  check_image_size("warp", width, height);
  return to_size({static_cast<double>(width) / static_cast<double>(width_), 0, 0, 0,
                  static_cast<double>(height) / static_cast<double>(height_), 0},
                 height, width);
}

Warp& Warp::crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) {
  return to_size({1, 0, -static_cast<double>(left), 0, 1, -static_cast<double>(top)}, height,
                 width);
}

Warp& Warp::pad(std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
  return to_size({1, 0, static_cast<double>(left), 0, 1, static_cast<double>(top)},
                 checked_sum("warp", {top, height_, bottom}),
                 checked_sum("warp", {left, width_, right}));
}

Warp& Warp::flip_horizontal() {
  return to_size({-1, 0, static_cast<double>(width_), 0, 1, 0}, height_, width_);
}

Warp& Warp::flip_vertical() {
  return to_size({1, 0, 0, 0, -1, static_cast<double>(height_)}, height_, width_);
}

Warp& Warp::rotate(double degrees) {
  const double radians = degrees * (std::numbers::pi / 180);
  const double c = std::cos(radians), s = std::sin(radians);
  return about_centre({c, s, 0, -s, c, 0});
}

Warp& Warp::scale(double x, double y) { return about_centre({x, 0, 0, 0, y, 0}); }
Warp& Warp::shear(double x, double y) { return about_centre({1, x, 0, y, 1, 0}); }
Warp& Warp::shift(double x, double y) { return to_size({1, 0, x, 0, 1, y}, height_, width_); }

}  // namespace pliant
