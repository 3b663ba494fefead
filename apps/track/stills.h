// Still pictures with boxes, to learn from besides videos: either image of a pair is cut from one.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/kit/picture_set.h>
#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/samples.h>
#include <pliant/layers/train/tracking_metrics.h>

namespace pliant::track {

using Stills = kit::PictureSet<DetectionSample>;

// The pictures of the split "train" of every folder, in the layout of PASCAL VOC or of COCO. What
// is neither, and a folder without an object, is an Error; `notices` get what was left out.
Stills open_stills(const std::vector<std::string>& folders, BadFiles bad_files,
                   std::vector<std::string>& notices);

// An object that can be a target: no crowd, not called difficult, and not too small to be known.
struct Still {
  Tensor image = {};  // uint8 [H W 3]; undefined where none was found
  TrackedBox box = {};
};
Still drawn_still(const Stills& stills, const Rng& rng);

}  // namespace pliant::track
