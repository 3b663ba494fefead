// A Module's tensors: first values, devices and dtypes, states and files.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include <pliant/layers/internal/module_tree.h>
#include <pliant/layers/internal/paths.h>
#include <pliant/layers/safetensors.h>

namespace pliant {
namespace {

constexpr const char* kLayoutKey = "layout";  // in a file's metadata
constexpr const char* kOurLayout = "nhwc";

// What is to become of a net, made whole before anything of it is changed.
using Changes = std::vector<std::pair<Buffer, Tensor>>;

// In place where there is something already, so that addresses stay.
void assign(Changes changes) {
  for (auto& [buffer, value] : changes) {
    if (!buffer.filled()) {
      buffer.set(std::move(value));
    } else {
      Tensor tensor = buffer.value();
      tensor.copy_from(value);
    }
  }
}

void exchange(Changes changes) {
  for (auto& [buffer, value] : changes) buffer.set(std::move(value));
}

}  // namespace

void Module::initialise(const Rng& rng) {
  Changes changes;
  for (const Leaf* leaf : leaves()) {
    if (leaf->initialiser == nullptr) continue;
    const ErrorPlace here(leaf->buffer.name());
    Tensor value = Tensor::empty(leaf->buffer.shape());
    leaf->initialiser(value, rng.fork(leaf->buffer.name()));
    if (leaf->buffer.filled()) value = value.to(leaf->buffer.value().dtype());
    changes.emplace_back(leaf->buffer, std::move(value));
  }
  assign(std::move(changes));
}

void Module::to(Device device) {
  Changes changes;
  for (const Leaf* leaf : leaves())
    changes.emplace_back(leaf->buffer, leaf->buffer.value().to(device));
  exchange(std::move(changes));
}

void Module::to(DType dtype) {
  require(is_floating(dtype), "module: to(", dtype, "): parameters are floating");
  Changes changes;
  for (const Leaf* leaf : leaves())
    if (is_floating(leaf->buffer.value().dtype()))
      changes.emplace_back(leaf->buffer, leaf->buffer.value().to(dtype));
  exchange(std::move(changes));
}

// ---- state ----

bool equal(const State& a, const State& b) {
  const auto is_same = [](const auto& one, const auto& other) {
    if (one.first != other.first) return false;
    const Tensor &s = one.second, &t = other.second;
    if (!s.defined() || !t.defined()) return s.defined() == t.defined();
    if (s.dtype() != t.dtype() || s.shape() != t.shape()) return false;
    const Tensor here = s.to(Device::cpu()), there = t.to(Device::cpu());
    const auto bytes = static_cast<std::size_t>(here.bytes());
    return bytes == 0 || std::memcmp(here.raw(), there.raw(), bytes) == 0;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same);
}

State Module::state() const {
  State state;
  for (const Leaf* leaf : leaves()) {
    const ErrorPlace here(leaf->buffer.name());
    state.emplace_back(leaf->buffer.name(), leaf->buffer.value().clone());
  }
  return state;
}

namespace {

// What is wrong with a state, gathered so that one message says it all.
struct Complaints {
  std::vector<std::string> missing, unexpected, misshapen;

  void raise() const {
    std::string text;
    const auto add = [&](const char* what, const std::vector<std::string>& names) {
      if (names.empty()) return;
      text += (text.empty() ? "" : "; ") + std::string(what) + listed(names);
    };
    add("missing ", missing);
    add("unexpected ", unexpected);
    add("does not fit: ", misshapen);
    require(text.empty(), "load: ", text);
  }
};

bool fits(const Buffer& buffer, const Tensor& value) {
  if (!(buffer.shape() == value.shape())) return false;
  if (!buffer.filled()) return is_floating(value.dtype());
  return buffer.value().dtype() == value.dtype() ||
         (is_floating(buffer.value().dtype()) && is_floating(value.dtype()));
}

std::string described(const std::string& name, const Shape& shape) {
  return text_from(name, ' ', shape);
}

std::string misfit(const Buffer& buffer, const Tensor& value) {
  const std::string dtype = buffer.filled() ? text_from(buffer.value().dtype(), ' ') : "";
  return text_from(buffer.name(), " is ", value.dtype(), ' ', value.shape(), ", expected ", dtype,
                   buffer.shape());
}

// Whether PyTorch's weight for that parameter, [out in/groups R S], or [in out/groups R S] of a
// transposed convolution, could have the shape `there`.
bool is_pytorch_shape(const Shape& there, const Shape& here, bool transposed) {
  if (there.rank() != 4 || here.rank() != 4 || there[2] != here[1] || there[3] != here[2])
    return false;
  if (!transposed) return there[0] == here[0] && there[1] == here[3];
  return there[0] % here[3] == 0 && there[0] / here[3] * there[1] == here[0];
}

const char* pytorch_order(bool transposed) { return transposed ? "[in out R S]" : "[out in R S]"; }

// An Error if what is given for that weight has a shape of PyTorch's order and not of ours.
void require_our_order(const Buffer& weight, const Shape& there, bool transposed) {
  const Shape& here = weight.shape();
  require(there == here || !is_pytorch_shape(there, here, transposed), "load: ", weight.name(), ' ',
          there, " is in PyTorch's order, ", pytorch_order(transposed),
          "; load_torchvision(net, file) of layers/nets/torchvision.h reads it, and ",
          "from_torchvision(state) turns a state");
}

// A copy with the dtype and device that the buffer has.
Tensor converted(const Buffer& buffer, const Tensor& value) {
  if (!buffer.filled()) return value.clone();
  return value.to(buffer.value().dtype());
}

}  // namespace

std::vector<std::string> Module::load(const State& state, const LoadOptions& options) {
  require_tensors("load");
  std::unordered_map<std::string, const Tensor*> given;
  Complaints complaints;
  for (const auto& [path, tensor] : state) {
    require(tensor.defined(), "load: ", path, " of the state is undefined");
    require(given.emplace(path, &tensor).second, "load: the state has ", path, " twice");
  }
  std::vector<std::string> lacking, paths;
  Changes changes;
  for (const Leaf* leaf : leaves()) {
    const Buffer& buffer = leaf->buffer;
    paths.push_back(buffer.name());
    const auto found = given.find(buffer.name());
    if (found == given.end()) {
      (any_path_matches(options.may_lack, buffer.name()) ? lacking : complaints.missing)
          .push_back(buffer.name());
    } else {
      require_our_order(buffer, found->second->shape(),
                        leaf->parameter.defined() && leaf->parameter.transposed());
      if (fits(buffer, *found->second)) {
        changes.emplace_back(buffer, converted(buffer, *found->second));
      } else {
        complaints.misshapen.push_back(misfit(buffer, *found->second));
      }
      given.erase(found);
    }
  }
  for (const auto& [path, tensor] : state)
    if (given.contains(path)) complaints.unexpected.push_back(path);
  complaints.raise();
  check_may_lack("load", options.may_lack, paths);
  assign(std::move(changes));
  return lacking;
}

// ---- files ----

void Module::save(const std::filesystem::path& file,
                  const std::map<std::string, std::string>& metadata) const {
  require_tensors("save");
  std::map<std::string, std::string> stated = metadata;
  require(stated.emplace(kLayoutKey, kOurLayout).second, "save: the metadata '", kLayoutKey,
          "' is what the file says of its weights' order");
  write_safetensors(file, {state(), std::move(stated)});
}

// Of a file that does not state its layout, one weight whose shape fits in one order alone tells
// it.
void Module::check_layout(const SafetensorsFile& file, Layout layout) const {
  const auto stated = file.metadata.find(kLayoutKey);
  if (stated != file.metadata.end()) {
    require(stated->second == kOurLayout, "load: its metadata says layout = ", stated->second,
            ", expected ", kOurLayout);
    return;
  }
  if (layout == Layout::nhwc) return;
  std::string in_doubt;
  for (const Leaf* leaf : leaves()) {
    const Tensor* const tensor = file.find(leaf->buffer.name());
    if (tensor == nullptr || tensor->rank() != 4) continue;
    const Shape &there = tensor->shape(), &here = leaf->buffer.shape();
    const bool transposed = leaf->parameter.defined() && leaf->parameter.transposed();
    const bool ours = there == here, theirs = is_pytorch_shape(there, here, transposed);
    if (ours && !theirs) return;
    require_our_order(leaf->buffer, there, transposed);
    if (ours && there.size() > there[0] && in_doubt.empty())
      in_doubt = described(leaf->buffer.name(), there) + " may be " + pytorch_order(transposed);
  }
  require(in_doubt.empty(), "load: the file does not say the order of its weights, and ", in_doubt,
          ", PyTorch's, or [out R S in], ours; load_torchvision(net, file) of "
          "layers/nets/torchvision.h reads the first, {.layout = Layout::nhwc} says the second");
}

std::map<std::string, std::string> Module::load(const std::filesystem::path& file,
                                                const LoadOptions& options) {
  require_tensors("load");
  SafetensorsFile read = read_safetensors(file);
  try {
    check_layout(read, options.layout);
    load(read.tensors, options);
  } catch (const Error& error) {
    const std::string skipped = read.skipped_text();
    fail(file.string(), ": ", error.what(), skipped.empty() ? "" : "; ", skipped);
  }
  read.metadata.erase(kLayoutKey);
  return std::move(read.metadata);
}

}  // namespace pliant
