#include <pliant/data/samples.h>

#include <algorithm>
#include <cmath>
#include <map>

#include <pliant/data/image_file.h>
#include <pliant/data/internal/files.h>
#include <pliant/data/loader.h>

namespace pliant {
namespace {

template <class Sample>
Tensor stacked(const char* who, const std::vector<Sample>& samples, Tensor Sample::*part) {
  std::vector<Tensor> tensors;
  tensors.reserve(samples.size());
  for (const Sample& sample : samples) tensors.push_back(sample.*part);
  return stack_tensors(who, tensors);
}

}  // namespace

Tensor Sequence::frame(std::int64_t i) const {
  require(i >= 0 && i < size(), "Sequence ", name, ": frame ", i, " of ", size());
  return read_image(frames[static_cast<std::size_t>(i)], ImageColour::rgb);
}

std::vector<bool> held_out_of_classes(const std::vector<std::int64_t>& labels, double val,
                                      const Rng& rng) {
  require(val > 0 && val < 1, "split: the share held out is ", val,
          ", expected one between 0 and 1");
  std::map<std::int64_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < labels.size(); ++i) members[labels[i]].push_back(i);
  std::vector<bool> is_out(labels.size());
  for (const auto& [label, of_class] : members) {
    const auto count = static_cast<std::int64_t>(of_class.size());
    const std::int64_t least = count > 1 ? 1 : 0;
    const std::int64_t out = std::clamp<std::int64_t>(
        std::llround(val * static_cast<double>(count)), least, count - least);
    const std::vector<std::int64_t> order =
        randperm(count, rng.fork(static_cast<std::uint64_t>(label)));
    for (std::size_t i = 0; i < order.size(); ++i) is_out[of_class[i]] = order[i] < out;
  }
  return is_out;
}

LabelledImages stack_images(const std::vector<LabelledImage>& samples) {
  LabelledImages batch{stacked("stack_images", samples, &LabelledImage::image), {}};
  require(batch.images.rank() == 4, "stack_images: expected images [H W C], got ",
          samples.front().image);
  batch.labels = Tensor::empty({static_cast<std::int64_t>(samples.size())}, DType::int64);
  std::int64_t* labels = batch.labels.mutable_data<std::int64_t>();
  for (const LabelledImage& sample : samples) *labels++ = sample.label;
  return batch;
}

SegmentationBatch stack_segmentation(const std::vector<SegmentationSample>& samples) {
  return {stacked("stack_segmentation", samples, &SegmentationSample::image),
          stacked("stack_segmentation", samples, &SegmentationSample::mask).to(DType::int64)};
}

}  // namespace pliant
