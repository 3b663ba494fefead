// Convolutions on maps of detection and classification nets. compare_cuda.py times them in PyTorch
// by the same names.
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/bench/cuda/measure.h>
#include <pliant/core/memory.h>

namespace pliant::bench {
namespace {

struct Map {
  std::int64_t n, h, w, c;
  std::int64_t locations() const { return n * h * w; }
};

std::string operator+(const std::string& name, const Map& m) {
  return name + ' ' + std::to_string(m.n) + 'x' + std::to_string(m.h) + 'x' + std::to_string(m.w) +
         'x' + std::to_string(m.c);
}

constexpr Map kMaps[] = {{32, 28, 28, 64}, {8, 56, 56, 128}, {8, 100, 136, 256}, {64, 14, 14, 256}};
constexpr std::int64_t kTaps = 9;  // 3x3, padding 1, as many channels out as in

// Every input is read once and the result written once; backward reads them and the cotangent, and
// writes a gradient for each.
Measurements::Bytes bytes_of(std::int64_t inputs, std::int64_t result) {
  constexpr std::int64_t kFloat = 4;
  return {kFloat * (inputs + result), kFloat * (3 * inputs + 2 * result)};
}

enum class Mask : unsigned char { no, yes };

void add_deform(Measurements& to, const Map& m, std::int64_t groups, Mask mask) {
  const Shape maps{m.n, m.h, m.w, m.c};
  std::vector<Shape> shapes = {maps, {m.n, m.h, m.w, 2 * kTaps}, {m.c, 3, 3, m.c / groups}};
  if (mask == Mask::yes) shapes.push_back({m.n, m.h, m.w, kTaps});
  std::int64_t inputs = 0;
  for (const Shape& shape : shapes) inputs += shape.size();
  const std::string name = std::string(groups > 1 ? "depthwise " : "") + "deform_conv2d " +
                           (mask == Mask::yes ? "v2" : "v1");
  to.add_op(name + m, shapes, bytes_of(inputs, m.locations() * m.c), [=](const Vars& v) {
    return deform_conv2d(v[0], v[1], v[2], {}, mask == Mask::yes ? v[3] : Var(),
                         {.padding = 1, .groups = groups});
  });
}

void add_plain(Measurements& to, const Map& m, std::int64_t groups) {
  const Shape maps{m.n, m.h, m.w, m.c}, weight{m.c, 3, 3, m.c / groups};
  to.add_op((groups > 1 ? "depthwise conv2d" : "conv2d") + m, {maps, weight},
            bytes_of(maps.size() + weight.size(), m.locations() * m.c), [=](const Vars& v) {
              return conv2d(v[0], v[1], {}, {.padding = 1, .groups = groups});
            });
}

}  // namespace

void add_copies(Measurements& to) {
  constexpr std::int64_t kBytes = std::int64_t{1} << 30;
  const std::string name = "copy of 1 GiB";
  if (!to.wants(name)) return;
  const Tensor from = Tensor::zeros({kBytes}, DType::uint8, to.device());
  Tensor copy = Tensor::empty({kBytes}, DType::uint8, to.device());
  to.add(name, 2 * kBytes, [&](int) { copy.copy_from(from); });
}

void add_convolutions(Measurements& to) {
  for (const Map& m : kMaps) {
    for (const Mask mask : {Mask::no, Mask::yes}) add_deform(to, m, 1, mask);
    add_deform(to, m, m.c, Mask::yes);
    add_plain(to, m, 1);
    add_plain(to, m, m.c);
  }
}

}  // namespace pliant::bench
