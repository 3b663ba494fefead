#include <pliant/apps/mnist/nets.h>

namespace pliant::mnist {
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
                           {Deform::dcn2_context, "dcn2-context"},
                           {Deform::offset_field, "offset-field"},
                           {Deform::offset_field_context, "offset-field-context"},
                           {Deform::offset_field_scrambled, "offset-field-scrambled"},
                           {Deform::offset_field_as_published, "offset-field-as-published"}};

constexpr std::int64_t kContextChannels = 32;

bool is_dcn(Deform deform) {
  return deform == Deform::dcn1 || deform == Deform::dcn2 || deform == Deform::dcn2_context;
}

bool has_field(Deform deform) { return deform != Deform::none && !is_dcn(deform); }

ConvOffset2dOptions field_options(Deform deform) {
  const bool published = deform == Deform::offset_field_as_published;
  return {.order = published || deform == Deform::offset_field_scrambled ? FieldOrder::scrambled
                                                                         : FieldOrder::interleaved,
          .at_integers = published ? AtIntegers::zero : AtIntegers::right_derivative,
          .context_channels = has_context(deform) ? kContextChannels : 0};
}

}  // namespace

const char* name_of(Deform deform) {
  for (const Name& entry : kNames)
    if (entry.deform == deform) return entry.name;
  return "?";
}

std::optional<Deform> find_deform(const std::string& name) {
  for (const Name& entry : kNames)
    if (name == entry.name) return entry.deform;
  return std::nullopt;
}

Deform deform_from(const std::string& name) {
  if (const std::optional<Deform> found = find_deform(name)) return *found;
  std::string known;
  for (const Name& entry : kNames)
    if (entry.deform != Deform::none) known += std::string(known.empty() ? "" : ", ") + entry.name;
  fail("--deform: '", name, "' is none of ", known);
}

bool has_mask(Deform deform) { return deform == Deform::dcn2 || deform == Deform::dcn2_context; }

bool has_context(Deform deform) {
  return deform == Deform::dcn2_context || deform == Deform::offset_field_context;
}

bool same_tensors(Deform a, Deform b) {
  return a == b || (has_field(a) && has_field(b) && has_context(a) == has_context(b));
}

DigitNet::DigitNet(Deform deform, std::int64_t classes)
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
      fc_(own("fc", Linear(128, classes))) {}

DigitNet::AnyConv DigitNet::make_conv(const char* name, std::int64_t in, std::int64_t out,
                                      const Conv2dOptions& options) {
  if (!is_dcn(deform_)) return own(name, Conv2d(in, out, options));
  return own(name, DeformConv2d(in, out,
                                {.kernel = options.kernel,
                                 .stride = options.stride,
                                 .padding = options.padding,
                                 .modulation = has_mask(deform_) ? Modulation::twice_sigmoid
                                                                 : Modulation::none,
                                 .context_channels = has_context(deform_) ? kContextChannels : 0}));
}

std::optional<ConvOffset2d> DigitNet::make_field(const char* name, std::int64_t channels) {
  if (!has_field(deform_)) return std::nullopt;
  return own(name, ConvOffset2d(channels, field_options(deform_)));
}

Var DigitNet::block(const std::optional<ConvOffset2d>& field, const AnyConv& conv,
                    const BatchNorm2d& norm, const Var& x) {
  const Var bent = field ? (*field)(x) : x;
  return norm(relu(std::visit([&](const auto& layer) { return layer(bent); }, conv)));
}

Var DigitNet::operator()(const Var& images) const {
  Var h = bn11_(relu(conv11_(images)));
  h = block(offset12_, conv12_, bn12_, h);
  h = block(offset21_, conv21_, bn21_, h);
  h = block(offset22_, conv22_, bn22_, h);
  return fc_(global_avg_pool2d(h));
}

std::vector<LayerSampling> DigitNet::samplings(const Var& images) const {
  return along(samplings_of([&] { (*this)(images); }), {"conv12", "conv21", "conv22"});
}

}  // namespace pliant::mnist
