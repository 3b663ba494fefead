#include <cmath>
#include <functional>
#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/map_offsets.h>

namespace pliant::figures {
namespace {

constexpr int kPixels = 6, kSteps = 20;  // of the row; of a curve in one pixel
constexpr double kFirst = -2, kLast = 7;
constexpr double kRow[kPixels] = {0.9, 0.5, 0.8, 0.3, 0.4, 1.0};

// What an operator gives for one row, read at evenly spaced coordinates, and its derivative.
struct Curve {
  std::vector<double> at, value, slope;
};

// x [N 1 W 1] and the coordinates [N] -> values [N].
using Reading = std::function<Var(const Tensor& x, const Var& coordinates)>;

Curve read_row(const Reading& reading) {
  Curve curve;
  for (int i = 0; i <= static_cast<int>(kLast - kFirst) * kSteps; ++i)
    curve.at.push_back(kFirst + static_cast<double>(i) / kSteps);
  const auto count = static_cast<std::int64_t>(curve.at.size());
  Tensor rows = Tensor::empty({count, 1, kPixels, 1}, DType::float64);
  for (std::int64_t i = 0; i < rows.size(); ++i) rows.mutable_data<double>()[i] = kRow[i % kPixels];
  // Only the first pixel of each row is moved; the others stay and are not looked at.
  Tensor offsets = Tensor::zeros({count, 1, kPixels, 2}, DType::float64);
  for (std::int64_t i = 0; i < count; ++i)
    offsets.mutable_data<double>()[i * kPixels * 2 + 1] = curve.at[static_cast<std::size_t>(i)];
  const Tape tape;
  const Var moved = tape.variable(offsets);
  const Var result = reading(rows, moved);
  const Gradients gradients =
      tape.gradients(result, {}, {.cotangent = Tensor::full(result.shape(), 1, DType::float64)});
  for (std::int64_t i = 0; i < count; ++i) {
    curve.value.push_back(result.value().data<double>()[i * kPixels]);
    curve.slope.push_back(gradients[moved].data<double>()[i * kPixels * 2 + 1]);
  }
  return curve;
}

// A path with a gap wherever neighbours differ by more than `jump`.
void draw_curve(page::Svg& svg, const std::vector<double>& at, const std::vector<double>& values,
                double jump, const std::function<page::Place(double, double)>& place,
                const std::string& attributes) {
  std::vector<page::Place> points;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (i > 0 && std::abs(values[i] - values[i - 1]) > jump)
      points.push_back({std::nan(""), std::nan("")});
    const bool level =
        i > 0 && i + 1 < at.size() && values[i] == values[i - 1] && values[i] == values[i + 1];
    if (!level) points.push_back(place(at[i], values[i]));
  }
  svg.path(points, attributes);
}

void draw_rule(page::Svg& svg, double left, const std::string& name, const Curve& curve,
               int colour) {
  const double unit = 22, top = 40;
  const auto value_at = [&](double x, double v) {
    return page::Place{top + 95 - 75 * v, left + (x - kFirst) * unit};
  };
  const auto slope_at = [&](double x, double v) {
    return page::Place{top + 165 - 40 * v, left + (x - kFirst) * unit};
  };
  svg.heading(24, left, name);
  svg.rectangle(top, left + (0 - kFirst) * unit, 210, (kPixels - 1) * unit, "fill=\"#f0f2f5\"");
  svg.line(value_at(kFirst, 0), value_at(kLast, 0), "stroke=\"#8c959f\" stroke-width=\"0.8\"");
  svg.line(slope_at(kFirst, 0), slope_at(kLast, 0), "stroke=\"#8c959f\" stroke-width=\"0.8\"");
  const std::string stroke = "stroke=\"" + std::string(page::kColours[colour]) + '"';
  draw_curve(svg, curve.at, curve.value, 0.2, value_at, stroke + " stroke-width=\"2\"");
  draw_curve(svg, curve.at, curve.slope, 1e-6, slope_at, stroke + " stroke-width=\"2\"");
  for (int i = 0; i < kPixels; ++i) {
    svg.circle(value_at(i, kRow[i]), 3, "fill=\"#ffffff\" stroke=\"#24292f\"");
    svg.text(top + 222, value_at(i, 0).x, std::to_string(i), page::Anchor::middle);
  }
  svg.text(top + 222, value_at(-1, 0).x, "-1", page::Anchor::middle);
  svg.text(top + 222, value_at(kPixels, 0).x, std::to_string(kPixels), page::Anchor::middle);
}

}  // namespace

Figure boundaries() {
  const Tensor one = Tensor::full({1, 1, 1, 1}, 1, DType::float64);
  const auto deformed = [&](Border border) {
    return read_row([&](const Tensor& x, const Var& offset) {
      return deform_conv2d(x, offset, one, {}, {}, {.border = border});
    });
  };
  page::Svg svg(
      714, 312, "Boundary rules",
      "Value and derivative of a sample that moves along a row of six pixels, by three rules");
  draw_rule(svg, 56, "zeros (deform_conv2d)", deformed(Border::zeros), 0);
  draw_rule(svg, 278, "dcn_v1 (deform_conv2d)", deformed(Border::dcn_v1), 1);
  draw_rule(svg, 500, "clamped (map_offsets)",
            read_row([](const Tensor& x, const Var& offset) { return map_offsets(x, offset); }), 2);
  svg.text(139, 12, "value");
  svg.text(209, 12, "d/dx");
  svg.text(
      286, 12,
      "A row of six pixels (circles), read at x from -2 to 7: what the operator gives, and its "
      "gradient by the offset.");
  svg.text(
      303, 12,
      "Shaded: between the first and the last pixel. At a pixel the gradient is the one to its "
      "right.");
  return {"boundaries", svg.file(), "values and gradients of a sample along a row of 6 pixels"};
}

}  // namespace pliant::figures
