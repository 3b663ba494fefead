#include <pliant/autograd/parameter.h>

#include <atomic>
#include <cmath>

namespace pliant {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Buffer::Buffer(const Shape& shape, std::string name)
    : node_(std::make_shared<Node>(
          Node{{}, shape, std::move(name), next_id(), false, 1, false, {}})) {}

Buffer::Buffer(Tensor value, std::string name) : Buffer(value.shape(), std::move(name)) {
  set(std::move(value));
}

Buffer& Buffer::operator=(const Buffer& other) {
  make_way(other);
  node_ = other.node_;
  return *this;
}

Buffer& Buffer::operator=(Buffer&& other) {
  if (this == &other) return *this;
  make_way(other);
  node_ = std::move(other.node_);
  is_member_ = std::exchange(other.is_member_, false) || is_member_;
  return *this;
}

// A member of a net that is about to be another buffer says so to the net.
void Buffer::make_way(const Buffer& now) const {
  if (!is_member_ || node_ == nullptr || node_ == now.node_) return;
  if (const std::shared_ptr<BufferOwner> owner = node_->owner.lock()) owner->replace(*this, now);
}

const Tensor& Buffer::value() const& {
  node();
  require(filled(), "parameter ", node_->name,
          ": it is empty; call initialise(rng) on the net or load a checkpoint first",
          node_->owner.expired()
              ? "; neither reaches it before own(\"name\", ..) gives it to a module"
              : "; neither reaches a layer that the net did not take in by "
                "own(\"name\", ..)");
  return node_->value;
}

void Buffer::set(Tensor value) {
  require(value.defined(), "set: the tensor for parameter ", node().name,
          " is undefined (made by the default constructor)");
  require(value.shape() == node().shape, "parameter ", node_->name, ": got ", value.shape(),
          ", expected ", node_->shape);
  const bool shared = !value.unique() && !value.shares_storage_with(node_->value);
  node_->value = shared ? value.clone() : std::move(value);
}

}  // namespace pliant
void Parameter::set_lr_factor(double factor) {
  require(factor >= 0 && std::isfinite(factor), "set_lr_factor: the factor of '", node().name,
          "' is ", factor, ", expected a number of at least 0");
  node_->lr_factor = factor;
}

