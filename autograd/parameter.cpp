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
    : node_(std::make_shared<Node>(
          Node{{}, shape, std::move(name), next_id(), false, 1, false, {}})) {}

Buffer::Buffer(Tensor value, std::string name) : Buffer(value.shape(), std::move(name)) {
  set(std::move(value));
}

const Tensor& Buffer::value() const& {
  require(defined(), "parameter: it is undefined (made by the default constructor)");
  require(filled(), "parameter ", node_->name,
          ": it is empty; call initialise(rng) on the net or load a checkpoint first",
          node_->owner.expired()
              ? "; neither reaches it before own(\"name\", ..) gives it to a module"
              : "; neither reaches a layer that the net did not take in by "
                "own(\"name\", ..)");
  return node_->value;
}

void Buffer::set(Tensor value) {
  require(value.shape() == node().shape, "parameter ", node_->name, ": got ", value.shape(),
          ", expected ", node_->shape);
  const bool shared = !value.unique() && !value.shares_storage_with(node_->value);
  node_->value = shared && value.defined() ? value.clone() : std::move(value);
}

}  // namespace pliant
