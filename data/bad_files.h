// What a set does with files that it cannot read.
#pragma once

#include <string>

namespace pliant {

// stop: an Error names the file, where it is met. skip: all files are read once as the set is
// opened, on all threads, and bad ones left out; a set of bad files alone is an Error.
enum class BadFiles : unsigned char { stop, skip };

// A file that was left out.
struct BadFile {
  std::string name;    // of the file or, in lists of pictures, of the picture
  std::string reason;  // the line that an Error would have been
};

}  // namespace pliant
