// Digits drawn by program: the stand-in for MNIST where MNIST cannot be had.
#pragma once

#include <cstdint>

#include <pliant/core/random.h>
#include <pliant/data/images.h>

namespace pliant {

// `count` images uint8 [count 28 28 1], white on black, and their labels 0 to 9, equally likely.
//
// A digit is one of several hand-made stroke drawings of its class, deformed (proportions, a smooth
// elastic field, slant, rotation, aspect), drawn with a random pen width and anti-aliased. As in
// MNIST it is fitted into a box of about 20 pixels and centred by its mass. Image i is a pure
// function of rng.fork(i): the same on any number of threads and in any longer set. Sets of
// different keys, rng.fork("train") and rng.fork("test"), share no image.
LabelledImages make_digits(std::int64_t count, const Rng& rng);

}  // namespace pliant
