#include <pliant/apps/segment/overlay.h>

namespace pliant::segment {

Tensor coloured(const Tensor& labels, const Palette& colours) {
  constexpr Palette::value_type kWhite = {255, 255, 255};
  Tensor picture = Tensor::empty({labels.dim(0), labels.dim(1), 3}, DType::uint8);
  std::uint8_t* to = picture.mutable_data<std::uint8_t>();
  for (const std::uint8_t label : labels.span<std::uint8_t>())
    for (const std::uint8_t byte : label < colours.size() ? colours[label] : kWhite) *to++ = byte;
  return picture;
}

Tensor overlay(const Tensor& picture, const Tensor& labels, const Palette& colours) {
  Tensor over = coloured(labels, colours);
  const std::uint8_t* below = picture.data<std::uint8_t>();
  for (std::uint8_t& byte : over.mutable_span<std::uint8_t>())
    byte = static_cast<std::uint8_t>((byte + *below++) / 2);
  return over;
}

}  // namespace pliant::segment
