#include <pliant/data/internal/voc_xml.h>

#ifdef PLIANT_WITH_XML
#include <pugixml.hpp>

#include <algorithm>
#include <cmath>

#include <pliant/data/internal/files.h>
#include <pliant/data/internal/image_decoders.h>
#endif

namespace pliant {

#ifdef PLIANT_WITH_XML

namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

// What errors are about: a part of a file.
struct Place {
  const std::string& file;
  std::int64_t object = 0;  // from 1; 0: none

  template <class... Parts>
  [[noreturn]] void fail_here(const Parts&... parts) const {
    if (object == 0) fail(file, ": ", parts...);
    fail(file, ": object ", object, ": ", parts...);
  }
};

double number(const pugi::xml_node& parent, const char* name, const Place& place) {
  const pugi::xml_node node = parent.child(name);
  if (!node) place.fail_here("<", parent.name(), "> has no <", name, ">");
  const std::optional<double> value = number_in(node.child_value());
  if (!value || !(std::abs(*value) <= kFarthest))
    place.fail_here("<", name, "> is \"", printable(node.child_value(), 40),
                    "\", expected a number of pixels");
  return *value;
}

bool flag(const pugi::xml_node& parent, const char* name, const Place& place) {
  const std::string_view text = trimmed(parent.child(name).child_value());
  if (text != "" && text != "0" && text != "1")
    place.fail_here("<", name, "> is \"", printable(text, 40), "\", expected 0 or 1");
  return text == "1";
}

std::int64_t class_of(const pugi::xml_node& object, std::span<const std::string> classes,
                      const Place& place) {
  const std::string_view name = trimmed(object.child_value("name"));
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found == classes.end())
    place.fail_here("its class \"", printable(name, 40), "\" is none of the ", classes.size(), " (",
                    printable(classes.front(), 40), ", ..)");
  return found - classes.begin();
}

void read_size(const pugi::xml_node& annotation, const Place& place, DetectionPicture& picture) {
  const pugi::xml_node size = annotation.child("size");
  if (!size) return;
  const double width = number(size, "width", place), height = number(size, "height", place);
  if (width == 0 && height == 0) return;  // as some programs write
  if (width != std::floor(width) || height != std::floor(height))
    place.fail_here("<size> is ", width, " x ", height, ", expected whole pixels");
  picture.width = static_cast<std::int64_t>(width);
  picture.height = static_cast<std::int64_t>(height);
  check_image_size(place.file, picture.width, picture.height);
}

DetectionObject read_object(const pugi::xml_node& node, std::span<const std::string> classes,
                            const Place& place) {
  DetectionObject object;
  object.label = class_of(node, classes, place);
  const pugi::xml_node box = node.child("bndbox");
  if (!box) place.fail_here("has no <bndbox>");
  object.box = {number(box, "xmin", place) - 1, number(box, "ymin", place) - 1,
                number(box, "xmax", place), number(box, "ymax", place)};
  object.difficult = flag(node, "difficult", place);
  return object;
}

}  // namespace

DetectionPicture read_voc_xml(const std::filesystem::path& path,
                              std::span<const std::string> classes) {
  const std::string name = path.string();
  const std::vector<std::uint8_t> bytes = read_bytes(path, kMostBytes, "an annotation");
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(bytes.data(), bytes.size());
  require(parsed, name, ": the XML cannot be read: ", parsed.description(), " at byte ",
          parsed.offset);
  const pugi::xml_node annotation = document.child("annotation");
  require(!annotation.empty(), name, ": has no <annotation>, expected PASCAL VOC's XML");
  DetectionPicture picture;
  Place place{name};
  read_size(annotation, place, picture);
  for (const pugi::xml_node& object : annotation.children("object")) {
    ++place.object;
    picture.objects.push_back(read_object(object, classes, place));
  }
  return picture;
}

#else

DetectionPicture read_voc_xml(const std::filesystem::path& path, std::span<const std::string>) {
  fail(path.string(), ": is an XML file, which this build does not read (pugixml was not there)");
}

#endif

}  // namespace pliant
