#include <pliant/data/image_folder.h>

#include <compare>
#include <map>

#include <pliant/core/crc32.h>
#include <pliant/data/internal/checked.h>
#include <pliant/data/internal/files.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

// Files of other sizes or checksums have other bytes.
struct Mark {
  std::size_t size;
  std::uint32_t checksum;
  auto operator<=>(const Mark&) const = default;
};

constexpr std::size_t kMostBytes = std::size_t{1} << 29;

Mark mark_of(const fs::path& path) {
  const std::vector<std::uint8_t> bytes = read_bytes(path, kMostBytes, "an image");
  return {bytes.size(), crc32_of(bytes.data(), bytes.size())};
}

bool has_same_bytes(const fs::path& a, const fs::path& b) {
  return read_bytes(a, kMostBytes, "an image") == read_bytes(b, kMostBytes, "an image");
}

constexpr int kDeepest = 32;  // folders in folders: links may go in a circle

void add_images(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  require(depth < kDeepest, folder.string(), ": more than ", kDeepest, " folders in one another");
  for (const fs::path& entry : entries_of(folder)) {
    if (is_folder(entry))
      add_images(entry, depth + 1, found);
    else if (is_image(entry))
      found.push_back(entry);
  }
}

}  // namespace

ImageFolder::ImageFolder(const fs::path& root, ImageColour colour, BadFiles bad_files)
    : colour_(colour) {
  require(is_folder(root), root.string(),
          ": is not a folder, expected one with a folder for each class");
  auto list = std::make_shared<List>();
  for (const fs::path& entry : entries_of(root)) {
    if (!is_folder(entry)) continue;
    std::vector<fs::path> found;
    add_images(entry, 0, found);
    require(!found.empty(), entry.string(),
            ": no images in the folder of this class (.png, .jpg, .jpeg, .bmp, .pgm, .ppm)");
    const auto label = static_cast<std::int64_t>(list->classes.size());
    list->classes.push_back(entry.filename().string());
    for (fs::path& path : found) list->files.push_back({std::move(path), label});
  }
  require(!list->classes.empty(), root.string(), ": has no folders, expected one for each class");
  if (bad_files == BadFiles::skip)
    list->skipped = check_items(
        list->files, bad_files, [](const File& file) { return file.path.string(); },
        [colour](const File& file) { read_image(file.path, colour); });
  list_ = std::move(list);
}

const ImageFolder::File& ImageFolder::file(std::int64_t i) const {
  return item_at("ImageFolder: image", list_->files, i);
}

LabelledImage ImageFolder::at(std::int64_t i, const Rng&) const {
  return {read_image(file(i).path, colour_), file(i).label};
}

ImageFolders ImageFolder::split(double val, const Rng& rng) const {
  const auto& files = list_->files;
  std::vector<std::int64_t> labels;
  labels.reserve(files.size());
  for (const File& file : files) labels.push_back(file.label);
  const std::vector<bool> is_out = held_out_of_classes(labels, val, rng);
  auto kept = std::make_shared<List>(), held_out = std::make_shared<List>();
  kept->classes = held_out->classes = classes();
  for (std::size_t i = 0; i < files.size(); ++i)
    (is_out[i] ? held_out : kept)->files.push_back(files[i]);
  return {ImageFolder(std::move(kept), colour_), ImageFolder(std::move(held_out), colour_)};
}

std::vector<IdenticalFiles> identical_files(const ImageFolder& a, const ImageFolder& b) {
  std::multimap<Mark, std::int64_t> by_mark;
  for (std::int64_t i = 0; i < b.size(); ++i) by_mark.emplace(mark_of(b.path(i)), i);
  std::vector<IdenticalFiles> found;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const auto [begin, end] = by_mark.equal_range(mark_of(a.path(i)));
    for (auto at = begin; at != end; ++at)
      if (has_same_bytes(a.path(i), b.path(at->second)))
        found.push_back({a.path(i), b.path(at->second)});
  }
  return found;
}

}  // namespace pliant
