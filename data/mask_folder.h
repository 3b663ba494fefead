// MaskFolder: a folder of pictures beside one of masks, for segmentation.
//
//   root/images/a.jpg  root/masks/a.png
//
// What the masks mean stands in a file of names, or of colours and names:
//
//   const MaskClasses classes = read_mask_classes("root");
//   const MaskFolder set("root", classes);
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant {

struct MaskClasses {
  std::vector<std::string> names = {};
  // One for each name; none: masks hold labels (indices of a palette, or grays), not colours.
  Palette colours = {};
  Palette ignored = {};  // colours that belong to no class
};

// Of FOLDER/colours.txt, lines "red green blue name" (also label_colors.txt, as CamVid calls it),
// where "void" is a colour that belongs to no class; or else of FOLDER/classes.txt, a name a line.
// Neither, or one with a line that is none, is an Error.
MaskClasses read_mask_classes(const std::filesystem::path& folder);

// A Dataset of SegmentationSample; files are read as they are asked for; copies are handles to one
// list. A picture's mask has its name, whatever the ending. A picture without one, a mask of another
// size than its picture, with a label that is neither a class nor 255, or with a colour that is none
// of those listed, is an Error of one line that names the file, or is skipped.
class MaskFolder {
 public:
  MaskFolder(const std::filesystem::path& root, const MaskClasses& classes,
             BadFiles bad_files = BadFiles::stop);

  std::int64_t size() const;
  SegmentationSample at(std::int64_t i, const Rng& rng = Rng(0)) const;

  const MaskClasses& classes() const&;
  const std::string& id(std::int64_t i) const&;  // its name without the ending
  const std::vector<BadFile>& skipped() const&;  // pictures left out

 private:
  struct List;
  std::shared_ptr<const List> list_;
};

}  // namespace pliant
