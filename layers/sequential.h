// Containers of layers: one after another, a list, and one with a way round it.
//
//   Sequential net(Conv2d(1, 8, {.kernel = 3}), BatchNorm2d(8), Relu(), Flatten(),
//                  Linear(5408, 10));
//   net.initialise(rng);  // its parameters: 0.weight 0.bias 1.weight 1.bias 4.weight 4.bias
//   Var logits = net(images);
#pragma once

#include <concepts>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pliant/layers/module.h>

namespace pliant {

// A layer from Var to Var, whatever its type.
using Forward = std::function<Var(const Var&)>;

template <class M>
concept Layer = std::derived_from<M, Module> && requires(const M& layer, const Var& x) {
  { layer(x) } -> std::convertible_to<Var>;
};

// The call of a layer, which it keeps.
template <Layer M>
Forward forward_of(M layer) {
  const auto kept = std::make_shared<const M>(std::move(layer));
  return [kept](const Var& x) {
    const ErrorPlace here(kept->path());
    return (*kept)(x);
  };
}

// [N ...] -> [N product of the rest], of NHWC maps by row, column, channel.
class Flatten : public Module {
 public:
  Var operator()(const Var& x) const;
};

// Layers that run one after another; none: the identity. They are named by their place, "0", "1",
// .. (functions without parameters take a place too), or as add() is told, which takes no place.
class Sequential : public Module {
 public:
  Sequential() = default;
  template <class First, class... Rest>
  requires(!std::same_as<std::remove_cvref_t<First>, Sequential> ||
           sizeof...(Rest) > 0) explicit Sequential(First&& first, Rest&&... rest) {
    add(std::forward<First>(first));
    (add(std::forward<Rest>(rest)), ...);
  }

  template <Layer M>
  void add(M layer) {
    add(std::to_string(places_), std::move(layer));
    ++places_;
  }
  template <Layer M>
  void add(const std::string& name, M layer) {
    layers_.push_back(forward_of(own(name, std::move(layer))));
  }
  // Something without parameters: net.add(relu).
  void add(Var (*function)(const Var&)) {
    require(function != nullptr, "Sequential: function ", places_, " is null");
    layers_.emplace_back(function);
    ++places_;
  }

  Var operator()(const Var& x) const;
  std::size_t size() const { return layers_.size(); }

 private:
  std::vector<Forward> layers_;
  std::size_t places_ = 0;
};

// Layers of one type, named by their place, for a net that calls them itself:
//   for (const Block& block : blocks) h = block(h);
template <std::derived_from<Module> M>
class ModuleList : public Module {
 public:
  // The reference stays good however many are added.
  M& add(M layer) {
    return layers_.emplace_back(own(std::to_string(layers_.size()), std::move(layer)));
  }
  std::size_t size() const { return layers_.size(); }
  const M& operator[](std::size_t place) const& {
    require(place < layers_.size(), "ModuleList: has no layer ", place, ", there are ",
            layers_.size());
    return layers_[place];
  }
  const M& operator[](std::size_t place) const&& = delete;  // it would dangle
  auto begin() const& { return layers_.begin(); }
  auto begin() const&& = delete;
  auto end() const& { return layers_.end(); }
  auto end() const&& = delete;

 private:
  std::deque<M> layers_;
};

// x + body(x), or shortcut(x) + body(x); both must have one shape (He et al. 2016). The parts are
// named "body" and "shortcut".
class Residual : public Module {
 public:
  template <Layer Body>
  explicit Residual(Body body) : body_(forward_of(own("body", std::move(body)))) {}
  template <Layer Body, Layer Shortcut>
  Residual(Body body, Shortcut shortcut)
      : body_(forward_of(own("body", std::move(body)))),
        shortcut_(forward_of(own("shortcut", std::move(shortcut)))) {}

  Var operator()(const Var& x) const;

 private:
  Forward body_, shortcut_;
};

}  // namespace pliant
