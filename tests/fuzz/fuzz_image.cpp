// Image files of every format that is read.
#include <pliant/data/image_file.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/sanitizer_options.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  Tensor gray, rgb;
  const bool readable = fuzz::comes_through([&] { gray = decode_image(bytes, "image"); });
  fuzz::expect(readable == fuzz::comes_through(
                               [&] { rgb = decode_image(bytes, "image", ImageColour::rgb); }),
               "it can be read in one of gray and colour alone");
  if (!readable) return 0;
  fuzz::expect(gray.dtype() == DType::uint8 && gray.size() > 0 &&
                   gray.shape() == Shape{rgb.dim(0), rgb.dim(1), 1} && rgb.dim(2) == 3,
               "an image of ", gray.shape(), ", in colour ", rgb.shape());
  fuzz::expect(test::same_bits(gray, decode_image(bytes, "image")), "two readings differ");
  return 0;
}
