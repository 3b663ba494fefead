// JpegStream: a set of small images in one file, JPEG after JPEG, and their labels in another.
//
//   root/train-images.jpegs.gz        the files, one after the other
//   root/train-offsets-idx1-int.gz    where each begins, and where the last ends: N + 1 numbers
//   root/train-labels-idx1-ubyte.gz   N labels
//   root/classes.txt                  the names of the classes, one a line
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/image_file.h>
#include <pliant/data/samples.h>

namespace pliant {

// A Dataset of LabelledImage, decoded as they are asked for; copies are handles to one set.
class JpegStream {
 public:
  // The half `split` ("train", "test"), its files plain (without .gz) or gzip. What is missing or
  // does not agree is an Error of one line that names the file.
  JpegStream(const std::filesystem::path& root, const std::string& split,
             ImageColour colour = ImageColour::rgb);

  std::int64_t size() const;
  LabelledImage at(std::int64_t i, const Rng& rng = Rng(0)) const;
  // All of them, which must be of one size, decoded on all threads.
  LabelledImages images() const;

  const std::vector<std::string>& classes() const&;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
  ImageColour colour_;
};

}  // namespace pliant
