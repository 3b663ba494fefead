#include <pliant/data/yolo.h>

#include <cmath>
#include <system_error>

#include <pliant/data/internal/checked.h>
#include <pliant/data/internal/detection.h>
#include <pliant/data/internal/files.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

std::vector<double> numbers_in(const std::string& line, const std::string& where) {
  std::vector<double> numbers;
  constexpr const char* kBetween = " \t";
  for (std::size_t at = line.find_first_not_of(kBetween); at < line.size();
       at = line.find_first_not_of(kBetween, at)) {
    const std::size_t end = std::min(line.find_first_of(kBetween, at), line.size());
    const std::optional<double> number = number_in(std::string_view(line).substr(at, end - at));
    require(number.has_value() && std::isfinite(*number), where, "\"",
            printable(line.substr(at, end - at), 40), "\" is no number");
    numbers.push_back(*number);
    at = end;
  }
  return numbers;
}

DetectionObject object_of(const std::string& line, const DetectionPicture& picture,
                          std::size_t classes, const std::string& where) {
  constexpr double kMostShare = 1e6;  // of a side: far outside, but a number of pixels
  const std::vector<double> numbers = numbers_in(line, where);
  require(numbers.size() == 5, where, "has ", numbers.size(),
          " numbers, expected class, centre x and y, width and height");
  DetectionObject object;
  require(numbers[0] >= 0 && numbers[0] < static_cast<double>(classes) &&
              numbers[0] == std::floor(numbers[0]),
          where, "its class ", numbers[0], " is none of the ", classes, " of classes.txt");
  for (std::size_t i = 1; i < 5; ++i)
    require(std::abs(numbers[i]) <= kMostShare, where, "a share of the picture is ", numbers[i]);
  object.label = static_cast<std::int64_t>(numbers[0]);
  const auto width = static_cast<double>(picture.width),
             height = static_cast<double>(picture.height);
  object.box = {(numbers[1] - numbers[3] / 2) * width, (numbers[2] - numbers[4] / 2) * height,
                (numbers[1] + numbers[3] / 2) * width, (numbers[2] + numbers[4] / 2) * height};
  return object;
}

void read_labels(const fs::path& file, std::size_t classes, DetectionPicture& picture) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  std::size_t number = 0;
  for (const std::string& line : read_lines(file)) {
    ++number;
    if (line.empty()) continue;
    picture.objects.push_back(
        object_of(line, picture, classes, text_from(file.string(), ": line ", number, ": ")));
  }
}

}  // namespace

struct YoloDetection::List {
  ImageColour colour = ImageColour::rgb;
  std::vector<std::string> classes;
  std::vector<DetectionPicture> pictures;
  std::vector<BadFile> skipped;
};

YoloDetection::YoloDetection(const fs::path& root, const std::string& split,
                             const YoloOptions& options) {
  auto list = std::make_shared<List>();
  list->colour = options.colour;
  list->classes = read_classes(root / "classes.txt");
  const fs::path labels = root / "labels" / split;
  for (const auto& [id, path] : images_by_name(root / "images" / split))
    list->pictures.push_back({.path = path, .id = id});
  require(!list->pictures.empty(), (root / "images" / split).string(), ": has no pictures");
  list->skipped = check_items(
      list->pictures, options.bad_files,
      [](const DetectionPicture& picture) { return picture.path.string(); },
      [&](DetectionPicture& picture) {
        const Tensor image = read_image(picture.path, list->colour);
        picture.height = image.dim(0);
        picture.width = image.dim(1);
        read_labels(labels / (picture.id + ".txt"), list->classes.size(), picture);
        clip_objects(picture);
      });
  list_ = std::move(list);
}

std::int64_t YoloDetection::size() const {
  return static_cast<std::int64_t>(list_->pictures.size());
}

DetectionSample YoloDetection::at(std::int64_t i, const Rng&) const {
  return read_sample(item_at("YoloDetection: picture", list_->pictures, i), list_->colour, false);
}

const std::vector<std::string>& YoloDetection::classes() const& { return list_->classes; }
const std::string& YoloDetection::id(std::int64_t i) const& {
  return item_at("YoloDetection: picture", list_->pictures, i).id;
}
std::int64_t YoloDetection::objects() const { return objects_in(list_->pictures); }
std::int64_t YoloDetection::dropped() const { return dropped_in(list_->pictures); }
const std::vector<BadFile>& YoloDetection::skipped() const& { return list_->skipped; }

}  // namespace pliant
