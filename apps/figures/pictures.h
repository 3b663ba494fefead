// The pictures that the figures are about, and how offsets are learned for them. All in float64.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <pliant/apps/page/svg.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/tensor.h>

namespace pliant::figures {

constexpr int kSide = 28;

// A procedural digit of that label, 0..1, [1 28 28 1].
Tensor digit(int label);

// A picture [1 H W 1] at four widths of blur, each with its largest value at 1: [1 H W 4]. The
// narrow ones say where a stroke is, the wide ones from afar in which direction.
Tensor blurred(const Tensor& picture);

// What is seen is shrunk `zoom` times, turned by so many degrees and moved by so many pixels.
struct Similarity {
  double zoom = 1, degrees = 0, down = 0, right = 0;
};
// Maps [1 H W C], sampled bilinearly, zero outside.
Tensor transformed(const Tensor& maps, const Similarity& by);

// Columns 0 to 10 times 1.6, columns from 16 on times 0.6.
Tensor unevenly_bright(const Tensor& maps);

// Numbers from a normal distribution of that deviation, a pure function of `seed`.
Tensor noise(const Shape& shape, double deviation, std::uint64_t seed);

// Channels put side by side, [1 H W ..].
Tensor side_by_side(const std::vector<Tensor>& maps);

// One channel of one image of [N H W C], row by row.
std::vector<double> channel(const Tensor& maps, std::int64_t which, std::int64_t image = 0);

// The pixel with ink that is nearest.
page::Place on_stroke(const Tensor& picture, const page::Place& near);

// Numbers for every location of a map that offsets may depend on, [28*28 count].
Tensor affine_basis();     // 1, row, column
Tensor quadratic_basis();  // their products besides
Tensor angular_basis();    // 1, cosine and sine of the direction from the middle

// basis coefficients, as the offsets of an operator: [1 28 28 channels].
Var field_of(const Tape& tape, const Tensor& basis, const Parameter& coefficients);

struct Learned {
  double before = 0, after = 0;  // the loss
  int steps = 0;
  std::string summary() const;  // "0.123 -> 0.000456 in 300 Adam steps"
};

// Adam, whose rate falls to zero in the second half.
Learned learn(const std::vector<Parameter>& parameters, int steps, double rate,
              const std::function<Var(const Tape&)>& loss);

}  // namespace pliant::figures
