// Moving a picture and what lies on it: resize, crop, pad, flip, rotate, scale and shear compose to
// one affine map, which is applied once, to pixels, masks, boxes and points alike.
//
//   const Warp warp = Warp(height, width).rotate(10).crop(20, 30, 200, 200).flip_horizontal();
//   const DetectionSample moved = warped(sample, warp);
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>
#include <pliant/data/samples.h>

namespace pliant {

// x' = xx x + xy y + x0, y' = yx x + yy y + y0, in the coordinates of data/polygon.h.
struct Affine {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;

  Point operator()(const Point& p) const {
    return {xx * p.x + xy * p.y + x0, yx * p.x + yy * p.y + y0};
  }
  Affine then(const Affine& next) const;
  Affine inverse() const;  // an Error where there is none
};

// A map from the pixels of a picture to those of another, and the size of either. Each of its
// functions adds a step after those before, in the pixels that they lead to; numbers that are not
// finite, factors of 0 and pictures of no pixel or more than 2^26 are Errors.
class Warp {
 public:
  Warp(std::int64_t height, std::int64_t width);  // of the picture; nothing moves

  Warp& resize(std::int64_t height, std::int64_t width);
  // The part that begins at (top, left), which may lie outside: pads too.
  Warp& crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width);
  Warp& pad(std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right);
  Warp& flip_horizontal();
  Warp& flip_vertical();
  // About the centre; the size stays. Degrees count counter-clockwise, as it is seen.
  Warp& rotate(double degrees);
  Warp& scale(double x, double y);
  Warp& shear(double x, double y);  // a point y below the centre moves by x * y, and so on
  Warp& shift(double x, double y);  // in pixels

  const Affine& map() const { return map_; }
  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  std::int64_t given_height() const { return given_height_; }
  std::int64_t given_width() const { return given_width_; }

 private:
  Warp& about_centre(const Affine& step);
  Warp& to_size(const Affine& step, std::int64_t height, std::int64_t width);

  std::int64_t given_height_, given_width_, height_, width_;
  Affine map_;
};

// What becomes of a box that is turned or sheared: the box around its corners, or around the
// ellipse that fits in it, which is nearer to the object's own.
enum class TurnedBox : unsigned char { corners, ellipse };

struct WarpOptions {
  std::vector<float> fill = {0};  // outside the picture: a value, or one for each channel
  std::uint8_t ignore = 255;      // outside a mask of classes
  TurnedBox turned = TurnedBox::corners;
  double least_visible = 0;    // boxes of which a smaller share is left are dropped; so are those
                               // without area
  double clearly_visible = 0;  // boxes of which a smaller share is left become difficult
};

// The picture [H W C], uint8 or float32: bilinear, and with a wider triangle where it shrinks, so
// that it does not alias. A pixel whose centre comes from outside the picture is `fill`; inside,
// only pixels of the picture count.
Tensor warp_image(const Tensor& image, const Warp& warp, const std::vector<float>& fill = {0});
// A mask uint8 [H W], or masks [N H W]: the pixel that a pixel's centre comes from, else `outside`.
Tensor warp_mask(const Tensor& mask, const Warp& warp, std::uint8_t outside = 255);
Polygon warp_polygon(const Polygon& polygon, const Warp& warp);  // not cut at the edges

// Boxes float32 [N 4], cut at the edges, and the share of each that is left, 0 to 1.
struct WarpedBoxes {
  Tensor boxes;
  std::vector<double> visible;
};
WarpedBoxes warp_boxes(const Tensor& boxes, const Warp& warp,
                       TurnedBox turned = TurnedBox::corners);

// All of a sample. Of a detection's objects those that are dropped go with all that is theirs;
// their masks are 0 outside.
LabelledImage warped(const LabelledImage& sample, const Warp& warp,
                     const WarpOptions& options = {});
SegmentationSample warped(const SegmentationSample& sample, const Warp& warp,
                          const WarpOptions& options = {});
DetectionSample warped(const DetectionSample& sample, const Warp& warp,
                       const WarpOptions& options = {});

// The picture in another size.
Tensor resize_image(const Tensor& image, std::int64_t height, std::int64_t width);

}  // namespace pliant
