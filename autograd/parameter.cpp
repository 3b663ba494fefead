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

Home home_of(const void* part, const void* net) {
  if (part == nullptr || net == nullptr) return std::nullopt;
  return reinterpret_cast<std::intptr_t>(part) - reinterpret_cast<std::intptr_t>(net);
}

Buffer::Buffer(const Shape& shape, std::string name)
    : node_(std::make_shared<Node>(
          Node{{}, shape, std::move(name), next_id(), false, 1, false, {}, nullptr, {}})) {}

Buffer::Buffer(Tensor value, std::string name)
    : Buffer(value.defined() ? value.shape() : Shape(), std::move(name)) {
  set(std::move(value));
}

Buffer& Buffer::operator=(const Buffer& other) {
  if (this == &other) return *this;
  if (const std::shared_ptr<Node> before = replaced_by(other)) {
    Buffer handle;
    handle.node_ = before;
    before->owner.lock()->replace(handle, other);
    is_member_ = true;
    other.node_->member = this;
  }
  node_ = other.node_;
  left_.reset();
  return *this;
}

Buffer& Buffer::operator=(Buffer&& other) {
  if (this == &other) return *this;
  const std::shared_ptr<Node> before = replaced_by(other);
  const bool trades = before != nullptr && node_ == nullptr && other.is_member_;
  if (before != nullptr) {
    Buffer handle;
    handle.node_ = before;
    const std::shared_ptr<BufferOwner> owner = before->owner.lock();
    trades ? owner->trade(handle, other) : owner->replace(handle, other);
  }
  arrive(other);
  if (trades) other.left_ = before;
  if (before != nullptr) {
    is_member_ = true;
    node_->member = this;
  }
  return *this;
}

Buffer::~Buffer() {
  if (node_ != nullptr) {
    if (is_member_ && node_->member == this) node_->member = nullptr;
    return;
  }
  // The member was what own() returned, and is now where that was moved to.
  const std::shared_ptr<Node> left = left_.lock();
  const std::shared_ptr<BufferOwner> owner = left != nullptr ? left->owner.lock() : nullptr;
  if (owner != nullptr && left->home == home_of(this, owner->object))
    left->home = home_of(left->member, owner->object);
}

// Takes over what the other is. A member leaves its place behind, should it be assigned to.
void Buffer::arrive(Buffer& other) noexcept {
  node_ = std::move(other.node_);
  left_ = std::exchange(other.left_, {});
  is_member_ = std::exchange(other.is_member_, false);
  if (node_ == nullptr || !is_member_) return;
  other.left_ = node_;
  node_->member = this;
  const std::shared_ptr<BufferOwner> owner = node_->owner.lock();
  if (owner != nullptr && !node_->home) node_->home = home_of(this, owner->object);
}

// The buffer of a net whose place `now` takes when it is assigned to this; null if there is none.
std::shared_ptr<Buffer::Node> Buffer::replaced_by(const Buffer& now) const {
  std::shared_ptr<Node> before = left_.lock();
  if (node_ != nullptr) before = is_member_ ? node_ : nullptr;
  if (before == nullptr || before == now.node_) return nullptr;
  const std::shared_ptr<BufferOwner> owner = before->owner.lock();
  if (owner == nullptr || comes_with_its_module(now)) return nullptr;
  // A module that was moved as a whole has its buffers still.
  const bool moved = node_ == nullptr && before->home == home_of(before->member, owner->object);
  return moved ? nullptr : before;
}

bool Buffer::comes_with_its_module(const Buffer& now) const {
  if (!now.is_member_ || now.node_ == nullptr) return false;
  const std::shared_ptr<BufferOwner> owner = now.node_->owner.lock();
  return owner != nullptr && now.node_->home == home_of(this, owner->object);
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

void Parameter::set_lr_factor(double factor) {
  require(factor >= 0 && std::isfinite(factor), "set_lr_factor: the factor of '", node().name,
          "' is ", factor, ", expected a number of at least 0");
  node_->lr_factor = factor;
}

}  // namespace pliant
