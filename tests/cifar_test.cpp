#include <pliant/data/cifar.h>
#include <pliant/data/idx.h>
#include <pliant/data/jpeg_stream.h>
#include <pliant/data/loader.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Records of CIFAR: `labels` before planes of value, value + 1 and value + 2.
Bytes record(const Bytes& labels, std::uint8_t value) {
  Bytes bytes = labels;
  for (std::uint8_t c = 0; c < 3; ++c)
    bytes.insert(bytes.end(), 1024, static_cast<std::uint8_t>(value + c));
  bytes[bytes.size() - 1] = 200;  // the last of blue
  return bytes;
}

Bytes idx(std::uint8_t type, const std::vector<std::uint32_t>& values) {
  Bytes bytes = {0, 0, type, 1};
  append(bytes, static_cast<std::uint32_t>(values.size()));
  for (const std::uint32_t value : values) append(bytes, value, type == 8 ? 1 : 4);
  return bytes;
}

void write_stream(const TemporaryFolder& folder, const std::vector<std::uint32_t>& offsets,
                  const std::vector<std::uint32_t>& labels = {1, 0}) {
  Bytes both = jpeg();
  const Bytes second = jpeg(exif_segment(3, true));
  both.insert(both.end(), second.begin(), second.end());
  folder.write("classes.txt", text("cat\ndog\n"));
  folder.write("train-images.jpegs.gz", gzip(both));
  folder.write("train-offsets-idx1-int.gz", gzip(idx(0x0C, offsets)));
  folder.write("train-labels-idx1-ubyte", idx(0x08, labels));
}

const auto kEnd = [] {
  const std::size_t first = jpeg().size();
  return std::vector<std::uint32_t>{
      0, static_cast<std::uint32_t>(first),
      static_cast<std::uint32_t>(first + jpeg(exif_segment(3, true)).size())};
}();

}  // namespace

TEST_CASE("cifar: ten classes, planes become pixels") {
  const TemporaryFolder folder;
  for (int i = 1; i <= 5; ++i)
    folder.write("data_batch_" + std::to_string(i) + ".bin",
                 record({static_cast<std::uint8_t>(i)}, static_cast<std::uint8_t>(10 * i)));
  folder.write("test_batch.bin", gzip(record({9}, 100)));
  const CifarSets sets = read_cifar10(folder.path());
  CHECK(sets.train.images.shape() == Shape{5, 32, 32, 3});
  CHECK(sets.train.labels.to_vector() == std::vector<double>{1, 2, 3, 4, 5});
  CHECK(sets.test.labels.to_vector() == std::vector<double>{9});
  CHECK(sets.classes.empty());
  const std::uint8_t* const pixels = sets.train.images.data<std::uint8_t>();
  CHECK(Bytes(pixels + 3072, pixels + 3078) == Bytes{20, 21, 22, 20, 21, 22});
  CHECK(pixels[3071] == 200);
  std::string names;
  for (int i = 0; i < 10; ++i) names += "class" + std::to_string(i) + "\n";
  folder.write("batches.meta.txt", text(names + "\n"));
  CHECK(read_cifar10(folder.path()).classes[9] == "class9");
}

TEST_CASE("cifar: a hundred classes or their twenty groups") {
  const TemporaryFolder folder;
  folder.write("train.bin", record({19, 99}, 0));
  folder.write("test.bin", record({0, 5}, 0));
  CHECK(read_cifar100(folder.path()).train.labels.to_vector() == std::vector<double>{99});
  CHECK(read_cifar100(folder.path(), CifarLabels::coarse).train.labels.to_vector() ==
        std::vector<double>{19});
}

TEST_CASE("cifar: files that are missing, cut off or mislabelled are named") {
  const TemporaryFolder folder;
  const auto error = [&] { return error_of([&] { read_cifar100(folder.path()); }); };
  CHECK(contains(error(), "train.bin"));
  folder.write("test.bin", record({0, 5}, 0));
  folder.write("train.bin", record({0}, 0));
  CHECK(contains(error(), "train.bin: has 3073 bytes, expected a multiple of 3074"));
  folder.write("train.bin", {});
  CHECK(contains(error(), "train.bin: has 0 bytes"));
  folder.write("train.bin", record({0, 100}, 0));
  CHECK(contains(error(), "train.bin: image 0 has label 100 of 100 classes"));
}

TEST_CASE("idx: 32 bit integers, of either sign") {
  const TemporaryFolder folder;
  const Tensor read = read_idx_int32(folder.write("n", idx(0x0C, {0, 1, 0x01020304, 0xFFFFFFFF})));
  CHECK(read.dtype() == DType::int32);
  CHECK(read.to_vector() == std::vector<double>{0, 1, 16909060, -1});
  CHECK(contains(error_of([&] { read_idx_int32(folder.write("n", idx(0x08, {1}))); }),
                 "IDX element type is 0x08, expected 0x0c (32 bit integers)"));
}

TEST_CASE("jpeg stream: one file of images, decoded as they are asked for or all at once") {
  const TemporaryFolder folder;
  write_stream(folder, kEnd);
  const JpegStream set(folder.path(), "train");
  REQUIRE(set.size() == 2);
  CHECK(set.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(set.at(0).label == 1);
  const Tensor first = set.at(0).image, second = set.at(1).image;
  CHECK(second.shape() == Shape{8, 16, 3});
  CHECK(first.data<std::uint8_t>()[0] == 192);
  CHECK(second.data<std::uint8_t>()[0] == 64);  // turned by 180 degrees
  const LabelledImages all = set.images();
  CHECK(all.images.shape() == Shape{2, 8, 16, 3});
  CHECK(same_bits(all.images.slice(1, 2).reshape(second.shape()), second));
  CHECK(all.labels.to_vector() == std::vector<double>{1, 0});
}

TEST_CASE("jpeg stream: what does not agree is named") {
  const TemporaryFolder folder;
  const auto error = [&] { return error_of([&] { JpegStream(folder.path(), "train"); }); };
  write_stream(folder, {0, kEnd[1]});
  CHECK(contains(error(), "train-offsets-idx1-int.gz: expected an offset more than the 2 labels"));
  write_stream(folder, {0, kEnd[2] + 1, kEnd[2] + 1});
  CHECK(contains(error(), "in a file of"));
  write_stream(folder, {5, 4, kEnd[2]});
  CHECK(contains(error(), "an offset 4 after 5"));
  write_stream(folder, kEnd, {1, 2});
  CHECK(contains(error(), "train-labels-idx1-ubyte: has a label 2 of 2 classes"));
  write_stream(folder, {0, kEnd[1] - 9, kEnd[2]});
  CHECK(contains(error_of([&] { JpegStream(folder.path(), "train").at(0); }), "image 0 of "));
}
