#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/figures/pictures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/internal/roi.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernels/deform_roi_pool.h>

namespace pliant::figures {
namespace {

constexpr int kBins = 3, kSamples = 3;
constexpr double kTop = 36;
// What the regions are pooled from: the blurred digit and its differences along both axes.
Tensor features(const Tensor& blurs) {
  const Tensor kernels =
      Tensor::from<double>({0, 0, 0, -2, 0, 2, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0, 2, 0}, {2, 3, 3, 1});
  std::vector<Tensor> maps{blurs};
  for (std::int64_t c = 0; c < blurs.dim(3); ++c)
    maps.push_back(conv2d(slice_axis(blurs, 3, c, c + 1), kernels, {}, {.padding = 1}).value());
  return side_by_side(maps);
}

const DeformRoIPoolOptions kOptions{.pooled_size = kBins, .sample_per_part = kSamples};

Tensor region(double x1, double y1, double x2, double y2) {
  return Tensor::from<double>({0, x1, y1, x2, y2}, {1, 5});
}

DeformRoIPoolGeometry geometry(const Tensor& maps, const Tensor& rois) {
  return {.region = roi_geometry("figures", maps, rois, kBins, 1),
          .part = kBins,
          .classes = 1,
          .samples = kSamples,
          .trans_std = kOptions.trans_std};
}

// The samples of bin (i, j), as the kernel places them, moved by its trans (dx, dy).
struct Bin {
  BinSamples rows, columns;
};

Bin bin_of(const DeformRoIPoolGeometry& g, const Tensor& rois, const Tensor& trans, int i, int j) {
  const double* const roi = rois.data<double>();
  const double* const t = trans.defined() ? trans.data<double>() + g.trans_at(0, i, j, 0) : nullptr;
  return {deform_roi_samples(g, roi[2], roi[4], t == nullptr ? 0 : t[1], i, kBins, kSide),
          deform_roi_samples(g, roi[1], roi[3], t == nullptr ? 0 : t[0], j, kBins, kSide)};
}

// The outline of a bin: its samples lie at its start and so many steps on.
void draw_outline(page::Svg& svg, const page::Frame& frame, const Bin& bin,
                  const std::string& attributes) {
  const page::Place a = frame.at({bin.rows.first, bin.columns.first});
  const page::Place b = frame.at({bin.rows.at(kSamples), bin.columns.at(kSamples)});
  svg.rectangle(a.y, a.x, b.y - a.y, b.x - a.x, "fill=\"none\" " + attributes);
}

void draw_bins(page::Svg& svg, const page::Frame& frame, const DeformRoIPoolGeometry& g,
               const Tensor& rois, const Tensor& trans, const Tensor& mask) {
  for (int i = 0; i < kBins; ++i)
    for (int j = 0; j < kBins; ++j) {
      const Bin regular = bin_of(g, rois, {}, i, j), moved = bin_of(g, rois, trans, i, j);
      const double weight = mask.defined() ? mask.data<double>()[i * kBins + j] : 1.0;
      const std::string colour = page::kColours[(i + j) % 2];
      draw_outline(
          svg, frame, moved,
          "stroke=\"" + colour + "\" stroke-width=\"" + page::tenths(0.6 + 1.4 * weight) + '"');
      const double half = kSamples / 2.0;
      svg.arrow(frame.at({regular.rows.first + half * regular.rows.step,
                          regular.columns.first + half * regular.columns.step}),
                frame.at({moved.rows.first + half * moved.rows.step,
                          moved.columns.first + half * moved.columns.step}),
                "#24292f");
      svg.open("stroke=\"#ffffff\" stroke-width=\"0.8\" fill=\"" + colour + '"');
      for (int a = 0; a < kSamples; ++a)
        for (int b = 0; b < kSamples; ++b)
          svg.circle(frame.at({moved.rows.at(a), moved.columns.at(b)}), 0.8 + 2.4 * weight, "");
      svg.close();
    }
}

void draw_regular(page::Svg& svg, const page::Frame& frame, const DeformRoIPoolGeometry& g,
                  const Tensor& rois) {
  svg.open("stroke=\"#57606a\" stroke-dasharray=\"4 3\"");
  for (int i = 0; i < kBins; ++i)
    for (int j = 0; j < kBins; ++j) draw_outline(svg, frame, bin_of(g, rois, {}, i, j), "");
  svg.close();
}

}  // namespace

Figure deform_roi_pool_v1() {
  const Tensor maps = features(blurred(digit(4)));
  const Tensor right = region(6, 5, 21, 25), wrong = region(8, 3, 23, 23);
  const Tensor target = deform_roi_pool(maps, right, {}, {}, kOptions).value();
  const Parameter trans(Tensor::zeros({1, kBins, kBins, 2}, DType::float64), "trans");
  const Learned learned = learn({trans}, 300, 0.1, [&](const Tape& tape) {
    return mse_loss(deform_roi_pool(maps, wrong, tape(trans), {}, kOptions), target);
  });
  page::Svg svg(684, 394, "Deformable RoI pooling, v1",
                "A region in its place, and a misplaced one whose bins learned to move");
  const page::Frame left{kTop, 12, 11, kSide, kSide, 0}, frame{kTop, 352, 11, kSide, kSide, 0};
  svg.heading(22, 12, "wanted: the bins of a region in its place");
  page::draw_map(svg, left, channel(maps, 0));
  draw_bins(svg, left, geometry(maps, right), right, {}, {});
  svg.heading(22, 352, "a misplaced region (dashed) and its moved bins");
  page::draw_map(svg, frame, channel(maps, 0));
  draw_regular(svg, frame, geometry(maps, wrong), wrong);
  draw_bins(svg, frame, geometry(maps, wrong), wrong, trans.value(), {});
  svg.text(kTop + 308 + 22, 12,
           "● samples of a bin, 3 x 3 from its upper left corner on; arrows: how far its middle "
           "moved");
  svg.text(kTop + 308 + 40, 12,
           "mean squared difference of the pooled values: " + learned.summary());
  return {"deform-roi-pool-v1", svg.file(), learned.summary()};
}

Figure deform_roi_pool_v2() {
  const Tensor clean = features(blurred(digit(4))), maps = unevenly_bright(clean);
  const Tensor right = region(6, 5, 21, 25), wrong = region(8, 3, 23, 23);
  const Tensor target = deform_roi_pool(clean, right, {}, {}, kOptions).value();
  const Parameter trans(Tensor::zeros({1, kBins, kBins, 2}, DType::float64), "trans");
  const Parameter logits(Tensor::zeros({1, kBins, kBins, 1}, DType::float64), "mask");
  const Learned learned = learn({trans, logits}, 400, 0.1, [&](const Tape& tape) {
    return mse_loss(
        deform_roi_pool(maps, wrong, tape(trans), 2.0 * sigmoid(tape(logits)), kOptions), target);
  });
  const Tensor mask = (2.0 * sigmoid(logits.value())).value();
  page::Svg svg(
      684, 394, "Deformable RoI pooling, v2",
      "A misplaced region on a digit of uneven brightness, its moved bins and their masks");
  const page::Frame frame{kTop, 12, 11, kSide, kSide, 0},
      table{kTop + 50, 380, 70, kBins, kBins, 0};
  svg.heading(22, 12, "too bright on the left, too dark on the right");
  page::draw_map(svg, frame, channel(maps, 0), {0, 1.6, 90});
  draw_regular(svg, frame, geometry(maps, wrong), wrong);
  draw_bins(svg, frame, geometry(maps, wrong), wrong, trans.value(), mask);
  svg.heading(kTop + 38, 380, "masks of the bins, 1 at the start");
  page::draw_numbers(svg, table, channel(mask, 0), {0, 2, 150});
  svg.text(kTop + 308 + 22, 12,
           "dashed: the bins where they started; size of ● and width of outlines: the mask");
  svg.text(
      kTop + 308 + 40, 12,
      "mean squared difference to a region in its place on the even digit: " + learned.summary());
  return {"deform-roi-pool-v2", svg.file(), learned.summary()};
}

}  // namespace pliant::figures
