#include <pliant/data/coco.h>

#include <system_error>

#include <pliant/data/internal/checked.h>
#include <pliant/data/internal/coco_json.h>
#include <pliant/data/internal/detection.h>

namespace pliant {

namespace fs = std::filesystem;

struct CocoDetection::List {
  CocoOptions options;
  CocoFile file;
  std::vector<BadFile> skipped;
};

CocoDetection::CocoDetection(const fs::path& images, const fs::path& annotations,
                             const CocoOptions& options) {
  auto list = std::make_shared<List>();
  list->options = options;
  list->file = read_coco_json(annotations);
  list->skipped = check_items(
      list->file.pictures, options.bad_files,
      [](const DetectionPicture& picture) { return picture.path.string(); },
      [&](DetectionPicture& picture) {
        picture.path = images / picture.path;
        std::error_code ignored;
        require(fs::exists(picture.path, ignored), picture.path.string(),
                ": there is no such picture, but ", annotations.string(), " lists it");
        if (options.bad_files == BadFiles::skip) read_sample(picture, options.colour, false);
      });
  list_ = std::move(list);
}

std::int64_t CocoDetection::size() const {
  return static_cast<std::int64_t>(list_->file.pictures.size());
}

DetectionSample CocoDetection::at(std::int64_t i, const Rng&) const {
  return read_sample(item_at("CocoDetection: picture", list_->file.pictures, i),
                     list_->options.colour, list_->options.masks);
}

const std::vector<std::string>& CocoDetection::classes() const& { return list_->file.classes; }
std::int64_t CocoDetection::category(std::int64_t label) const {
  const auto& ids = list_->file.categories;
  require(label >= 0 && label < static_cast<std::int64_t>(ids.size()), "CocoDetection: label ",
          label, " of ", ids.size());
  return ids[static_cast<std::size_t>(label)];
}
const std::string& CocoDetection::id(std::int64_t i) const& {
  return item_at("CocoDetection: picture", list_->file.pictures, i).id;
}
std::int64_t CocoDetection::objects() const { return objects_in(list_->file.pictures); }
std::int64_t CocoDetection::dropped() const { return dropped_in(list_->file.pictures); }
const std::vector<BadFile>& CocoDetection::skipped() const& { return list_->skipped; }

}  // namespace pliant
