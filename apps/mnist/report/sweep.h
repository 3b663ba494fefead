// A few test digits shrunk step by step, and where nets read them: the material of the pictures
// that show what deformed.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/report/row_nets.h>
#include <pliant/layers/sampling.h>

namespace pliant::mnist {

// Zoom factors 1 to 2.5 in equal steps, as ScaleAugmentation draws them; without a shift.
struct Sweep {
  std::vector<double> zooms;
  std::vector<std::int64_t> indices, labels;  // of the digits: the first of each class
  Tensor pictures;                            // float32 [digits * zooms, H, W, 1], digit by digit

  std::size_t digits() const { return indices.size(); }
  std::size_t frames() const { return zooms.size(); }
  std::span<const float> picture(std::size_t digit, std::size_t frame) const;
  std::int64_t side() const { return pictures.dim(2); }
  // The frame with the zoom nearest to this.
  std::size_t frame_of(double zoom) const;
};
Sweep make_sweep(const LabelledImages& raw);

using Points = std::vector<SamplingPoint>;

// What one net does with one picture of the sweep.
struct View {
  Guess guess;
  // By strand: where the middle output of the last convolution reads the picture.
  std::vector<Points> points;
  // By layer, lowest first: where the middle output of that convolution reads, along strand 0.
  std::vector<Points> layers;
};

struct SweptNet {
  const RowNet* net;
  std::vector<LayerSampling> geometry;  // of the layers, without offsets
  std::vector<Strand> strands;
  std::vector<View> views;  // digits * frames
  bool masked = false;

  const View& view(const Sweep& sweep, std::size_t digit, std::size_t frame) const {
    return views[digit * sweep.frames() + frame];
  }
};
SweptNet swept(const RowNet& net, const Sweep& sweep, Device device);

// Where the middle output of the last of `layers` lies.
std::pair<std::int64_t, std::int64_t> middle_of(std::span<const LayerSampling> layers);

}  // namespace pliant::mnist
