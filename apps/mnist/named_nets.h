// The nets that --net names: the published digit net and those of layers/nets, for 28 x 28
// images.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/apps/mnist/classifier.h>

namespace pliant::mnist {

// What a net is made from; kept in its file's metadata.
struct NamedNet {
  std::string net = "digit";    // one of net_names()
  std::string deform = "none";  // of the digit net: a kind of pliant-mnist --deform
  // Of the others: "none", stages whose 3x3 convolutions deform ("3,4"), or "extra" for a
  // deformable convolution more in every block of the last stage.
  std::string stages = "none";
  std::int64_t classes = 10;

  // "resnet18, stages 3,4"
  std::string title() const;
};

const std::vector<std::string>& net_names();

// With small stems. A name, kind or stage that there is not is an Error.
std::unique_ptr<Classifier> make_net(const NamedNet& named);

// As a file whose names are the net's own, in the case of ResNet and VGG torchvision's.
void save_net(const std::filesystem::path& file, const Classifier& net, const NamedNet& named,
              std::uint64_t seed);

// Fills a net of make_net from such a file; what it has beyond the regular net may be missing.
void start_from(const std::filesystem::path& file, Classifier& net, const NamedNet& named);

// The net of a file of save_net, or any that load_digit_net reads, and what it is.
struct LoadedNet {
  std::unique_ptr<Classifier> net;
  NamedNet named;
};
LoadedNet load_net(const std::filesystem::path& file);

}  // namespace pliant::mnist
