// IDX files, plain and gzip.
#include <pliant/data/idx.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>

using namespace pliant;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  fuzz::comes_through([&] {
    ContentId content;
    const Tensor tensor = read_idx(file.path(), &content);
    fuzz::expect(tensor.dtype() == DType::uint8, "IDX of bytes gave ", tensor.dtype());
    fuzz::expect(tensor.size() == 0 || tensor.raw() != nullptr, "elements without memory");
  });
  return 0;
}
