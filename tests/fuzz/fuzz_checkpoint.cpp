// Checkpoints of trainings: what cannot be used leaves net, optimizer and state as they were. The
// fuzzer's tensors and metadata get a right checksum first, which it would not find by chance.
#include <pliant/apps/mnist/checkpoint.h>
#include <pliant/apps/mnist/named_nets.h>
#include <pliant/data/digest.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;

namespace {

struct TinyNet : Classifier {
  Linear head = own("head", Linear(3, 2));
  Var operator()(const Var& images) const override { return head(images); }
};

void set_checksum(SafetensorsFile& file) {
  ContentDigest digest;
  const auto add = [&](const void* data, std::size_t bytes) {
    digest.update(static_cast<const std::uint8_t*>(data), bytes);
  };
  for (const auto& [name, tensor] : file.tensors) {
    add(name.data(), name.size());
    if (tensor.bytes() > 0) add(tensor.raw(), static_cast<std::size_t>(tensor.bytes()));
  }
  for (const auto& [key, text] : file.metadata)
    if (key != "crc32") add(text.data(), text.size());
  file.metadata["crc32"] = std::to_string(digest.finish().crc32);
}

bool same(const State& a, const State& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].first != b[i].first || !test::same_bits(a[i].second, b[i].second)) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile given(data, size);
  const std::filesystem::path path = fuzz::scratch("net.checkpoint");
  SafetensorsFile file;
  if (!fuzz::comes_through([&] { file = read_safetensors(given.path()); })) return 0;
  set_checksum(file);
  write_safetensors(path, file);

  TinyNet net;
  net.initialise(Rng(1));
  Adam optimizer(net.parameters(), {});
  const State net_before = net.state(), optimizer_before = optimizer.state();
  TrainingState state;
  state.step = 7;
  const Checkpoint checkpoint(path, {{"epochs", 1}}, 60);
  if (fuzz::comes_through([&] { checkpoint.load(net, optimizer, state); })) return 0;
  fuzz::expect(state.step == 7, "the state changed");
  fuzz::expect(same(net.state(), net_before), "the net is half loaded");
  fuzz::expect(same(optimizer.state(), optimizer_before), "the optimizer is half loaded");
  return 0;
}
