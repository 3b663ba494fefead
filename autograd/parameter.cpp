#include <pliant/autograd/parameter.h>

#include <atomic>

namespace pliant {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Buffer::Buffer(const Shape& shape, std::string name)
    : node_(std::make_shared<Node>(Node{{}, shape, std::move(name), next_id(), false})) {}

Buffer::Buffer(Tensor value, std::string name) : Buffer(value.shape(), std::move(name)) {
  node_->value = std::move(value);
}

const Tensor& Buffer::value() const {
  require(filled(), "parameter ", node_ == nullptr ? "(none)" : node_->name,
          ": it is empty; call initialise(rng) on the net or load a checkpoint first");
  return node_->value;
}

void Buffer::set(Tensor value) {
  require(value.shape() == node_->shape, "parameter ", node_->name, ": got ", value.shape(),
          ", expected ", node_->shape);
  node_->value = std::move(value);
}

}  // namespace pliant
