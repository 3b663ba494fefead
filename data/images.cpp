#include <pliant/data/images.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <pliant/data/loader.h>

namespace pliant {

void LabelledImages::check(const char* who) const {
  require(images.defined() && labels.defined(), who, ": images or labels are undefined");
  require(images.device().is_cpu() && labels.device().is_cpu(), who,
          ": images and labels must be on the cpu, they are on ", images.device(), " and ",
          labels.device());
  require(
      images.rank() == 4 && (images.dtype() == DType::uint8 || images.dtype() == DType::float32),
      who, ": images must be uint8 or float32 [N H W C], got ", images.dtype(), ' ',
      images.shape());
  require(labels.rank() == 1 && labels.dtype() == DType::int64, who,
          ": labels must be int64 [N], got ", labels.dtype(), ' ', labels.shape());
  require(images.dim(0) == labels.dim(0), who, ": ", images.dim(0), " images but ", labels.dim(0),
          " labels");
}

LabelledImages LabelledImages::take(std::span<const std::int64_t> indices) const {
  check("take");
  const auto count = static_cast<std::int64_t>(indices.size());
  Shape shape = images.shape();
  const std::int64_t row = shape[1] * shape[2] * shape[3] * size_of(images.dtype());
  shape[0] = count;
  LabelledImages taken{Tensor::empty(shape, images.dtype()), Tensor::empty({count}, DType::int64)};
  const auto* const from = static_cast<const std::byte*>(images.raw());
  auto* const to = static_cast<std::byte*>(taken.images.mutable_raw());
  const auto given_labels = labels.span<std::int64_t>();
  std::int64_t* const taken_labels = taken.labels.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = indices[static_cast<std::size_t>(i)];
    require(index >= 0 && index < size(), "take: index ", index, " is not in a set of ", size(),
            " images");
    std::memcpy(to + i * row, from + index * row, static_cast<std::size_t>(row));
    taken_labels[i] = given_labels[static_cast<std::size_t>(index)];
  }
  return taken;
}

ImageSets LabelledImages::split(std::int64_t held_out, const Rng& rng) const {
  check("split");
  require(held_out >= 0 && held_out <= size(), "split: cannot hold out ", held_out, " of ", size(),
          " images");
  std::vector<std::int64_t> order = randperm(size(), rng);
  const auto border = order.begin() + held_out;
  std::sort(order.begin(), border);
  std::sort(border, order.end());
  const auto indices = std::span<const std::int64_t>(order);
  const auto count = static_cast<std::size_t>(held_out);
  return {.train = take(indices.subspan(count)), .test = take(indices.first(count))};
}

}  // namespace pliant
