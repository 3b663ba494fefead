#include <pliant/data/mask_folder.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <system_error>
#include <unordered_map>

#include <pliant/data/internal/checked.h>
#include <pliant/data/internal/files.h>
#include <pliant/data/internal/segmentation.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;
using Colour = Palette::value_type;

constexpr std::size_t kMostNames = 255;  // labels of a byte, without 255

std::uint32_t packed(const std::uint8_t* colour) {
  return std::uint32_t{colour[0]} << 16 | std::uint32_t{colour[1]} << 8 | colour[2];
}

bool is_void(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name == "void";
}

MaskClasses read_colours(const fs::path& file) {
  MaskClasses classes;
  std::map<std::uint32_t, std::string> seen;
  for (const std::string& line : read_lines(file)) {
    if (line.empty()) continue;
    std::istringstream words(line);
    int red = -1, green = -1, blue = -1;
    words >> red >> green >> blue;
    std::string name;
    std::getline(words >> std::ws, name);
    const auto is_byte = [](int value) { return value >= 0 && value <= 255; };
    require(is_byte(red) && is_byte(green) && is_byte(blue) && !name.empty(), file.string(), ": '",
            line, "' is no colour of a class, expected as in: 128 64 128 road");
    const Colour colour = {static_cast<std::uint8_t>(red), static_cast<std::uint8_t>(green),
                           static_cast<std::uint8_t>(blue)};
    const auto [at, is_new] = seen.emplace(packed(colour.data()), name);
    require(is_new, file.string(), ": ", at->second, " and ", name, " have the colour ", red, ' ',
            green, ' ', blue);
    if (is_void(name)) {
      classes.ignored.push_back(colour);
      continue;
    }
    require(std::find(classes.names.begin(), classes.names.end(), name) == classes.names.end(),
            file.string(), ": has the class '", name, "' twice");
    classes.names.push_back(name);
    classes.colours.push_back(colour);
  }
  return classes;
}

}  // namespace

MaskClasses read_mask_classes(const fs::path& folder) {
  std::error_code ignored;
  MaskClasses classes;
  const auto found = [&](const char* name) { return fs::exists(folder / name, ignored); };
  if (found("colours.txt"))
    classes = read_colours(folder / "colours.txt");
  else if (found("label_colors.txt"))
    classes = read_colours(folder / "label_colors.txt");
  else if (found("classes.txt"))
    classes.names = read_classes(folder / "classes.txt");
  else
    fail(folder.string(), ": has neither colours.txt nor classes.txt, which says what masks mean");
  require(!classes.names.empty() && classes.names.size() <= kMostNames, folder.string(), ": ",
          classes.names.size(), " classes of masks, expected 1 to ", kMostNames);
  return classes;
}

struct MaskFolder::List {
  struct Item {
    std::string id;
    fs::path image, mask;
  };

  SegmentationSample read(const Item& item) const;
  Tensor labels_of(const fs::path& mask) const;

  MaskClasses classes;
  std::unordered_map<std::uint32_t, std::uint8_t> labels = {};  // by colour
  std::vector<Item> items = {};
  std::vector<BadFile> skipped = {};
};

// Of a mask of colours.
Tensor MaskFolder::List::labels_of(const fs::path& mask) const {
  const Tensor colours = read_image(mask, ImageColour::rgb);
  const std::int64_t width = colours.dim(1);
  Tensor found = Tensor::empty({colours.dim(0), width}, DType::uint8);
  const std::uint8_t* colour = colours.data<std::uint8_t>();
  std::uint8_t* const to = found.mutable_data<std::uint8_t>();
  auto last = labels.end();
  for (std::int64_t i = 0; i < found.size(); ++i, colour += 3) {
    if (last == labels.end() || last->first != packed(colour)) last = labels.find(packed(colour));
    require(last != labels.end(), mask.string(), ": the pixel in row ", i / width, ", column ",
            i % width, " has the colour ", int{colour[0]}, ' ', int{colour[1]}, ' ', int{colour[2]},
            ", which is none of the ", labels.size(), " listed");
    to[i] = last->second;
  }
  return found;
}

SegmentationSample MaskFolder::List::read(const Item& item) const {
  SegmentationSample sample{read_image(item.image, ImageColour::rgb),
                            labels.empty() ? read_mask(item.mask) : labels_of(item.mask), item.id};
  check_mask(sample, item.mask.string(), classes.names.size());
  return sample;
}

MaskFolder::MaskFolder(const fs::path& root, const MaskClasses& classes, BadFiles bad_files) {
  for (const char* const part : {"images", "masks"})
    require(is_folder(root / part), root.string(), ": has no folder ", part,
            ", expected images and masks");
  require(classes.colours.empty() || classes.colours.size() == classes.names.size(),
          "MaskFolder: ", classes.colours.size(), " colours of ", classes.names.size(), " classes");
  auto list = std::make_shared<List>();
  list->classes = classes;
  for (std::size_t i = 0; i < classes.colours.size(); ++i)
    list->labels[packed(classes.colours[i].data())] = static_cast<std::uint8_t>(i);
  for (const Colour& colour : classes.ignored) list->labels[packed(colour.data())] = kVoidLabel;
  const std::map<std::string, fs::path> masks = images_by_name(root / "masks");
  for (const auto& [id, image] : images_by_name(root / "images"))
    list->items.push_back({id, image, {}});
  require(!list->items.empty(), (root / "images").string(), ": has no pictures");
  list->skipped = check_items(
      list->items, bad_files, [](const List::Item& item) { return item.image.string(); },
      [&](List::Item& item) {
        const auto mask = masks.find(item.id);
        require(mask != masks.end(), item.image.string(), ": has no mask of its name in ",
                (root / "masks").string());
        item.mask = mask->second;
        if (bad_files == BadFiles::skip) static_cast<void>(list->read(item));
      });
  list_ = std::move(list);
}

std::int64_t MaskFolder::size() const { return static_cast<std::int64_t>(list_->items.size()); }

SegmentationSample MaskFolder::at(std::int64_t i, const Rng&) const {
  return list_->read(item_at("MaskFolder: picture", list_->items, i));
}

const MaskClasses& MaskFolder::classes() const& { return list_->classes; }
const std::string& MaskFolder::id(std::int64_t i) const& {
  return item_at("MaskFolder: picture", list_->items, i).id;
}
const std::vector<BadFile>& MaskFolder::skipped() const& { return list_->skipped; }

}  // namespace pliant
