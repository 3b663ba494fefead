// Scaled digits of 56 x 56 pixels: the second published benchmark's images.
//
// As in ScaledMNIST of github.com/4uiiurz1/pytorch-deform-conv-v2 (scaled_mnist.py and train.py as
// of commit ced9c47):
// - every 28 x 28 image is padded by 14 zeros on each side;
// - one factor z per image, uniform in [0.5, 1.5), serves both axes; there is no shift. The code
//   is Keras 2.0's random zoom: row r of the result reads row z * (r - 28.5) + 28.5 of the padded
//   image, so z = 1.5 shrinks a digit to two thirds and z = 0.5 doubles it, which still shows
//   the whole of the 28 x 28;
// - the nearest pixel (scipy's affine_transform, order 0). Outside counts as the edge pixel
//   (mode "nearest"), which is zero, being padding;
// - drawn once, before training, for the training and the test set alike: epochs see the same
//   images. No other augmentation;
// - the net sees (pixel / 255 - 0.1307) / 0.3081, the mean and deviation of the plain 28 x 28 set.
// Its factors come from NumPy's unseeded generator, so the very images cannot be had again; ours
// are of the same distribution.
#pragma once

#include <cstdint>

#include <pliant/data/images.h>

namespace pliant {

constexpr std::int64_t kScaled56Padding = 14;

// What is drawn for one image: number 0 of `rng`, in [0.5, 1.5).
double draw_zoom56(const Rng& rng);

// uint8 [N 28 28 1] -> uint8 [N 56 56 1], image i zoomed by draw_zoom56(rng.fork(i)); any height,
// width and number of channels do. A pure function of its arguments.
Tensor scaled56(const Tensor& images, const Rng& rng);

// The benchmark's two sets. They differ from seed to seed as the original's would from run to run.
ImageSets make_scaled56(const LabelledImages& train, const LabelledImages& test, const Rng& rng);

}  // namespace pliant
