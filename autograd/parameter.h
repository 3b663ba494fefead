// Parameter and Buffer: what a net remembers between steps. Shared nodes: copying one copies the
// handle. They convert to nothing, so that an expression of parameters alone cannot drop off the
// tape unseen: write `tape(p)`, or `x.lift(p)` beside an input x. `x + p` lifts p; `x + p.value()`
// takes its numbers as a constant, and p gets no gradient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <pliant/core/tensor.h>

namespace pliant {

class Buffer;
class Module;

// Where a part of a net stands, in bytes from the net's object: it stays so when a net moves as a
// whole, and not when the part is moved out of it.
using Home = std::optional<std::ptrdiff_t>;
Home home_of(const void* part, const void* net);

// What owns buffers: a module's place in the tree.
struct BufferOwner {
  virtual ~BufferOwner() = default;
  // `now` takes the place of `before`, one of its buffers; an Error if it cannot.
  virtual void replace(const Buffer& before, const Buffer& now) = 0;
  // The same where `now` is moved out of a net, which gets `before` for it.
  virtual void trade(const Buffer& before, const Buffer& now) = 0;

  const void* object = nullptr;  // the Module that has this; none once it is destroyed
};

// A tensor that is saved with the net. It has a shape from the start and is empty until
// initialise(rng) or a checkpoint fills it. A tensor that is given is its own from then on: one to
// which there is another handle is copied, so that training changes nothing else.
//
// Copies are handles. The one that own() of a Module returned, and what it is moved to, is the
// module's member: assigning to it puts the new one in the old one's place in the net, also if the
// old one was moved out before (std::exchange, std::swap).
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer& other) noexcept : node_(other.node_) {}
  Buffer(Buffer&& other) noexcept { arrive(other); }
  Buffer& operator=(const Buffer& other);
  Buffer& operator=(Buffer&& other);
  ~Buffer();
  explicit Buffer(const Shape& shape, std::string name = "");
  explicit Buffer(Tensor value, std::string name = "");

  bool defined() const { return node_ != nullptr; }  // false by default construction alone
  const Shape& shape() const& { return node().shape; }
  Shape shape() && { return node().shape; }
  const std::string& name() const& { return node().name; }  // full path once the net is built
  std::string name() && { return node().name; }
  void rename(std::string name) { node().name = std::move(name); }

  // Whether a module has it.
  bool owned() const { return !node().owner.expired(); }

  bool filled() const { return node_ != nullptr && node_->value.defined(); }
  // The tensor; an Error that says what to do while there is none.
  const Tensor& value() const&;
  Tensor value() && { return std::as_const(*this).value(); }
  // Replaces the tensor; the shape must be the declared one, dtype and device may change.
  void set(Tensor value);

  friend bool operator==(const Buffer& a, const Buffer& b) { return a.node_ == b.node_; }

 protected:
  struct Node {
    Tensor value;
    Shape shape;
    std::string name;
    std::uint64_t id = 0;  // order of construction
    bool frozen = false;
    double lr_factor = 1;
    bool transposed = false;           // the weight of a transposed convolution
    std::weak_ptr<BufferOwner> owner;  // the module that has it
    const Buffer* member = nullptr;    // that is in there
    Home home;                         // where that should be
  };
  Node& node() const {
    require(node_ != nullptr,
            "parameter: it is undefined (made by the default constructor, or moved from)");
    return *node_;
  }
  std::shared_ptr<Node> node_;

 private:
  friend class Module;
  void arrive(Buffer& other) noexcept;
  std::shared_ptr<Node> replaced_by(const Buffer& now) const;
  bool comes_with_its_module(const Buffer& now) const;

  bool is_member_ = false;
  std::weak_ptr<Node> left_;  // what was moved out of here, a member
};

// A tensor that is trained. A frozen one takes part in the forward pass only.
class Parameter : public Buffer {
 public:
  using Buffer::Buffer;

  bool frozen() const { return node().frozen; }
  void set_frozen(bool frozen) { node().frozen = frozen; }
  // What an optimizer multiplies its learning rate by for this parameter: a number of at least 0.
  double lr_factor() const { return node().lr_factor; }
  void set_lr_factor(double factor);
  // Whether it is the weight of a transposed convolution, which files of others order otherwise.
  bool transposed() const { return node().transposed; }
  void set_transposed() { node().transposed = true; }
  // Grows in the order of construction, which in a Module is the order of parameters().
  std::uint64_t id() const { return node().id; }
};

}  // namespace pliant
