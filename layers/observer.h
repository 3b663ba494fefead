// Observer: hears of every layer that runs on its thread while it lives. This is how summary()
// learns output shapes and work, and sampling.h where layers read; nothing that is computed depends
// on it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

// How a layer reads a map: by windows, whose taps it may move. What is undefined it does not have.
struct WindowCall {
  Shape input;
  Size2 kernel;
  ConvOptions conv;
  std::int64_t offset_groups = 1;
  Var offsets = {};  // [N P Q 2*G*R*S], see deform_conv2d
  Var mask = {};     // [N P Q G*R*S]
  Var field = {};    // [N H W 2C] of a layer that warps its map before another reads it
};

struct LayerCall {
  std::string path;  // of the layer in the net: "block.conv"; empty for the net itself
  const char* kind;  // "Conv2d"
  Shape output;
  std::int64_t multiply_adds;
  const WindowCall* window;  // nullptr: it reads otherwise
};

class Observer {
 public:
  explicit Observer(std::function<void(const LayerCall&)> hear)
      : hear_(std::move(hear)), outer_(current_) {
    require(hear_ != nullptr, "Observer: the function is empty");
    current_ = this;
  }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() { current_ = outer_; }

  // The innermost observer of this thread, or nullptr.
  static const Observer* current() { return current_; }
  void hear(const LayerCall& call) const { hear_(call); }

 private:
  inline static thread_local Observer* current_ = nullptr;
  std::function<void(const LayerCall&)> hear_;
  Observer* outer_;
};

}  // namespace pliant
