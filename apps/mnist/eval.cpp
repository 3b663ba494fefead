#include <pliant/apps/mnist/eval.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace pliant::mnist {
namespace {

// "offset12.weight", as released, -> "offset12.offset.weight".
std::string our_name(const std::string& name) {
  const std::string prefix = "offset", suffix = ".weight";
  const bool released = name.starts_with(prefix) && name.ends_with(suffix) &&
                        name.size() == prefix.size() + 2 + suffix.size();
  return released ? name.substr(0, prefix.size() + 2) + ".offset.weight" : name;
}

Deform kind_by_tensors(const State& state) {
  const auto has = [&](const char* path) {
    return std::any_of(state.begin(), state.end(), [&](const auto& e) { return e.first == path; });
  };
  if (has("offset12.offset.weight"))
    return has("offset12.context.wide.weight") ? Deform::offset_field_context
                                               : Deform::offset_field;
  if (has("conv12.mask.weight"))
    return has("conv12.context.wide.weight") ? Deform::dcn2_context : Deform::dcn2;
  if (has("conv12.offset.weight")) return Deform::dcn1;
  return Deform::none;
}

// Nets that differ in how they compute alone have the same tensors: the metadata tells them apart.
Deform kind_of(const SafetensorsFile& contents, const State& state) {
  const Deform by_tensors = kind_by_tensors(state);
  const auto named = contents.metadata.find("deform");
  if (named == contents.metadata.end()) return by_tensors;
  const std::optional<Deform> kind = find_deform(named->second);
  require(kind.has_value(), "its metadata names an unknown kind, deform = '", named->second, "'");
  require(same_tensors(*kind, by_tensors), "its metadata says deform = ", named->second,
          ", but its tensors are those of ", name_of(by_tensors));
  return *kind;
}

// As many as the classifier has outputs.
std::int64_t classes_of(const SafetensorsFile& contents) {
  const Tensor* const weight = contents.find("fc.weight");
  require(weight != nullptr && weight->rank() == 2, "it has no classifier fc.weight");
  return weight->dim(0);
}

}  // namespace

SafetensorsFile read_weights(const std::filesystem::path& file) {
  SafetensorsFile contents = read_safetensors(file);
  const std::string skipped = contents.skipped_text();
  if (!skipped.empty()) std::cerr << printable(file.string()) << ": " << skipped << '\n';
  return contents;
}

DigitNet digit_net_from(const SafetensorsFile& contents, const std::filesystem::path& file) {
  State state;
  for (const auto& [name, tensor] : contents.tensors) state.emplace_back(our_name(name), tensor);
  try {
    DigitNet net(kind_of(contents, state), classes_of(contents));
    net.load(state);
    return net;
  } catch (const Error& error) {
    fail(file.string(), ": not a digit net: ", error.what());
  }
}

DigitNet load_digit_net(const std::filesystem::path& file) {
  return digit_net_from(read_weights(file), file);
}

Accuracies evaluate(const Classifier& net, const TestSets& test, Device device) {
  return {accuracy(net, test.plain, device), accuracy(net, test.scaled, device)};
}

namespace {

constexpr std::pair<const char*, const char*> kPublished[] = {
    {"regular", "cnn.safetensors"}, {"\"deformable\"", "deform_cnn.safetensors"}};

std::filesystem::path published_folder() {
  const char* const folder = std::getenv("PLIANT_PUBLISHED");
  return folder == nullptr ? "" : folder;
}

}  // namespace

void require_published_files() {
  const std::filesystem::path folder = published_folder();
  if (folder.empty()) return;
  for (const auto& [label, name] : kPublished) {
    std::error_code ignored;
    require(std::filesystem::exists(folder / name, ignored), "PLIANT_PUBLISHED: ", folder.string(),
            " has no ", name, "; set it to the folder that has both nets, or unset it");
  }
}

PublishedWeights evaluate_published(const TestSets& test, Device device) {
  const std::filesystem::path folder = published_folder();
  if (folder.empty()) return {"not given (set PLIANT_PUBLISHED to their folder)", {}};
  PublishedWeights published{"from " + folder.string(), {}};
  for (const auto& [label, name] : kPublished) {
    DigitNet net = load_digit_net(folder / name);
    net.to(device);
    published.nets.emplace_back(label, evaluate(net, test, device));
  }
  return published;
}

}  // namespace pliant::mnist
