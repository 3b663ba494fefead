#include <pliant/apps/mnist/nets.h>

namespace pliant {
namespace {

const Conv2dOptions kStride1{.kernel = 3, .padding = 1};
// TensorFlow's "same" at stride 2 on an even map: nothing before, one pixel after.
const Conv2dOptions kStride2{.kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}};
const BatchNorm2dOptions kNorm{.eps = 1e-3};

struct Name {
  Deform deform;
  const char* name;
};
constexpr Name kNames[] = {{Deform::none, "none"},
                           {Deform::dcn1, "dcn1"},
                           {Deform::dcn2, "dcn2"},
                           {Deform::offset_field, "offset-field"}};

}  // namespace

const char* name_of(Deform deform) {
  for (const Name& entry : kNames)
    if (entry.deform == deform) return entry.name;
  return "?";
}

Deform deform_from(const std::string& name) {
  for (const Name& entry : kNames)
    if (name == entry.name) return entry.deform;
  fail("--deform: '", name, "' is none of dcn1, dcn2, offset-field");
}

DigitNet::DigitNet(Deform deform)
    : deform_(deform),
      conv11_(own("conv11", Conv2d(1, 32, kStride1))),
      bn11_(own("bn11", BatchNorm2d(32, kNorm))),
      offset12_(make_field("offset12", 32)),
      conv12_(make_conv("conv12", 32, 64, kStride2)),
      bn12_(own("bn12", BatchNorm2d(64, kNorm))),
      offset21_(make_field("offset21", 64)),
      conv21_(make_conv("conv21", 64, 128, kStride1)),
      bn21_(own("bn21", BatchNorm2d(128, kNorm))),
      offset22_(make_field("offset22", 128)),
      conv22_(make_conv("conv22", 128, 128, kStride2)),
      bn22_(own("bn22", BatchNorm2d(128, kNorm))),
      fc_(own("fc", Linear(128, 10))) {}

DigitNet::AnyConv DigitNet::make_conv(const char* name, std::int64_t in, std::int64_t out,
                                      const Conv2dOptions& options) {
  if (deform_ != Deform::dcn1 && deform_ != Deform::dcn2)
    return own(name, Conv2d(in, out, options));
  return own(name, DeformConv2d(in, out,
                                {.kernel = options.kernel,
                                 .stride = options.stride,
                                 .padding = options.padding,
                                 .modulation = deform_ == Deform::dcn2 ? Modulation::sigmoid
                                                                       : Modulation::none}));
}

std::optional<ConvOffset2d> DigitNet::make_field(const char* name, std::int64_t channels) {
  if (deform_ != Deform::offset_field) return std::nullopt;
  return own(name, ConvOffset2d(channels));
}

Var DigitNet::operator()(const Var& images) const {
  const auto block = [](const std::optional<ConvOffset2d>& field, const AnyConv& conv,
                        const BatchNorm2d& norm, const Var& x) {
    const Var bent = field ? (*field)(x) : x;
    return norm(relu(std::visit([&](const auto& layer) { return layer(bent); }, conv)));
  };
  Var h = bn11_(relu(conv11_(images)));
  h = block(offset12_, conv12_, bn12_, h);
  h = block(offset21_, conv21_, bn21_, h);
  h = block(offset22_, conv22_, bn22_, h);
  return fc_(global_avg_pool2d(h));
}

}  // namespace pliant
