#include <pliant/data/palette.h>

#include <pliant/core/error.h>

namespace pliant {

Tensor voc_palette(std::int64_t count) {
  require(count >= 0 && count <= 256, "voc_palette: ", count, " colours, expected 0 to 256");
  Tensor palette = Tensor::zeros({count, 3}, DType::uint8);
  std::uint8_t* const to = palette.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i)
    for (int bit = 0; bit < 8; ++bit)
      to[3 * i + bit % 3] |=
          static_cast<std::uint8_t>((static_cast<unsigned>(i) >> bit & 1U) << (7 - bit / 3));
  return palette;
}

}  // namespace pliant
