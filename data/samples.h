// What the sets of data/ give, one type for each task, and batches of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/data/images.h>
#include <pliant/data/polygon.h>

namespace pliant {

// Classification.
struct LabelledImage {
  Tensor image;  // [H W C], uint8 (0..255) or float32 (0..1)
  std::int64_t label = 0;
};

// Detection: a picture and its N objects. `difficult` and `crowd` are 0 or 1: objects that a
// judgement leaves out, and boxes around many of a class (COCO).
struct DetectionSample {
  Tensor image;                                // [H W C]
  Tensor boxes;                                // float32 [N 4]: x1 y1 x2 y2 (data/polygon.h)
  Tensor labels;                               // int64 [N]
  Tensor difficult, crowd;                     // uint8 [N]
  std::vector<std::vector<Polygon>> polygons;  // N outlines, each of some polygons; or none
  Tensor masks = {};                           // uint8 [N H W], 0 or 1; or undefined
  std::vector<double> areas = {};              // N, of outlines, as COCO says them; or none
  std::string id = {};                         // that the set gives the picture
  std::int64_t height = 0, width = 0;          // of the picture in the set, in pixels
};

// Semantic segmentation.
struct SegmentationSample {
  Tensor image;         // [H W C]
  Tensor mask;          // uint8 [H W]: classes; 255 belongs to none
  std::string id = {};  // that the set gives the picture
};

// Tracking: the frames of a video and where the target is in each.
struct Sequence {
  std::string name;
  std::vector<std::filesystem::path> frames;  // F files
  Tensor boxes;                   // float32 [F 4]: x1 y1 x2 y2, around a polygon too; 0 if absent
  Tensor present;                 // uint8 [F]: 0 where the target is absent
  std::vector<Polygon> polygons;  // F; empty where the truth is a rectangle, or absent

  std::int64_t size() const { return static_cast<std::int64_t>(frames.size()); }
  // uint8 [H W 3]. A file that cannot be read is an Error that names it.
  Tensor frame(std::int64_t i) const;
};

struct SegmentationBatch {
  Tensor images;  // [N H W C]
  Tensor labels;  // int64 [N H W], as softmax_cross_entropy takes them with ignore_index 255

  SegmentationBatch to(Device device) const { return {images.to(device), labels.to(device)}; }
};

// Which of a set with these labels are held out: the share `val` of each class, drawn at random, rounded
// to whole samples but neither none nor all of a class of two or more. A pure function of its
// arguments. An Error unless 0 < val < 1.
std::vector<bool> held_out_of_classes(const std::vector<std::int64_t>& labels, double val,
                                      const Rng& rng);

// Samples of one size and type as a batch, for a Loader; others are an Error.
LabelledImages stack_images(const std::vector<LabelledImage>& samples);
SegmentationBatch stack_segmentation(const std::vector<SegmentationSample>& samples);

}  // namespace pliant
