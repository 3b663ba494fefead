#include <pliant/tests/conformance/ops.h>

#include <map>

namespace pliant::conformance {

namespace {

std::map<std::string, OpFunction> all_ops() {
  std::map<std::string, OpFunction> all;
  for (const GoldenOps& some :
       {elementwise_ops(), family_ops(), ints_ops(), losses_train_ops(), maps_ops(), nets_ops(),
        reduce_ops(), regions_ops(), shape_ops(), tensor_ops(), train_ops()})
    for (const GoldenOp& op : some)
      require(all.emplace(op.name, op.run).second, "two golden ops are called ", op.name);
  return all;
}

}  // namespace

OpFunction find_op(const std::string& name) {
  static const std::map<std::string, OpFunction> ops = all_ops();
  const auto found = ops.find(name);
  return found == ops.end() ? nullptr : found->second;
}

}  // namespace pliant::conformance
