#include <pliant/data/samples.h>

#include <pliant/data/image_file.h>
#include <pliant/data/internal/files.h>

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
