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
    auto call = std::make_shared<Forward>(forward_of(own(name, std::move(layer))));
    calls_through(name, call);
    layers_.push_back({name, std::move(call)});
  }
  // Something without parameters: net.add(relu).
  void add(Var (*function)(const Var&)) {
    require(function != nullptr, "Sequential: function ", places_, " is null");
    layers_.push_back({std::to_string(places_), std::make_shared<Forward>(function)});
    ++places_;
  }

  Var operator()(const Var& x) const;
  std::size_t size() const { return layers_.size(); }

  // Number `place` of what runs: a call, and the layer by its own type.
  //   Var h = net[0](x);
  //   net.layer<Conv2d>(0).weight
  const Forward& operator[](std::size_t place) const& { return *step(place).call; }
  const Forward& operator[](std::size_t place) const&& = delete;  // it would dangle
  template <Layer M>
  M& layer(std::size_t place) & {
    return part<M>(name_of(place));
  }
  template <Layer M>
  const M& layer(std::size_t place) const& {
    return part<M>(name_of(place));
  }

  // Runs another layer there; by a path see Module::replace(). In the place of a function it is a
  // new part, the last of the net's.
  using Module::replace;
  template <Layer M>
  void replace(std::size_t place, M layer) & {
    const Step& old = step(place);
    if (has_part(old.name)) return Module::replace(old.name, std::move(layer));
    *old.call = forward_of(own(old.name, std::move(layer)));
    calls_through(old.name, old.call);
  }

 private:
  struct Step {
    std::string name;
    std::shared_ptr<Forward> call;
  };
  const Step& step(std::size_t place) const {
    require(place < layers_.size(), "Sequential: ", path(), path().empty() ? "" : ": ",
            "has no layer ", place, ", there are ", layers_.size());
    return layers_[place];
  }

  const std::string& name_of(std::size_t place) const {
    const std::string& name = step(place).name;
    require(has_part(name), "Sequential: what runs at ", place, " is a function and no layer");
    return name;
  }

  std::vector<Step> layers_;
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
  explicit Residual(Body body) : body_(part_called("body", std::move(body))) {}
  template <Layer Body, Layer Shortcut>
  Residual(Body body, Shortcut shortcut)
      : body_(part_called("body", std::move(body))),
        shortcut_(part_called("shortcut", std::move(shortcut))) {}

  Var operator()(const Var& x) const;

 private:
  template <Layer M>
  std::shared_ptr<Forward> part_called(const std::string& name, M layer) {
    auto call = std::make_shared<Forward>(forward_of(own(name, std::move(layer))));
    calls_through(name, call);
    return call;
  }

  std::shared_ptr<Forward> body_, shortcut_;
};

}  // namespace pliant
