// Classifier: a net that labels images, whichever its architecture.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <pliant/layers/module.h>
#include <pliant/layers/nets/torchvision.h>

namespace pliant::kit {

class Classifier : public Module {
 public:
  Classifier() = default;
  Classifier(Classifier&&) noexcept = default;
  Classifier& operator=(Classifier&&) noexcept = default;
  virtual ~Classifier() = default;

  // images [N H W C] -> logits [N classes].
  virtual Var operator()(const Var& images) const = 0;
  // The net itself, whose paths are those of its file.
  virtual Module& net() { return *this; }
  // Of its linear layers, for files of PyTorch's.
  virtual std::vector<FlattenedMap> flattened_maps() const { return {}; }
};

// A net of the library, owned as "net".
template <class Net>
class NetClassifier : public Classifier {
 public:
  explicit NetClassifier(Net net) : net_(own("net", std::move(net))) {}
  Var operator()(const Var& images) const override { return net_(images); }
  Module& net() override { return net_; }
  std::vector<FlattenedMap> flattened_maps() const override {
    if constexpr (requires(const Net& net) { net.flattened_maps(); })
      return net_.flattened_maps();
    else
      return {};
  }

 private:
  Net net_;
};

template <class Net>
std::unique_ptr<Classifier> as_classifier(Net net) {
  return std::make_unique<NetClassifier<Net>>(std::move(net));
}

}  // namespace pliant::kit
