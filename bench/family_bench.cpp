// The rest of the deformable family, forward and backward: deformable kernels beside deform_conv,
// conditional convolution beside the plain one, the cores of DCN v3 and v4. Whole ops on a tape, so
// that all lines measure the same: result and all gradients.
#include <vector>

#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/bench/whole_op.h>

using namespace pliant;

namespace {

using bench::Line;
using bench::Shapes;

// All of 3x3, padding 1, to as many channels as there are; [N H W channels] beside x.
Shape field(const Shape& x, std::int64_t channels) { return {x[0], x[1], x[2], channels}; }

// [C side side C], or a group for each channel.
Shape filters(const Shape& x, std::int64_t side, bool depthwise = false) {
  return {x[3], side, side, depthwise ? 1 : x[3]};
}

std::int64_t groups_of(const Vars& v, bool depthwise) { return depthwise ? v[0].dim(3) : 1; }

Line deform_conv_line(const char* name, bool depthwise) {
  return {name,
          [=](const Vars& v) {
            return deform_conv2d(v[0], v[1], v[2], {}, {},
                                 {.padding = 1, .groups = groups_of(v, depthwise)});
          },
          [=](const Shape& x) -> Shapes {
            return {field(x, 18), filters(x, 3, depthwise)};
          }};
}

Line deform_kernel_line(const char* name, bool depthwise) {
  return {name,
          [=](const Vars& v) {
            return deform_kernel(v[0], v[1], v[2], {},
                                 {.padding = 1, .groups = groups_of(v, depthwise)});
          },
          [=](const Shape& x) -> Shapes {
            return {field(x, 18), filters(x, 4, depthwise)};
          }};
}

Line deform_kernel_conv_line(const char* name, bool depthwise) {
  return {name,
          [=](const Vars& v) {
            return deform_kernel_conv(v[0], v[1], v[2], v[3], {},
                                      {.padding = 1, .groups = groups_of(v, depthwise)});
          },
          [=](const Shape& x) -> Shapes {
            return {field(x, 18), field(x, 18), filters(x, 4, depthwise)};
          }};
}

std::vector<Line> lines() {
  return {
      {"conv2d", [](const Vars& v) { return conv2d(v[0], v[1], {}, {.padding = 1}); },
       [](const Shape& x) -> Shapes { return {filters(x, 3)}; }},
      deform_conv_line("deform_conv2d", false),
      deform_conv_line("deform_conv2d depthwise", true),
      deform_kernel_line("deform_kernel", false),
      deform_kernel_line("deform_kernel depthwise", true),
      deform_kernel_conv_line("deform_kernel_conv", false),
      deform_kernel_conv_line("deform_kernel_conv depthwise", true),
      {"global_deform_kernel",
       [](const Vars& v) { return global_deform_kernel(v[0], v[1], v[2], 3, {}, {.padding = 1}); },
       [](const Shape& x) -> Shapes {
         return {{x[0], 18}, filters(x, 4)};
       }},
      {"cond_conv2d, 8 experts",
       [](const Vars& v) { return cond_conv2d(v[0], v[1], v[2], {}, {.padding = 1}); },
       [](const Shape& x) -> Shapes {
         return {{8, x[3], 3, 3, x[3]}, {x[0], 8}};
       }},
      {"dcn_v3, 4 groups, softmax",
       [](const Vars& v) {
         return dcn_v3(v[0], v[1], v[2], {.padding = 1, .groups = 4, .mask = MaskRule::softmax});
       },
       [](const Shape& x) -> Shapes {
         return {field(x, 72), field(x, 36)};
       }},
      {"dcn_v4, 4 groups",
       [](const Vars& v) { return dcn_v4(v[0], v[1], {.padding = 1, .groups = 4}); },
       [](const Shape& x) -> Shapes { return {field(x, 112)}; }},
  };
}

const bool registered = bench::register_lines(lines(), {{32, 64, 14}, {8, 64, 56}, {1, 64, 28}});

}  // namespace
