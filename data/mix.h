// Mixing the images of a batch, with their labels.
#pragma once

#include <pliant/core/random.h>
#include <pliant/data/images.h>

namespace pliant {

// Images of which the share `share` shows `labels`, the rest `others`. The loss is
//   share * loss(y, labels) + (1 - share) * loss(y, others).
struct MixedImages {
  Tensor images;          // float32 [N H W C]
  Tensor labels, others;  // int64 [N]
  double share = 1;

  MixedImages to(Device device) const {
    return {images.to(device), labels.to(device), others.to(device), share};
  }
};

// Each image with another of the batch, both drawn from the key: the share from Beta(alpha, alpha).
// `batch` has float32 images. An alpha that is not above 0, or beyond 1000, is an Error.
//
// mixup: share * image + (1 - share) * other (Zhang et al. 2017).
MixedImages mixup(const LabelledImages& batch, double alpha, const Rng& rng);
// cutmix: a rectangle of the other's lies in the image, its sides sqrt(1 - share) of the image's
// and its centre uniform, cut at the edges; `share` is what is left then (Yun et al. 2019).
MixedImages cutmix(const LabelledImages& batch, double alpha, const Rng& rng);

}  // namespace pliant
