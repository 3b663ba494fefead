#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/figures/pictures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/permute.h>

namespace pliant::figures {
namespace {

constexpr std::int64_t kReach = 2;  // dilation and padding: the taps are easier to see
constexpr double kTop = 36, kSpace = 14;

// The taps of one offset group at output location `at`; without offsets the regular ones alone.
std::vector<page::Tap> taps_of(const DeformGeometry& g, const Tensor& offset, const Tensor& mask,
                               std::int64_t group, const page::Place& at) {
  const auto p = static_cast<std::int64_t>(at.y), q = static_cast<std::int64_t>(at.x);
  std::vector<page::Tap> taps;
  for (std::int64_t t = 0; t < g.conv.r * g.conv.s; ++t) {
    const std::int64_t pair = deform_pair(g, p * g.conv.q + q, group, t);
    const page::Place regular{static_cast<double>(g.conv.row(p, t / g.conv.s)),
                              static_cast<double>(g.conv.column(q, t % g.conv.s))};
    const double* const d = offset.data<double>() + 2 * pair;
    const double weight = mask.defined() ? mask.data<double>()[pair] : 1.0;
    taps.push_back(
        {regular, {regular.y + d[0], regular.x + d[1]}, weight, static_cast<int>(group)});
  }
  return taps;
}

void draw_regular(page::Svg& svg, const page::Frame& frame, const DeformGeometry& g,
                  const std::vector<page::Place>& at) {
  svg.open("fill=\"#ffffff\" fill-opacity=\"0.6\" stroke=\"#24292f\" stroke-width=\"1.1\"");
  for (const page::Place& place : at)
    for (std::int64_t t = 0; t < g.conv.r * g.conv.s; ++t)
      svg.circle(frame.at({static_cast<double>(
                               g.conv.row(static_cast<std::int64_t>(place.y), t / g.conv.s)),
                           static_cast<double>(
                               g.conv.column(static_cast<std::int64_t>(place.x), t % g.conv.s))}),
                 3, "");
  svg.close();
  for (const page::Place& place : at) page::draw_location(svg, frame, place);
}

// Values of what was learned.
Tensor value_of(const Tensor& basis, const Parameter& coefficients) {
  const Tape tape;
  return field_of(tape, basis, coefficients).value();
}

}  // namespace

Figure deform_conv_v1() {
  const Tensor maps = blurred(digit(5));
  const Tensor seen = transformed(maps, {.zoom = 1.5, .degrees = 25, .right = 1});
  const Tensor weight = noise({12, 3, 3, 4}, 1.0 / 6, 1), basis = affine_basis();
  const DeformConvOptions options{.padding = kReach, .dilation = kReach};
  const Tensor target = conv2d(maps, weight, {}, {.padding = kReach, .dilation = kReach}).value();
  const Parameter offsets(Tensor::zeros({3, 18}, DType::float64), "offsets");
  const Learned learned = learn({offsets}, 300, 0.05, [&](const Tape& tape) {
    return mse_loss(deform_conv2d(seen, field_of(tape, basis, offsets), weight, {}, {}, options),
                    target);
  });
  DeformGeometry g;
  g.conv = conv_geometry("figures", seen.shape(), weight.shape(),
                         {.padding = kReach, .dilation = kReach});
  const std::vector<page::Place> at = {on_stroke(maps, {4, 20}), on_stroke(maps, {17, 22}),
                                       on_stroke(maps, {25, 8})};
  page::Svg svg(
      684, 408, "Deformable convolution, v1",
      "Taps of three locations: regular on the digit, learned on the shrunk and turned digit");
  const page::Frame left{kTop, 12, 10, kSide, kSide, 2}, right{kTop, 352, 10, kSide, kSide, 2};
  svg.heading(22, 12, "conv2d reads the digit here");
  page::draw_map(svg, left, channel(maps, 0));
  draw_regular(svg, left, g, at);
  svg.heading(22, 352, "deform_conv2d reads the changed digit here");
  page::draw_map(svg, right, channel(seen, 0));
  const Tensor field = value_of(basis, offsets);
  for (const page::Place& place : at) {
    const std::vector<page::Tap> taps = taps_of(g, field, {}, 0, place);
    page::draw_lattice(svg, right, taps);
    page::draw_taps(svg, right, taps);
    page::draw_location(svg, right, place);
  }
  svg.text(kTop + 320 + 20, 12,
           "○ regular taps, 3 x 3 dilated by 2; ● learned sampling points; + output location "
           "(three of 784)");
  svg.text(kTop + 320 + 38, 12, "mean squared difference of the two results: " + learned.summary());
  return {"deform-conv2d-v1", svg.file(), learned.summary()};
}

namespace {

void draw_groups(page::Svg& svg, const DeformGeometry& g, const Tensor& seen, const Tensor& field,
                 const Tensor& mask, const std::vector<page::Place>& at) {
  for (int group = 0; group < 2; ++group) {
    const page::Frame frame{kTop, 12.0 + 340 * group, 10, kSide, kSide, 2};
    svg.heading(22, frame.x,
                group == 0 ? "group 0: too bright on the left, too dark on the right"
                           : "group 1: other channels, other offsets");
    page::draw_map(svg, frame, channel(seen, 4 * group),
                   {0, group == 0 ? 1.6 : 1, group == 0 ? 90 : 120});
    for (const page::Place& place : at) {
      const std::vector<page::Tap> taps = taps_of(g, field, mask, group, place);
      page::draw_lattice(svg, frame, taps);
      page::draw_taps(svg, frame, taps);
      page::draw_location(svg, frame, place);
    }
  }
}

}  // namespace

Figure deform_conv_v2() {
  const Tensor two = blurred(digit(2)), eight = blurred(digit(8));
  const Tensor seen =
      side_by_side({unevenly_bright(transformed(two, {.zoom = 1.3, .degrees = -15})),
                    transformed(eight, {.zoom = 1.0, .degrees = 20, .down = -1, .right = 3})});
  const Tensor plain = side_by_side({two, eight});
  const Tensor weight = noise({32, 3, 3, 8}, 1.0 / 8, 2), basis = affine_basis();
  const DeformConvOptions options{.padding = kReach, .dilation = kReach, .offset_groups = 2};
  const Tensor target = conv2d(plain, weight, {}, {.padding = kReach, .dilation = kReach}).value();
  const Parameter offsets(Tensor::zeros({3, 36}, DType::float64), "offsets");
  const Parameter logits(Tensor::zeros({1, kSide, kSide, 18}, DType::float64), "mask");
  const Tensor ones = Tensor::full(logits.shape(), 1, DType::float64);
  const Learned learned = learn({offsets, logits}, 400, 0.05, [&](const Tape& tape) {
    const Var mask = 2.0 * sigmoid(tape(logits));
    const Var result =
        deform_conv2d(seen, field_of(tape, basis, offsets), weight, {}, mask, options);
    return mse_loss(result, target) + 1e-3 * mse_loss(mask, ones);
  });
  DeformGeometry g;
  g.conv = conv_geometry("figures", seen.shape(), weight.shape(),
                         {.padding = kReach, .dilation = kReach});
  g.offset_groups = 2;
  const Tensor field = value_of(basis, offsets);
  const Tensor mask = (2.0 * sigmoid(logits.value())).value();
  const std::vector<page::Place> at = {on_stroke(two, {6, 16}), on_stroke(two, {21, 20}),
                                       on_stroke(two, {21, 8})};
  page::Svg svg(
      684, 408, "Deformable convolution, v2",
      "Taps of three locations in two offset groups, their sizes being the learned masks");
  draw_groups(svg, g, seen, field, mask, at);
  svg.text(kTop + 320 + 20, 12,
           "○ regular taps; ● learned sampling points, area = mask (1 at the start); + output "
           "location");
  svg.text(kTop + 320 + 38, 12,
           "mean squared difference of the results + 0.001 mean (mask - 1)²: " + learned.summary());
  return {"deform-conv2d-v2", svg.file(), learned.summary()};
}

namespace {

// Where y[h, w, c] is read from its channel, as arrows from (h, w); only where the result has ink.
void draw_reads(page::Svg& svg, const page::Frame& frame, const Tensor& field, int of_channel,
                const std::vector<double>& result) {
  for (int i = 0; i < kSide; i += 2)
    for (int j = 0; j < kSide; j += 2) {
      if (result[static_cast<std::size_t>(i * kSide + j)] < 0.35) continue;
      const double* const d = field.data<double>() + (i * kSide + j) * 4 + 2 * of_channel;
      const page::Place from{static_cast<double>(i), static_cast<double>(j)};
      svg.arrow(frame.at(from), frame.at({from.y + d[0], from.x + d[1]}),
                page::kColours[of_channel]);
    }
}

}  // namespace

Figure map_offsets_field() {
  // Four widths of blur as four images, which share the field.
  const Tensor maps = blurred(digit(3));
  const auto as_images = [](const Tensor& t) { return permute(t, {3, 1, 2, 0}).value(); };
  const Tensor bending =
      Tensor::from<double>({0, -2.5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 5}, {6, 2});  // [basis][dy dx]
  const Parameter bent(bending, "bending");
  const Tensor basis = quadratic_basis();
  const Var bend = broadcast_to(value_of(basis, bent), {4, kSide, kSide, 2});
  const Tensor straight = as_images(maps);
  const Tensor seen =
      side_by_side({as_images(transformed(maps, {.zoom = 1.4, .down = 2, .right = -3})),
                    map_offsets(straight, bend).value()});
  const Tensor target = side_by_side({straight, straight});
  const Parameter offsets(Tensor::zeros({6, 4}, DType::float64), "offsets");
  const Learned learned = learn({offsets}, 300, 0.05, [&](const Tape& tape) {
    const Var field = broadcast_to(field_of(tape, basis, offsets), {4, kSide, kSide, 4});
    return mse_loss(map_offsets(seen, field), target);
  });
  const Tensor field = value_of(basis, offsets);
  const Tensor result = map_offsets(seen.slice(0, 1), field).value();
  const double unit = 5.6, side = kSide * unit;
  page::Svg svg(4 * side + 3 * kSpace + 24, side + kTop + 50, "Map offsets",
                "Two channels, the field of offsets learned for each, and the results");
  for (int c = 0; c < 2; ++c) {
    const page::Frame from{kTop, 12 + 2 * c * (side + kSpace), unit, kSide, kSide, 0};
    const page::Frame to{kTop, from.x + side + kSpace, unit, kSide, kSide, 0};
    svg.heading(22, from.x, "channel " + std::to_string(c) + " and its field");
    page::draw_map(svg, from, channel(seen, c));
    draw_reads(svg, from, field, c, channel(result, c));
    svg.heading(22, to.x, "result");
    page::draw_map(svg, to, channel(result, c));
  }
  svg.text(
      kTop + side + 20, 12,
      "Arrows go from a pixel of the result to where it is read (every fourth pixel with ink).");
  svg.text(kTop + side + 38, 12,
           "mean squared difference to the digit as it was: " + learned.summary());
  return {"map-offsets", svg.file(), learned.summary()};
}

}  // namespace pliant::figures
