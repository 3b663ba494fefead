// The plain region operators: sampling points of roi_align, cells of roi_pool, and both with a map
// for each bin.
#include <functional>
#include <numeric>
#include <vector>

#include <pliant/apps/figures/figures.h>
#include <pliant/apps/figures/pictures.h>
#include <pliant/apps/page/svg.h>
#include <pliant/autograd/internal/roi.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/core/kernels/ps_roi_pool.h>
#include <pliant/core/kernels/roi_align.h>
#include <pliant/core/kernels/roi_pool.h>

namespace pliant::figures {
namespace {

constexpr int kBins = 3;
constexpr double kTop = 36;

// Corners of a region in pixels of the map.
struct Box {
  double x1, y1, x2, y2;
  Tensor rois() const { return Tensor::from<double>({0, x1, y1, x2, y2}, {1, 5}); }
};

std::string outline(int colour) {
  return "fill=\"none\" stroke-width=\"1.6\" stroke=\"" + std::string(page::kColours[colour]) + '"';
}

// A rectangle between coordinates of the map (pixel centres are whole).
void draw_box(page::Svg& svg, const page::Frame& frame, const page::Place& from,
              const page::Place& to, const std::string& attributes) {
  const page::Place a = frame.at(from), b = frame.at(to);
  svg.rectangle(a.y, a.x, b.y - a.y, b.x - a.x, attributes);
}

void draw_bins(page::Svg& svg, const page::Frame& frame, const Box& box, double shift,
               const std::string& attributes) {
  const double h = (box.y2 - box.y1) / kBins, w = (box.x2 - box.x1) / kBins;
  for (int i = 0; i < kBins; ++i)
    for (int j = 0; j < kBins; ++j)
      draw_box(svg, frame, {box.y1 - shift + i * h, box.x1 - shift + j * w},
               {box.y1 - shift + (i + 1) * h, box.x1 - shift + (j + 1) * w}, attributes);
}

// The samples of bin (i, j), as the kernel places them.
std::vector<page::Place> samples_of(const RoIAlignGeometry& g, const Box& box, int i, int j) {
  const BinSamples rows = roi_align_samples(g, box.y1, box.y2, i, kBins, g.region.h);
  const BinSamples columns = roi_align_samples(g, box.x1, box.x2, j, kBins, g.region.w);
  std::vector<page::Place> places;
  for (std::int64_t a = rows.begin; a < rows.end; ++a)
    for (std::int64_t b = columns.begin; b < columns.end; ++b)
      places.push_back({rows.at(a), columns.at(b)});
  return places;
}

void draw_samples(page::Svg& svg, const page::Frame& frame, const RoIAlignGeometry& g,
                  const Box& box, const std::string& attributes) {
  svg.open(attributes);
  for (int i = 0; i < kBins; ++i)
    for (int j = 0; j < kBins; ++j)
      for (const page::Place& place : samples_of(g, box, i, j)) svg.circle(frame.at(place), 3, "");
  svg.close();
}

std::string filled(int colour) {
  return "stroke=\"#ffffff\" stroke-width=\"0.8\" fill=\"" + std::string(page::kColours[colour]) +
         '"';
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Cells of a bin on the map; begin to end are whole pixels.
void draw_cells(page::Svg& svg, const page::Frame& frame, PixelRange rows, PixelRange columns,
                double inset, const std::string& attributes) {
  const auto edge = [inset](std::int64_t at, double side) {
    return static_cast<double>(at) - 0.5 + side * inset;
  };
  draw_box(svg, frame, {edge(rows.begin, 1), edge(columns.begin, 1)},
           {edge(rows.end, -1), edge(columns.end, -1)}, attributes);
}

}  // namespace

Figure roi_align_points() {
  const Tensor map = digit(6);
  const Box box{8.3, 4.6, 20.9, 23.2};
  const RoIAlignOptions options{.output_size = kBins, .sampling_ratio = 2};
  RoIAlignGeometry g{roi_geometry("figures", map, box.rois(), kBins, 1), 2, true};
  const Tensor result = roi_align(map, box.rois(), options).value();
  page::Svg svg(576, 408, "RoIAlign",
                "A region on a digit, its nine bins and their sampling points");
  const page::Frame frame{kTop, 12, 12, kSide, kSide, 0},
      table{kTop + 72, 372, 64, kBins, kBins, 0};
  svg.heading(22, 12, "map, region of 3 x 3 bins, 2 x 2 samples each");
  page::draw_map(svg, frame, channel(map, 0));
  draw_bins(svg, frame, box, 0.5, outline(0));
  RoIAlignGeometry first = g;
  first.half_pixel = false;
  draw_samples(svg, frame, first, box, "fill=\"#ffffff\" stroke=\"#24292f\"");
  draw_samples(svg, frame, g, box, filled(0));
  svg.heading(kTop + 62, 372, "result: means of the samples");
  page::draw_numbers(svg, table, channel(result, 0), {0, 1, 150});
  svg.text(kTop + 336 + 24, 12,
           "● samples with aligned = true (half a pixel up and left); ○ with aligned = false");
  return {"roi-align", svg.file(), "result of roi_align, 2 x 2 samples a bin"};
}

Figure roi_pool_cells() {
  const Tensor map = digit(6);
  const Box box{8.3, 4.6, 20.9, 23.2};
  const RoIGeometry g = roi_geometry("figures", map, box.rois(), kBins, 1);
  const Tape tape;
  const Var x = tape.variable(map);
  const Var result = roi_pool(x, box.rois(), {.output_size = kBins});
  const Gradients gradients =
      tape.gradients(result, {}, {.cotangent = Tensor::full(result.shape(), 1, DType::float64)});
  page::Svg svg(576, 408, "RoI pooling",
                "A region on a digit, the pixels of its bins and their maxima");
  const page::Frame frame{kTop, 12, 12, kSide, kSide, 0},
      table{kTop + 72, 372, 64, kBins, kBins, 0};
  svg.heading(22, 12, "map, region of 3 x 3 bins of whole pixels");
  page::draw_map(svg, frame, channel(map, 0));
  draw_box(svg, frame, {box.y1, box.x1}, {box.y2, box.x2},
           "fill=\"none\" stroke=\"#24292f\" stroke-dasharray=\"5 3\"");
  for (int i = 0; i < kBins; ++i)
    for (int j = 0; j < kBins; ++j)
      draw_cells(svg, frame, roi_pool_pixels(g, box.y1, box.y2, i, kBins, kSide),
                 roi_pool_pixels(g, box.x1, box.x2, j, kBins, kSide), 0.08, outline((i + j) % 2));
  const std::vector<double> chosen = channel(gradients[x], 0);
  svg.open(filled(2));
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j)
      if (chosen[static_cast<std::size_t>(i * kSide + j)] > 0)
        svg.circle(frame.at({static_cast<double>(i), static_cast<double>(j)}), 4, "");
  svg.close();
  svg.heading(kTop + 62, 372, "result: largest pixels");
  page::draw_numbers(svg, table, channel(result.value(), 0), {0, 1, 150});
  svg.text(
      kTop + 336 + 24, 12,
      "dashed: the region as given; solid: its bins after rounding; ● where the gradient goes");
  return {"roi-pool", svg.file(), "result and gradient of roi_pool"};
}

namespace {

// What differs between the two position-sensitive operators.
struct PartPooling {
  const char *name, *title, *footer;
  std::function<Tensor(const Tensor& maps, const Tensor& rois)> pool;
  std::function<void(page::Svg&, const page::Frame&, const Box&, int i, int j)> draw_bin;
};

// Nine maps, of which map (i, j) shows part (i, j) of the digit alone, as a detector of that part
// would; a region in its place and one beside it.
Figure part_figure(const PartPooling& pooling) {
  const Tensor picture = digit(6);
  const Box placed{8, 4, 20, 25}, beside{10, 4, 22, 25};
  std::vector<Tensor> maps;
  for (int at = 0; at < kBins * kBins; ++at) {
    Tensor map = Tensor::zeros(picture.shape(), DType::float64);
    for (int i = 0; i < 7; ++i)
      for (int j = 0; j < 4; ++j) {
        const int pixel = (4 + at / kBins * 7 + i) * kSide + 8 + at % kBins * 4 + j;
        map.mutable_data<double>()[pixel] = picture.data<double>()[pixel];
      }
    maps.push_back(map);
  }
  const Tensor all = side_by_side(maps);
  page::Svg svg(660, 428, pooling.title, "Nine maps, a bin of the region on each, and two results");
  svg.heading(22, 12, "nine maps, one for each bin: map (i, j) knows part (i, j)");
  for (int at = 0; at < kBins * kBins; ++at) {
    const int i = at / kBins, j = at % kBins;
    const page::Frame frame{kTop + i * 118, 12.0 + j * 118, 4, kSide, kSide, 0};
    page::draw_map(svg, frame, channel(all, at), {0, 1, 90});
    pooling.draw_bin(svg, frame, placed, i, j);
  }
  const char* const headings[] = {"region in its place", "the same 2 pixels to the right"};
  for (int which = 0; which < 2; ++which) {
    const page::Frame table{kTop + 18 + 186 * which, 400, 44, kBins, kBins, 0};
    const Tensor result = pooling.pool(all, (which == 0 ? placed : beside).rois());
    const std::vector<double> values = channel(result, 0);
    svg.heading(table.y - 8, table.x, headings[which]);
    page::draw_numbers(svg, table, values, {0, 0.8, 150});
    svg.text(table.y + 70, table.x + 144, "mean " + page::three_digits(mean(values)));
  }
  svg.text(kTop + 356 + 22, 12, pooling.footer);
  return {pooling.name, svg.file(), "two regions on nine maps of parts"};
}

}  // namespace

Figure ps_roi_align_points() {
  const auto draw = [](page::Svg& svg, const page::Frame& frame, const Box& box, int i, int j) {
    const Tensor shape = Tensor::zeros({1, kSide, kSide, 9}, DType::float64);
    const RoIAlignGeometry g{roi_geometry("figures", shape, box.rois(), kBins, 1, kBins), 2, true};
    draw_bins(svg, frame, box, 0.5, "fill=\"none\" stroke=\"#afb8c1\" stroke-width=\"0.8\"");
    svg.open(filled(1));
    for (const page::Place& place : samples_of(g, box, i, j)) svg.circle(frame.at(place), 2.4, "");
    svg.close();
  };
  return part_figure(
      {"ps-roi-align", "Position-sensitive RoIAlign",
       "● the samples of the one bin that reads the map; a region scores when its parts are in "
       "their places",
       [](const Tensor& maps, const Tensor& rois) {
         return ps_roi_align(maps, rois, {.output_size = kBins, .sampling_ratio = 2}).value();
       },
       draw});
}

Figure ps_roi_pool_cells() {
  const auto draw = [](page::Svg& svg, const page::Frame& frame, const Box& box, int i, int j) {
    const Tensor shape = Tensor::zeros({1, kSide, kSide, 9}, DType::float64);
    const RoIGeometry g = roi_geometry("figures", shape, box.rois(), kBins, 1, kBins);
    draw_cells(svg, frame, ps_roi_pool_pixels(g, box.y1, box.y2, i, kBins, kSide),
               ps_roi_pool_pixels(g, box.x1, box.x2, j, kBins, kSide), 0, outline(1));
  };
  return part_figure(
      {"ps-roi-pool", "Position-sensitive RoI pooling",
       "outlined: the pixels of the one bin that reads the map; a region scores when its parts are "
       "in their places",
       [](const Tensor& maps, const Tensor& rois) {
         return ps_roi_pool(maps, rois, {.output_size = kBins}).value();
       },
       draw});
}

}  // namespace pliant::figures
