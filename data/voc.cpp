#include <pliant/data/voc.h>

#include <algorithm>
#include <map>
#include <system_error>

#include <pliant/data/internal/checked.h>
#include <pliant/data/internal/detection.h>
#include <pliant/data/internal/files.h>
#include <pliant/data/internal/segmentation.h>
#include <pliant/data/internal/voc_xml.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

// The pictures that a split names, by name; no file is read yet.
struct Names {
  fs::path list;
  std::vector<std::string> ids;
  std::map<std::string, fs::path> files;

  const fs::path& file_of(const std::string& id) const { return find(files, id, "JPEGImages"); }
  const fs::path& find(const std::map<std::string, fs::path>& among, const std::string& id,
                       const char* folder) const {
    const auto found = among.find(id);
    require(found != among.end(), list.string(), ": names ", id, ", which is no picture in ",
            folder);
    return found->second;
  }
};

// In the list of a class a mark follows: 1, 0 (difficult) or -1.
std::string without_mark(const std::string& line) {
  const std::size_t end = line.find_last_of(" \t");
  if (end == std::string::npos) return line;
  const std::string mark = line.substr(end + 1);
  if (mark != "1" && mark != "0" && mark != "-1") return line;
  return std::string(trimmed(std::string_view(line).substr(0, end)));
}

Names read_names(const fs::path& root, const char* task, const std::string& split) {
  Names names;
  names.list = root / "ImageSets" / task / (split + ".txt");
  names.files = images_by_name(root / "JPEGImages");
  for (std::string& line : read_lines(names.list))
    if (!line.empty())
      names.ids.push_back(names.files.count(line) > 0 ? std::move(line) : without_mark(line));
  require(!names.ids.empty(), names.list.string(), ": names no pictures");
  return names;
}

std::vector<std::string> classes_of(const fs::path& root, std::vector<std::string> otherwise) {
  std::error_code ignored;
  const fs::path file = root / "classes.txt";
  return fs::exists(file, ignored) ? read_classes(file) : std::move(otherwise);
}

}  // namespace

std::vector<std::string> voc_classes() {
  return {"aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",      "car",
          "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",    "motorbike",
          "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};
}

struct VocDetection::List {
  ImageColour colour = ImageColour::rgb;
  std::vector<std::string> classes;
  std::vector<DetectionPicture> pictures;
  std::vector<BadFile> skipped;
};

VocDetection::VocDetection(const fs::path& root, const std::string& split,
                           const VocOptions& options) {
  auto list = std::make_shared<List>();
  list->colour = options.colour;
  list->classes = classes_of(root, voc_classes());
  const Names names = read_names(root, "Main", split);
  for (const std::string& id : names.ids) list->pictures.push_back({.id = id});
  list->skipped = check_items(
      list->pictures, options.bad_files, [](const DetectionPicture& one) { return one.id; },
      [&](DetectionPicture& one) {
        const std::string id = one.id;
        const fs::path& file = names.file_of(id);
        one = read_voc_xml(root / "Annotations" / (id + ".xml"), list->classes);
        one.id = id;
        one.path = file;
        if (one.height == 0) {
          const Tensor image = read_image(file, list->colour);
          one.height = image.dim(0);
          one.width = image.dim(1);
        }
        clip_objects(one);
        if (options.bad_files == BadFiles::skip) read_sample(one, list->colour, false);
      });
  list_ = std::move(list);
}

std::int64_t VocDetection::size() const {
  return static_cast<std::int64_t>(list_->pictures.size());
}

DetectionSample VocDetection::at(std::int64_t i, const Rng&) const {
  return read_sample(item_at("VocDetection: picture", list_->pictures, i), list_->colour, false);
}

const std::vector<std::string>& VocDetection::classes() const& { return list_->classes; }
const std::string& VocDetection::id(std::int64_t i) const& {
  return item_at("VocDetection: picture", list_->pictures, i).id;
}
std::int64_t VocDetection::objects() const { return objects_in(list_->pictures); }
std::int64_t VocDetection::dropped() const { return dropped_in(list_->pictures); }
const std::vector<BadFile>& VocDetection::skipped() const& { return list_->skipped; }

struct VocSegmentation::List {
  struct Item {
    std::string id;
    fs::path image, mask;
  };

  SegmentationSample read(const Item& item) const;

  ImageColour colour = ImageColour::rgb;
  std::vector<std::string> classes;
  std::vector<Item> items;
  std::vector<BadFile> skipped;
};

SegmentationSample VocSegmentation::List::read(const Item& item) const {
  SegmentationSample sample{read_image(item.image, colour), read_mask(item.mask), item.id};
  check_mask(sample, item.mask.string(), classes.size());
  return sample;
}

VocSegmentation::VocSegmentation(const fs::path& root, const std::string& split,
                                 const VocOptions& options) {
  auto list = std::make_shared<List>();
  list->colour = options.colour;
  std::vector<std::string> own = voc_classes();
  own.insert(own.begin(), "background");
  list->classes = classes_of(root, std::move(own));
  const Names names = read_names(root, "Segmentation", split);
  const std::map<std::string, fs::path> masks = images_by_name(root / "SegmentationClass");
  for (const std::string& id : names.ids) list->items.push_back({id, {}, {}});
  list->skipped = check_items(
      list->items, options.bad_files, [](const List::Item& item) { return item.id; },
      [&](List::Item& item) {
        item.image = names.file_of(item.id);
        item.mask = names.find(masks, item.id, "SegmentationClass");
        if (options.bad_files == BadFiles::skip) static_cast<void>(list->read(item));
      });
  list_ = std::move(list);
}

std::int64_t VocSegmentation::size() const {
  return static_cast<std::int64_t>(list_->items.size());
}

SegmentationSample VocSegmentation::at(std::int64_t i, const Rng&) const {
  return list_->read(item_at("VocSegmentation: picture", list_->items, i));
}

const std::vector<std::string>& VocSegmentation::classes() const& { return list_->classes; }
const std::string& VocSegmentation::id(std::int64_t i) const& {
  return item_at("VocSegmentation: picture", list_->items, i).id;
}
const std::vector<BadFile>& VocSegmentation::skipped() const& { return list_->skipped; }

}  // namespace pliant
