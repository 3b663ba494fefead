#include <pliant/data/cifar.h>

#include <system_error>

#include <pliant/data/internal/files.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32, kPlane = kSide * kSide, kPixels = 3 * kPlane;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// A record: one label or more, of which one counts, then the planes of red, green and blue.
struct Layout {
  std::int64_t labels, label, classes;
};

LabelledImages read_records(const std::vector<fs::path>& files, const Layout& layout) {
  const std::int64_t record = layout.labels + kPixels;
  std::vector<std::vector<std::uint8_t>> contents;
  std::int64_t count = 0;
  for (const fs::path& file : files) {
    contents.push_back(read_bytes(file, kMostBytes, "a file of CIFAR"));
    const auto size = static_cast<std::int64_t>(contents.back().size());
    require(size > 0 && size % record == 0, file.string(), ": has ", size,
            " bytes, expected a multiple of ", record, " (CIFAR's binary version)");
    count += size / record;
  }
  LabelledImages set{Tensor::empty({count, kSide, kSide, 3}, DType::uint8),
                     Tensor::empty({count}, DType::int64)};
  std::uint8_t* to = set.images.mutable_data<std::uint8_t>();
  std::int64_t* label = set.labels.mutable_data<std::int64_t>();
  for (std::size_t f = 0; f < files.size(); ++f) {
    const auto end = contents[f].data() + contents[f].size();
    for (const std::uint8_t* at = contents[f].data(); at != end; at += record, ++label) {
      *label = at[layout.label];
      require(*label < layout.classes, files[f].string(), ": image ",
              (at - contents[f].data()) / record, " has label ", *label, " of ", layout.classes,
              " classes");
      const std::uint8_t* const planes = at + layout.labels;
      for (std::int64_t i = 0; i < kPlane; ++i)
        for (std::int64_t c = 0; c < 3; ++c) *to++ = planes[c * kPlane + i];
    }
  }
  return set;
}

std::vector<std::string> class_names(const fs::path& file, const Layout& layout) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  std::vector<std::string> names = read_classes(file);
  require(static_cast<std::int64_t>(names.size()) == layout.classes, file.string(), ": names ",
          names.size(), " classes, expected ", layout.classes);
  return names;
}

}  // namespace

CifarSets read_cifar10(const fs::path& folder) {
  const Layout layout = {1, 0, 10};
  std::vector<fs::path> train;
  for (const char* const number : {"1", "2", "3", "4", "5"})
    train.push_back(folder / ("data_batch_" + std::string(number) + ".bin"));
  return {read_records(train, layout), read_records({folder / "test_batch.bin"}, layout),
          class_names(folder / "batches.meta.txt", layout)};
}

CifarSets read_cifar100(const fs::path& folder, CifarLabels labels) {
  const bool fine = labels == CifarLabels::fine;
  const Layout layout = {2, fine ? 1 : 0, fine ? 100 : 20};
  return {read_records({folder / "train.bin"}, layout), read_records({folder / "test.bin"}, layout),
          class_names(folder / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"), layout)};
}

}  // namespace pliant
