#include <pliant/data/images.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include <pliant/core/sizes.h>

namespace pliant {

void check_labelled_images(const char* who, const LabelledImages& set) {
  const Tensor &images = set.images, &labels = set.labels;
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

LabelledImages take(const LabelledImages& set, std::span<const std::int64_t> indices) {
  check_labelled_images("take", set);
  const auto count = static_cast<std::int64_t>(indices.size());
  Shape shape = set.images.shape();
  const std::int64_t row = shape[1] * shape[2] * shape[3] * size_of(set.images.dtype());
  shape[0] = count;
  LabelledImages taken{Tensor::empty(shape, set.images.dtype()),
                       Tensor::empty({count}, DType::int64)};
  const auto* const from = static_cast<const std::byte*>(set.images.raw());
  auto* const to = static_cast<std::byte*>(taken.images.mutable_raw());
  const auto labels = set.labels.span<std::int64_t>();
  std::int64_t* const taken_labels = taken.labels.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = indices[static_cast<std::size_t>(i)];
    require(index >= 0 && index < set.size(), "take: index ", index, " is not in a set of ",
            set.size(), " images");
    std::memcpy(to + i * row, from + index * row, static_cast<std::size_t>(row));
    taken_labels[i] = labels[static_cast<std::size_t>(index)];
  }
  return taken;
}

Split split(const LabelledImages& set, std::int64_t held_out, const Rng& rng) {
  check_labelled_images("split", set);
  require(held_out >= 0 && held_out <= set.size(), "split: cannot hold out ", held_out, " of ",
          set.size(), " images");
  std::vector<std::int64_t> order = permutation(set.size(), rng);
  const auto border = order.begin() + held_out;
  std::sort(order.begin(), border);
  std::sort(border, order.end());
  const auto indices = std::span<const std::int64_t>(order);
  const auto count = static_cast<std::size_t>(held_out);
  return {.kept = take(set, indices.subspan(count)), .held_out = take(set, indices.first(count))};
}

std::vector<std::int64_t> permutation(std::int64_t count, const Rng& rng) {
  require(count >= 0, "permutation: count is ", count, ", expected at least 0");
  require_operations("permutation", "numbers", {count});
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t last = order.size(); last > 1; --last)
    std::swap(order[last - 1], order[rng.below(last - 1, last)]);
  return order;
}

}  // namespace pliant
