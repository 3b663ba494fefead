// Annotations of data sets: PASCAL VOC's XML, COCO's JSON, tracking's lists and masks. What a file
// begins with says which of them it is.
#include <pliant/data/image_file.h>
#include <pliant/data/internal/coco_json.h>
#include <pliant/data/internal/ground_truth.h>
#include <pliant/data/internal/voc_xml.h>
#include <pliant/data/rle.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>
#include <pliant/tests/same_bits.h>

#include <cmath>

using namespace pliant;

namespace {

// Boxes are cut and have an area; masks can be made, and survive the way through runs and text.
void check_picture(const DetectionPicture& picture) {
  for (const DetectionObject& object : picture.objects) {
    const auto& [x1, y1, x2, y2] = object.box;
    fuzz::expect(x1 >= 0 && x1 < x2 && x2 <= static_cast<double>(picture.width) && y1 >= 0 &&
                     y1 < y2 && y2 <= static_cast<double>(picture.height),
                 "a box ", x1, ' ', y1, ' ', x2, ' ', y2);
    if (picture.height * picture.width > 1 << 16 || object.runs.empty()) continue;
    const Tensor mask = rle_mask(object.runs, picture.height, picture.width);
    const auto runs = rle_runs(mask);
    fuzz::expect(rle_runs(rle_text(runs)) == runs, "runs do not survive");
    fuzz::expect(test::same_bits(rle_mask(runs, picture.height, picture.width), mask),
                 "a mask does not survive");
  }
}

void read_voc(const std::filesystem::path& path) {
  static const std::vector<std::string> classes = {"cat", "dog"};
  DetectionPicture picture = read_voc_xml(path, classes);
  if (picture.height == 0) picture.height = picture.width = 100;
  clip_objects(picture);
  check_picture(picture);
}

void read_coco(const std::filesystem::path& path) {
  for (const DetectionPicture& picture : read_coco_json(path).pictures) check_picture(picture);
}

void read_truth(const std::filesystem::path& path) {
  for (const FrameTruth& truth : read_ground_truth(path, 1))
    fuzz::expect(!truth.present || (truth.x2 >= truth.x1 && truth.y2 >= truth.y1), "a truth ",
                 truth.x1, ' ', truth.y1, ' ', truth.x2, ' ', truth.y2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  if (size == 0) return -1;
  fuzz::comes_through([&] {
    if (data[0] == '<') read_voc(file.path());
    if (data[0] == '{') read_coco(file.path());
    if (data[0] == 0x89) read_mask(file.path());
    if (data[0] != '<' && data[0] != '{' && data[0] != 0x89) read_truth(file.path());
  });
  return 0;
}
