// Checkpoints of trainings: what cannot be used leaves net, optimizer and state as they were. The
// fuzzer's tensors and metadata get a right checksum first, which it would not find by chance.
#include <pliant/apps/kit/checkpoint.h>
#include <pliant/core/crc32.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;

namespace {

struct TinyNet : Module {
  Linear head = own("head", Linear(3, 2));
};

// As training_checkpoint.cpp.
void set_checksum(SafetensorsFile& file) {
  std::uint32_t crc = 0;
  const auto add = [&crc](const std::string& text) {
    crc = crc32_of(text.c_str(), text.size() + 1, crc);
  };
  for (const auto& [name, tensor] : file.tensors) {
    add(name);
    add(text_from(tensor.dtype(), ' ', tensor.shape()));
    crc = crc32_of(tensor.raw(), static_cast<std::size_t>(tensor.bytes()), crc);
  }
  file.metadata["format"] = "pliant training 1";
  for (const auto& [key, text] : file.metadata)
    if (key != "crc32") {
      add(key);
      add(text);
    }
  file.metadata["crc32"] = std::to_string(crc);
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
  kit::TrainingState state;
  state.step = 7;
  const TrainingParts parts{.net = net, .optimizers = {{"adam", optimizer}}};
  const kit::Checkpoint checkpoint(path, {{"epochs", "1"}}, 60);
  if (fuzz::comes_through([&] { checkpoint.load(parts, state); })) return 0;
  fuzz::expect(state.step == 7, "the state changed");
  fuzz::expect(same(net.state(), net_before), "the net is half loaded");
  fuzz::expect(same(optimizer.state(), optimizer_before), "the optimizer is half loaded");
  return 0;
}
