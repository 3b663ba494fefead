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
#include <pliant/data/bad_files.h>
#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant {

struct ImageFolders;

// A Dataset of LabelledImage. Files are read as they are asked for; copies are handles to one list.
class ImageFolder {
 public:
  // Classes are the folders in `root` by name, class 0 the first; their files, also those in deeper
  // folders, those that end in .png, .jpg, .jpeg, .bmp, .pgm or .ppm, whatever their case, by name.
  // What begins with a dot is passed over. No class, and a class without a file, are Errors.
  explicit ImageFolder(const std::filesystem::path& root, ImageColour colour = ImageColour::rgb,
                       BadFiles bad_files = BadFiles::stop);

  std::int64_t size() const { return static_cast<std::int64_t>(list_->files.size()); }
  // uint8 [H W C], of the file's own size. A file that cannot be read is an Error that names it.
  LabelledImage at(std::int64_t i, const Rng& rng = Rng(0)) const;

  // Holds out the share `val` of each class, drawn at random, rounded to whole images but neither
  // none nor all of a class of two or more; both halves in the order of the set. A pure function of
  // its arguments. An Error unless 0 < val < 1.
  ImageFolders split(double val, const Rng& rng) const;

  const std::vector<std::string>& classes() const& { return list_->classes; }
  const std::filesystem::path& path(std::int64_t i) const& { return file(i).path; }
  std::int64_t label(std::int64_t i) const { return file(i).label; }
  const std::vector<BadFile>& skipped() const& { return list_->skipped; }  // files left out

 private:
  struct File {
    std::filesystem::path path;
    std::int64_t label;
  };
  struct List {
    std::vector<std::string> classes;
    std::vector<File> files;
    std::vector<BadFile> skipped;
  };
  const File& file(std::int64_t i) const;
  ImageFolder(std::shared_ptr<const List> list, ImageColour colour)
      : list_(std::move(list)), colour_(colour) {}

  std::shared_ptr<const List> list_;
  ImageColour colour_;
};

// To learn from, and to choose by.
struct ImageFolders {
  ImageFolder train, val;
};

struct IdenticalFiles {
  std::filesystem::path first, second;
};

// The files of two sets that have the same bytes under two names or one, every pair of a file of
// `a` and one of `b`, in the order of `a`: what was learned by heart would count as understood.
std::vector<IdenticalFiles> identical_files(const ImageFolder& a, const ImageFolder& b);

}  // namespace pliant
