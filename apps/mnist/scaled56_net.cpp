#include <pliant/apps/mnist/scaled56_net.h>

#include <pliant/layers/safetensors.h>

namespace pliant::mnist {
namespace {

constexpr int kLayers = 4;
constexpr double kPixelMean = 0.1307, kPixelDeviation = 0.3081;
constexpr const char* kArchitecture = "zoom-net";

ZoomNetKind checked(const ZoomNetKind& kind) {
  if (kind.deform == Deform::none) return {};
  require(kind.deform == Deform::dcn1 || kind.deform == Deform::dcn2,
          "ZoomNet: ", name_of(kind.deform), " is none of none, dcn1, dcn2");
  require(kind.first_deformable >= 1 && kind.first_deformable <= kLayers,
          "ZoomNet: the first deformable layer is ", kind.first_deformable, ", expected 1 to ",
          kLayers);
  return kind;
}

std::string conv_name(int layer) { return "conv" + std::to_string(layer); }

ZoomNetKind kind_of(const SafetensorsFile& file) {
  for (int layer = 1; layer <= kLayers; ++layer) {
    if (file.find(conv_name(layer) + ".mask.weight") != nullptr) return {Deform::dcn2, layer};
    if (file.find(conv_name(layer) + ".offset.weight") != nullptr) return {Deform::dcn1, layer};
  }
  return {};
}

}  // namespace

std::string name_of(const ZoomNetKind& kind) {
  std::string name = name_of(kind.deform);
  if (kind.deform == Deform::none) return name;
  name += "@conv" + std::to_string(kind.first_deformable);
  return kind.first_deformable == kLayers ? name : name + "-" + std::to_string(kLayers);
}

const std::vector<PublishedZoomNet>& published_zoom_nets() {
  static const std::vector<PublishedZoomNet> rows = {{{}, 0.9722},
                                                     {{Deform::dcn1, 4}, 0.9860},
                                                     {{Deform::dcn1, 3}, 0.9895},
                                                     {{Deform::dcn2, 4}, 0.9845},
                                                     {{Deform::dcn2, 3}, 0.9921}};
  return rows;
}

ZoomNet::ZoomNet(ZoomNetKind kind)
    : kind_(checked(kind)),
      conv1_(make_conv(1, 1, 32)),
      bn1_(own("bn1", BatchNorm2d(32))),
      conv2_(make_conv(2, 32, 64)),
      bn2_(own("bn2", BatchNorm2d(64))),
      conv3_(make_conv(3, 64, 128)),
      bn3_(own("bn3", BatchNorm2d(128))),
      conv4_(make_conv(4, 128, 256)),
      bn4_(own("bn4", BatchNorm2d(256))),
      fc_(own("fc", Linear(256, 10))) {}

ZoomNet::AnyConv ZoomNet::make_conv(int layer, std::int64_t in, std::int64_t out) {
  const std::string name = conv_name(layer);
  if (layer < kind_.first_deformable)
    return own(name, Conv2d(in, out, {.kernel = 3, .padding = 1, .bias = Bias::no}));
  const bool masked = has_mask(kind_.deform);
  const auto modulation = masked ? Modulation::twice_sigmoid : Modulation::none;
  DeformConv2d conv(in, out,
                    {.kernel = 3, .padding = 1, .modulation = modulation, .bias = Bias::no});
  conv.set_lr_factor("offset", kHeadsLrFactor);
  if (masked) conv.set_lr_factor("mask", kHeadsLrFactor);
  return own(name, std::move(conv));
}

Var ZoomNet::operator()(const Var& images) const {
  const auto block = [](const AnyConv& conv, const BatchNorm2d& norm, const Var& x) {
    return relu(norm(std::visit([&](const auto& layer) { return layer(x); }, conv)));
  };
  Var h = (images - kPixelMean) * (1.0 / kPixelDeviation);
  h = block(conv1_, bn1_, h);
  h = max_pool2d(block(conv2_, bn2_, h));
  h = block(conv3_, bn3_, h);
  h = block(conv4_, bn4_, h);
  return fc_(global_avg_pool2d(h));
}

std::map<std::string, std::string> metadata_of(const ZoomNet& net) {
  return {{"architecture", kArchitecture}, {"kind", name_of(net.kind())}};
}

bool is_zoom_net(const std::map<std::string, std::string>& metadata) {
  const auto entry = metadata.find("architecture");
  return entry != metadata.end() && entry->second == kArchitecture;
}

ZoomNet load_zoom_net(const std::filesystem::path& file) {
  const SafetensorsFile read = read_safetensors(file);
  require(is_zoom_net(read.metadata), file.string(), ": not marked as a ", kArchitecture);
  ZoomNet net(kind_of(read));
  try {
    net.load(State(read.tensors));
  } catch (const Error& error) {
    fail(file.string(), ": not a ", kArchitecture, ": ", error.what());
  }
  return net;
}

}  // namespace pliant::mnist
