#include <pliant/data/image_folder.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <system_error>

namespace pliant {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_image(const fs::path& path) {
  static constexpr std::array kEndings = {".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm"};
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

// What lies in a folder, by name; links are followed.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (!is_hidden(at->path())) found.push_back(at->path());
  require(!error, folder.string(), ": the folder cannot be read: ", error.message());
  std::sort(found.begin(), found.end());
  return found;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
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

ImageFolder::ImageFolder(const fs::path& root, ImageColour colour) : colour_(colour) {
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
  list_ = std::move(list);
}

const ImageFolder::File& ImageFolder::file(std::int64_t i) const {
  require(i >= 0 && i < size(), "ImageFolder: image ", i, " of ", size());
  return list_->files[static_cast<std::size_t>(i)];
}

LabelledImage ImageFolder::at(std::int64_t i, const Rng&) const {
  return {read_image(file(i).path, colour_), file(i).label};
}

LabelledImages stack_images(const std::vector<LabelledImage>& images) {
  require(!images.empty(), "stack_images: no images");
  const Tensor& first = images.front().image;
  require(first.defined() && first.rank() == 3 && first.device().is_cpu(),
          "stack_images: expected images [H W C] on the cpu, got ", first);
  const auto count = static_cast<std::int64_t>(images.size());
  LabelledImages batch{
      Tensor::empty({count, first.dim(0), first.dim(1), first.dim(2)}, first.dtype()),
      Tensor::empty({count}, DType::int64)};
  auto* to = static_cast<std::byte*>(batch.images.mutable_raw());
  std::int64_t* labels = batch.labels.mutable_data<std::int64_t>();
  for (const LabelledImage& one : images) {
    const Tensor& image = one.image;
    require(image.defined() && image.shape() == first.shape() && image.dtype() == first.dtype() &&
                image.device().is_cpu(),
            "stack_images: an image ", image, " among others ", first.dtype(), ' ', first.shape(),
            "; bring them to one size first");
    if (image.bytes() > 0) std::memcpy(to, image.raw(), static_cast<std::size_t>(image.bytes()));
    to += image.bytes();
    *labels++ = one.label;
  }
  return batch;
}

}  // namespace pliant
