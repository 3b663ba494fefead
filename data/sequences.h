// Sets of videos in the layouts of OTB and of VOT, for tracking.
//
//   root/bolt/00000001.jpg ..   root/bolt/groundtruth.txt         VOT; frames in bolt/color too
//   root/Bolt/img/0001.jpg ..   root/Bolt/groundtruth_rect.txt    OTB
//   root/train.txt                                                the sequences of a split
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/samples.h>

namespace pliant {

// A Dataset of Sequence. Truth is read as the set is opened, frames as they are asked for
// (Sequence::frame); copies are handles to one list.
//
// A line of truth is of a frame, numbers between commas, tabs or blanks: x y width height, or x y
// of three corners or more. x and y of a groundtruth.txt count from the picture's upper left
// corner; those of a groundtruth_rect.txt are OTB's, pixels from 1, and are lowered by 1. NaN, or a
// width or height that is not above 0, say that the target is absent, and so does a polygon
// without area. Frames after the last line have no truth and are left out, and counted. A folder
// with several truths (groundtruth_rect.1.txt ..) is a sequence for each: jogging-1, jogging-2.
//
// A truth that is missing, a line that is none of these, more lines than frames: an Error of one
// line that names the file, or the sequence is skipped.
class Sequences {
 public:
  // Those that root/`split`.txt names, one a line; without a split all folders with a truth.
  explicit Sequences(const std::filesystem::path& root, const std::string& split = "",
                     BadFiles bad_files = BadFiles::stop);

  std::int64_t size() const;
  Sequence at(std::int64_t i, const Rng& rng = Rng(0)) const;

  std::int64_t frames() const;                   // of all sequences
  std::int64_t absent() const;                   // frames without their target
  std::int64_t without_truth() const;            // frames left out
  const std::vector<BadFile>& skipped() const&;  // sequences left out

 private:
  struct List;
  std::shared_ptr<const List> list_;
};

}  // namespace pliant
