#include <cmath>
#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/figures/pictures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/losses.h>

namespace pliant::figures {
namespace {

constexpr int kGroups = 2, kTaps = 9;
constexpr std::int64_t kReach = 2;  // dilation and padding
constexpr double kTop = 36;

DCNOptions options(MaskRule rule) {
  return {.padding = kReach, .dilation = kReach, .groups = kGroups, .mask = rule};
}

DCNGeometry geometry(MaskRule rule) {
  DCNGeometry g;
  g.conv = conv_geometry("figures", {1, kSide, kSide, 8}, {8, 3, 3, 4},
                         {.padding = kReach, .dilation = kReach, .groups = kGroups});
  g.mask_rule = rule;
  return g;
}

// The taps of a group at a location; offsets [2 * kTaps] as pairs (dx, dy), masks [kTaps].
std::vector<page::Tap> taps_of(const DCNGeometry& g, const double* offsets, const double* masks,
                               int group, const page::Place& at, double area) {
  const DCNMask<double> worth(g, masks);
  std::vector<page::Tap> taps;
  const auto p = static_cast<std::int64_t>(at.y), q = static_cast<std::int64_t>(at.x);
  for (std::int64_t t = 0; t < kTaps; ++t) {
    const auto place = [&](double dx, double dy) {
      return page::Place{dcn_coordinate(g, g.tap_row<double>(t), p, g.conv.stride_h, dy),
                         dcn_coordinate(g, g.tap_column<double>(t), q, g.conv.stride_w, dx)};
    };
    taps.push_back(
        {place(0, 0), place(offsets[2 * t], offsets[2 * t + 1]), area * worth(masks[t]), group});
  }
  return taps;
}

// Two digits for two groups, changed in different ways, and the locations that are drawn.
struct Scene {
  Tensor plain, seen;
  std::vector<page::Place> at;
};

Scene scene(int first, int second) {
  const Tensor a = blurred(digit(first)), b = blurred(digit(second));
  return {side_by_side({a, b}),
          side_by_side({transformed(a, {.zoom = 1.5, .right = -1}),
                        transformed(b, {.degrees = -25, .down = 1, .right = 2})}),
          {on_stroke(a, {6, 15}), on_stroke(a, {14, 14}), on_stroke(a, {22, 13})}};
}

// How large the mask of a tap should be: taps column by column, -1..1 from the middle.
using MaskOf = double (*)(int group, double y, double x);

std::vector<double> masks_of(MaskOf mask) {
  std::vector<double> masks;
  for (int group = 0; group < kGroups; ++group)
    for (int x = -1; x <= 1; ++x)
      for (int y = -1; y <= 1; ++y) masks.push_back(mask(group, y, x));
  return masks;
}

Tensor at_all_locations(const std::vector<double>& values) {
  std::vector<double> all;
  for (int i = 0; i < kSide * kSide; ++i) all.insert(all.end(), values.begin(), values.end());
  return Tensor::from<double>(all, {1, kSide, kSide, static_cast<std::int64_t>(values.size())});
}

using TapsOf = std::function<std::vector<page::Tap>(int group, const page::Place& at)>;

page::Svg draw(const char* title, const Scene& scene, const TapsOf& taps, const std::string& legend,
               const std::string& loss) {
  page::Svg svg(684, 408, title,
                "Two groups of channels, the sampling points of three locations in each");
  for (int group = 0; group < kGroups; ++group) {
    const page::Frame frame{kTop, 12.0 + 340 * group, 10, kSide, kSide, 2};
    svg.heading(22, frame.x, "channels of group " + std::to_string(group));
    page::draw_map(svg, frame, channel(scene.seen, 4 * group));
    for (const page::Place& place : scene.at) {
      page::draw_taps(svg, frame, taps(group, place));
      page::draw_location(svg, frame, place);
    }
  }
  svg.text(kTop + 320 + 20, 12, legend);
  svg.text(kTop + 320 + 38, 12,
           "mean squared difference to its result on the digits as they were: " + loss);
  return svg;
}

}  // namespace

Figure dcn_v3_groups() {
  const Scene digits = scene(5, 2);
  const Tensor none = Tensor::zeros({1, kSide, kSide, kGroups * kTaps * 2}, DType::float64);
  // Logits: a middle-heavy group and one that looks along its column.
  const Tensor wanted = at_all_locations(masks_of([](int group, double y, double x) {
    return group == 0 ? 1.2 - 0.8 * (x * x + y * y) : 1 - 2 * x * x;
  }));
  const DCNOptions rule = options(MaskRule::softmax);
  const Tensor target = dcn_v3(digits.plain, none, wanted, rule).value(), basis = affine_basis();
  const Parameter offsets(Tensor::zeros({3, 36}, DType::float64), "offset");
  const Parameter logits(Tensor::zeros({3, 18}, DType::float64), "mask");
  const Learned learned = learn({offsets, logits}, 400, 0.05, [&](const Tape& tape) {
    return mse_loss(
        dcn_v3(digits.seen, field_of(tape, basis, offsets), field_of(tape, basis, logits), rule),
        target);
  });
  const Tape tape;
  const Tensor moved = field_of(tape, basis, offsets).value();
  const Tensor masks = field_of(tape, basis, logits).value();
  const DCNGeometry g = geometry(MaskRule::softmax);
  const auto taps = [&](int group, const page::Place& at) {
    const auto location = static_cast<std::int64_t>(at.y) * kSide + static_cast<std::int64_t>(at.x);
    const std::int64_t unit = location * kGroups + group;
    return taps_of(g, moved.data<double>() + unit * kTaps * 2, masks.data<double>() + unit * kTaps,
                   group, at, 4);
  };
  const page::Svg svg =
      draw("DCN v3", digits, taps,
           "○ regular taps; ● learned sampling points, area = mask (a softmax over "
           "the nine taps); + output location",
           learned.summary());
  return {"dcn-v3", svg.file(), learned.summary()};
}

Figure dcn_v4_groups() {
  const Scene digits = scene(2, 5);
  const DCNOptions rule = options(MaskRule::as_given);
  const std::int64_t width = dcn_v4_width(rule);
  // Masks of any sign: a derivative by x, and a middle against what is around it.
  const std::vector<double> masks = masks_of([](int group, double y, double x) {
    const double near = std::exp(-(x * x + y * y) / 2);
    return group == 0 ? x * near : (x == 0 && y == 0 ? 1.0 : -0.35 * near);
  });
  std::vector<double> layout;
  for (int group = 0; group < kGroups; ++group) {
    layout.insert(layout.end(), 2 * kTaps, 0.0);
    layout.insert(layout.end(), masks.begin() + group * kTaps, masks.begin() + (group + 1) * kTaps);
  }
  layout.resize(static_cast<std::size_t>(width));
  const Tensor target = dcn_v4(digits.plain, at_all_locations(layout), rule).value();
  const Tensor basis = affine_basis();
  const Parameter both(Tensor::zeros({3, width}, DType::float64), "offset_mask");
  const Learned learned = learn({both}, 500, 0.05, [&](const Tape& tape) {
    return mse_loss(dcn_v4(digits.seen, field_of(tape, basis, both), rule), target);
  });
  const Tape tape;
  const Tensor field = field_of(tape, basis, both).value();
  const DCNGeometry g = geometry(MaskRule::as_given);
  const auto taps = [&](int group, const page::Place& at) {
    const auto location = static_cast<std::int64_t>(at.y) * kSide + static_cast<std::int64_t>(at.x);
    const double* const own = field.data<double>() + location * width + group * 3 * kTaps;
    return taps_of(g, own, own + 2 * kTaps, group, at, 1.6);
  };
  const page::Svg svg =
      draw("DCN v4", digits, taps,
           "black ○ regular taps; ● learned sampling points, area = mask, a ring if "
           "it is negative; + output location",
           learned.summary());
  return {"dcn-v4", svg.file(), learned.summary()};
}

}  // namespace pliant::figures
