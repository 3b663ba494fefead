// safetensors: what can be read can be written and read again, to the bit.
#include <pliant/layers/safetensors.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile given(data, size);
  SafetensorsFile first, second;
  if (!fuzz::comes_through([&] { first = read_safetensors(given.path()); })) return 0;
  const std::filesystem::path copy = fuzz::scratch("copy.safetensors");
  write_safetensors(copy, first);
  second = read_safetensors(copy);
  fuzz::expect(first.metadata == second.metadata, "metadata do not survive");
  fuzz::expect(first.tensors.size() == second.tensors.size(), "tensors do not survive");
  for (const auto& [name, tensor] : first.tensors) {
    const Tensor* const again = second.find(name);
    fuzz::expect(again != nullptr && test::same_bits(tensor, *again), name, " does not survive");
  }
  return 0;
}
