#include <pliant/data/jpeg_stream.h>

#include <cstring>
#include <span>
#include <system_error>

#include <pliant/core/parallel.h>
#include <pliant/data/idx.h>
#include <pliant/data/internal/files.h>

namespace pliant {

namespace fs = std::filesystem;

struct JpegStream::Data {
  std::string name;  // of the file of images
  std::vector<std::uint8_t> bytes;
  Tensor offsets, labels;
  std::vector<std::string> classes;
};

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 31;  // as far as its offsets reach

// The file, or the one with .gz at its end.
fs::path either(const fs::path& plain) {
  std::error_code ignored;
  return fs::exists(plain, ignored) ? plain : fs::path(plain.string() + ".gz");
}

}  // namespace

JpegStream::JpegStream(const fs::path& root, const std::string& split, ImageColour colour)
    : colour_(colour) {
  const fs::path images = either(root / (split + "-images.jpegs"));
  const fs::path places = either(root / (split + "-offsets-idx1-int"));
  const fs::path answers = either(root / (split + "-labels-idx1-ubyte"));
  auto data = std::make_shared<Data>();
  data->name = images.string();
  data->classes = read_classes(root / "classes.txt");
  data->labels = read_idx(answers);
  data->offsets = read_idx_int32(places);
  data->bytes = read_bytes(images, kMostBytes, "a stream of images");
  require(data->labels.rank() == 1, answers.string(), ": expected a label an image, got ",
          data->labels.shape());
  for (const std::uint8_t label : data->labels.span<std::uint8_t>())
    require(label < data->classes.size(), answers.string(), ": has a label ", int{label}, " of ",
            data->classes.size(), " classes");
  require(data->offsets.rank() == 1 && data->offsets.size() == data->labels.size() + 1,
          places.string(), ": expected an offset more than the ", data->labels.size(),
          " labels, got ", data->offsets.shape());
  std::int64_t before = 0;
  for (const std::int32_t offset : data->offsets.span<std::int32_t>()) {
    require(offset >= before && static_cast<std::size_t>(offset) <= data->bytes.size(),
            places.string(), ": an offset ", offset, " after ", before, ", in a file of ",
            data->bytes.size(), " bytes");
    before = offset;
  }
  data_ = std::move(data);
}

std::int64_t JpegStream::size() const { return data_->labels.size(); }
const std::vector<std::string>& JpegStream::classes() const& { return data_->classes; }

LabelledImage JpegStream::at(std::int64_t i, const Rng&) const {
  require(i >= 0 && i < size(), "JpegStream: image ", i, " of ", size());
  const std::int32_t* const offset = data_->offsets.data<std::int32_t>() + i;
  const auto bytes = std::span(data_->bytes)
                         .subspan(static_cast<std::size_t>(offset[0]),
                                  static_cast<std::size_t>(offset[1] - offset[0]));
  return {decode_image(bytes, text_from("image ", i, " of ", data_->name), colour_),
          data_->labels.data<std::uint8_t>()[i]};
}

LabelledImages JpegStream::images() const {
  require(size() > 0, data_->name, ": holds no images");
  const Shape one = at(0).image.shape();
  LabelledImages all{Tensor::empty({size(), one[0], one[1], one[2]}, DType::uint8),
                     data_->labels.to(DType::int64)};
  std::uint8_t* const to = all.images.mutable_data<std::uint8_t>();
  parallel_for(size(), [&](std::int64_t i) {
    const Tensor image = at(i).image;
    require(image.shape() == one, "image ", i, " of ", data_->name, ": is ", image.shape(),
            " among others ", one);
    std::memcpy(to + i * one.size(), image.raw(), static_cast<std::size_t>(one.size()));
  });
  return all;
}

}  // namespace pliant
