#include <pliant/data/internal/coco_json.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include <pliant/data/internal/files.h>
#include <pliant/data/internal/image_decoders.h>
#include <pliant/data/rle.h>

namespace pliant {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{1} << 31;

// An entry of one of the file's lists, and the ways to its fields.
class Entry {
 public:
  Entry(const std::string& file, const char* list, std::size_t index, const Json& json)
      : file_(file), list_(list), index_(index), json_(json) {
    check(json.is_object(), "is no object");
  }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, file_, ": ", list_, '[', index_, "]: ", parts...);
  }
  // Null where there is none.
  const Json* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  const Json& field(const char* name) const {
    const Json* const found = find(name);
    check(found != nullptr, "has no \"", name, '"');
    return *found;
  }
  std::int64_t integer(const char* name) const {
    const Json& value = field(name);
    check(value.is_number_integer(), '"', name, "\" is no whole number");
    check(!value.is_number_unsigned() || value.get<std::uint64_t>() <= kLargest, '"', name,
          "\" is too large");
    return value.get<std::int64_t>();
  }
  std::string text(const char* name) const {
    const Json& value = field(name);
    check(value.is_string(), '"', name, "\" is no text");
    return value.get<std::string>();
  }
  std::vector<double> numbers(const Json& list, const char* name) const {
    check(list.is_array(), '"', name, "\" is no list of numbers");
    std::vector<double> numbers;
    numbers.reserve(list.size());
    for (const Json& value : list) {
      check(value.is_number() && std::abs(value.get<double>()) <= kFarthest, '"', name,
            "\" is no list of numbers of pixels");
      numbers.push_back(value.get<double>());
    }
    return numbers;
  }

 private:
  static constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

  const std::string& file_;
  const char* list_;
  std::size_t index_;
  const Json& json_;
};

template <class F>
void for_each_entry(const std::string& file, const Json& document, const char* list, const F& f) {
  const auto found = document.find(list);
  require(found != document.end() && found->is_array(), file, ": has no list \"", list,
          "\", expected COCO's JSON");
  std::size_t index = 0;
  for (const Json& entry : *found) f(Entry(file, list, index++, entry));
}

void read_categories(const std::string& file, const Json& document, CocoFile& coco) {
  std::map<std::int64_t, std::string> names;
  for_each_entry(file, document, "categories", [&](const Entry& entry) {
    entry.check(names.emplace(entry.integer("id"), entry.text("name")).second, "repeats an id");
  });
  require(!names.empty(), file, ": lists no categories");
  for (auto& [id, name] : names) {
    coco.categories.push_back(id);
    coco.classes.push_back(std::move(name));
  }
}

// The places of the images by their ids.
std::map<std::int64_t, std::size_t> read_images(const std::string& file, const Json& document,
                                                CocoFile& coco) {
  std::map<std::int64_t, std::size_t> places;
  for_each_entry(file, document, "images", [&](const Entry& entry) {
    DetectionPicture picture;
    const std::int64_t id = entry.integer("id");
    entry.check(places.emplace(id, coco.pictures.size()).second, "repeats the id ", id);
    picture.id = std::to_string(id);
    picture.path = entry.text("file_name");
    entry.check(!picture.path.empty(), "\"file_name\" is empty");
    picture.height = entry.integer("height");
    picture.width = entry.integer("width");
    check_image_size(file, picture.width, picture.height);
    coco.pictures.push_back(std::move(picture));
  });
  return places;
}

std::vector<Polygon> polygons_of(const Entry& entry, const Json& segmentation) {
  std::vector<Polygon> polygons;
  for (const Json& list : segmentation) {
    const std::vector<double> numbers = entry.numbers(list, "segmentation");
    entry.check(numbers.size() >= 6 && numbers.size() % 2 == 0, "a polygon of ", numbers.size(),
                " numbers, expected x and y of three corners or more");
    Polygon& polygon = polygons.emplace_back();
    for (std::size_t i = 0; i < numbers.size(); i += 2)
      polygon.push_back({numbers[i], numbers[i + 1]});
  }
  return polygons;
}

std::vector<std::int64_t> runs_of(const Entry& entry, const Json& segmentation,
                                  const DetectionPicture& picture) {
  const auto counts = segmentation.find("counts"), size = segmentation.find("size");
  entry.check(counts != segmentation.end() && size != segmentation.end(),
              "\"segmentation\" has no \"counts\" or no \"size\"");
  const std::vector<double> extents = entry.numbers(*size, "size");
  entry.check(extents.size() == 2 && extents[0] == static_cast<double>(picture.height) &&
                  extents[1] == static_cast<double>(picture.width),
              "its mask is of another size than its picture, ", picture.width, " x ",
              picture.height);
  std::vector<std::int64_t> runs;
  if (counts->is_string()) {
    try {
      runs = rle_runs(counts->get_ref<const std::string&>());
    } catch (const Error& error) {
      entry.check(false, error.what());
    }
  } else {
    for (const double run : entry.numbers(*counts, "counts")) {
      entry.check(run >= 0 && run == std::floor(run), "a run of ", run, " pixels");
      runs.push_back(static_cast<std::int64_t>(run));
    }
  }
  const std::int64_t sum = std::accumulate(runs.begin(), runs.end(), std::int64_t{0});
  entry.check(sum == picture.height * picture.width, "its mask has ", sum, " pixels, its picture ",
              picture.height * picture.width);
  return runs;
}

DetectionObject read_object(const Entry& entry, const CocoFile& coco,
                            const DetectionPicture& picture) {
  DetectionObject object;
  const std::int64_t category = entry.integer("category_id");
  const auto found = std::lower_bound(coco.categories.begin(), coco.categories.end(), category);
  entry.check(found != coco.categories.end() && *found == category, "its category ", category,
              " is none of the ", coco.categories.size(), " that are listed");
  object.label = found - coco.categories.begin();
  const std::vector<double> box = entry.numbers(entry.field("bbox"), "bbox");
  entry.check(box.size() == 4, "\"bbox\" has ", box.size(), " numbers, expected 4");
  object.box = {box[0], box[1], box[0] + box[2], box[1] + box[3]};
  if (entry.find("iscrowd") != nullptr) {
    const std::int64_t crowd = entry.integer("iscrowd");
    entry.check(crowd == 0 || crowd == 1, "\"iscrowd\" is ", crowd, ", expected 0 or 1");
    object.crowd = crowd == 1;
  }
  if (const Json* const area = entry.find("area")) {
    entry.check(area->is_number() && area->get<double>() >= 0, "\"area\" is no number of pixels");
    object.area = area->get<double>();
  }
  if (const Json* const outline = entry.find("segmentation")) {
    entry.check(outline->is_array() || outline->is_object(),
                "\"segmentation\" is neither polygons nor runs");
    if (outline->is_array())
      object.polygons = polygons_of(entry, *outline);
    else
      object.runs = runs_of(entry, *outline, picture);
  }
  return object;
}

}  // namespace

CocoFile read_coco_json(const std::filesystem::path& path) {
  const std::string file = path.string();
  Json document;
  {
    const std::vector<std::uint8_t> bytes = read_bytes(path, kMostBytes, "annotations");
    try {
      document = Json::parse(bytes.begin(), bytes.end());
    } catch (const Json::exception& error) {
      fail(file, ": the JSON cannot be read: ", printable(error.what(), 200));
    }
  }
  require(document.is_object(), file, ": is no JSON object, expected COCO's JSON");
  CocoFile coco;
  read_categories(file, document, coco);
  const std::map<std::int64_t, std::size_t> places = read_images(file, document, coco);
  for_each_entry(file, document, "annotations", [&](const Entry& entry) {
    const std::int64_t image = entry.integer("image_id");
    const auto found = places.find(image);
    entry.check(found != places.end(), "its image ", image, " is not listed");
    DetectionPicture& picture = coco.pictures[found->second];
    picture.objects.push_back(read_object(entry, coco, picture));
  });
  for (DetectionPicture& picture : coco.pictures) clip_objects(picture);
  return coco;
}

}  // namespace pliant
