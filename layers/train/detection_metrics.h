// Average precision of detections over a set of images: by the rules of PASCAL VOC and of COCO.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace pliant {

using Corners = std::array<double, 4>;  // x1, y1, x2, y2

struct TrueBox {
  std::int64_t image = 0, label = 0;
  Corners box = {};
  bool difficult = false;  // VOC: neither to be found nor wrong to find
  bool crowd = false;      // COCO: many objects; detections inside it are not wrong
  double area = -1;        // COCO: of the object's outline; below 0: the box's own
};

struct FoundBox {
  std::int64_t image = 0, label = 0;
  Corners box = {};
  double score = 0;  // a finite number
};

struct VOCOptions {
  double iou_threshold = 0.5;  // a hit lies above it
  bool inclusive = true;       // sides are x2 - x1 + 1, as VOC's own program has them
};

// Recall and precision after each of the detections of one label, by descending score, equals in
// the order of the list. A detection hits the true box of its image that it overlaps most, once;
// another of the same box is wrong. recall is NaN where there is nothing to find.
struct PrecisionRecall {
  std::int64_t positives = 0;  // boxes to be found: all that are not difficult
  std::vector<double> recall, precision;
};
PrecisionRecall precision_recall(const std::vector<TrueBox>& truth,
                                 const std::vector<FoundBox>& found, std::int64_t label,
                                 const VOCOptions& options = {});

// VOC 2007: the mean over the recalls 0, 0.1 .. 1 (as 0.1 * i in double) of the largest precision at
// that recall or a higher one, 0 where it is not reached.
double average_precision_11_point(const PrecisionRecall& curve);
// VOC 2010 on: the area under precision made to fall.
double average_precision(const PrecisionRecall& curve);
// Both are NaN where there is nothing to find.

// COCO's figures (pycocotools): -1 where there is nothing to find.
struct COCOFigures {
  double ap = -1, ap50 = -1, ap75 = -1;                      // IoU .50:.05:.95, .50, .75
  double ap_small = -1, ap_medium = -1, ap_large = -1;       // areas to 32^2, to 96^2, above
  double ar_1 = -1, ar_10 = -1, ar_100 = -1;                 // of so many detections of an image
  double ar_small = -1, ar_medium = -1, ar_large = -1;       // of 100
  std::vector<double> ap_of_label = {}, ap50_of_label = {};  // labels 0 .. classes - 1

  // In the order that pycocotools prints them in.
  std::array<double, 12> all() const {
    return {ap,   ap50,  ap75,   ap_small, ap_medium, ap_large,
            ar_1, ar_10, ar_100, ar_small, ar_medium, ar_large};
  }
};

// Of labels 0 .. classes - 1. Detections of one image and label beyond the 100 best are left out;
// in descending order of their scores (equals in the order of the list, and of the images' numbers)
// each takes the box that it overlaps most among those not taken; recall at 101 points.
COCOFigures coco_figures(const std::vector<TrueBox>& truth, const std::vector<FoundBox>& found,
                         std::int64_t classes);

}  // namespace pliant
