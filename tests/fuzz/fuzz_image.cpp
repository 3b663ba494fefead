// Picture files of every format that is read.
#include <pliant/data/picture.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>

using namespace pliant;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  Tensor first, second;
  if (!fuzz::comes_through([&] { first = read_picture(file.path()); })) return 0;
  fuzz::expect(first.rank() == 3 && first.size() > 0 && first.dtype() == DType::uint8,
               "a picture of ", first.dtype(), ' ', first.shape());
  second = read_picture(file.path());
  const auto a = first.span<std::uint8_t>(), b = second.span<std::uint8_t>();
  fuzz::expect(std::equal(a.begin(), a.end(), b.begin(), b.end()), "two readings differ");
  return 0;
}
