// The nets of this program: images [N H W 1] in 0..1 -> logits [N classes].
#pragma once

#include <pliant/apps/kit/classifier.h>
#include <pliant/layers/layers.h>

namespace pliant::mnist {

using kit::Classifier;

}  // namespace pliant::mnist
