// ImageFolder: a folder of classes, each a folder of images, as torchvision's ImageFolder has it.
//
//   root/cat/1.jpg  root/cat/more/2.png  root/dog/1.jpg
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/data/image_file.h>
#include <pliant/data/images.h>

namespace pliant {

struct LabelledImage {
  Tensor image;  // [H W C], uint8 (0..255) or float32 (0..1)
  std::int64_t label = 0;
};

// A Dataset of LabelledImage. Files are read as they are asked for; copies are handles to one list.
class ImageFolder {
 public:
  // Classes are the folders in `root` by name, class 0 the first; their files, also those in deeper
  // folders, those that end in .png, .jpg, .jpeg, .bmp, .pgm or .ppm, whatever their case, by name.
  // What begins with a dot is passed over. No class, and a class without a file, are Errors.
  explicit ImageFolder(const std::filesystem::path& root, ImageColour colour = ImageColour::rgb);

  std::int64_t size() const { return static_cast<std::int64_t>(list_->files.size()); }
  // uint8 [H W C], of the file's own size. A file that cannot be read is an Error that names it.
  LabelledImage at(std::int64_t i, const Rng& rng = Rng(0)) const;

  const std::vector<std::string>& classes() const& { return list_->classes; }
  const std::filesystem::path& path(std::int64_t i) const& { return file(i).path; }
  std::int64_t label(std::int64_t i) const { return file(i).label; }

 private:
  struct File {
    std::filesystem::path path;
    std::int64_t label;
  };
  struct List {
    std::vector<std::string> classes;
    std::vector<File> files;
  };
  const File& file(std::int64_t i) const;

  std::shared_ptr<const List> list_;
  ImageColour colour_;
};

// Images of one size and type as a batch, for a Loader; others are an Error.
LabelledImages stack_images(const std::vector<LabelledImage>& images);

}  // namespace pliant
