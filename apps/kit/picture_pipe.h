// PicturePipe: pictures one behind the other in a stream, as `ffmpeg -f image2pipe` writes them.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant::kit {

// PNG, JPEG, and binary PGM and PPM, in any mixture. Only the picture that is read is in memory.
class PicturePipe {
 public:
  // `name`: of the stream in Errors ("standard input").
  PicturePipe(std::istream& stream, std::string name);

  // uint8 [H W 3]; nothing at the end of the stream. A picture that ends in its middle or cannot be
  // decoded, and bytes that begin none, are an Error of one line that gives the picture's number.
  std::optional<Tensor> next();

 private:
  // Each takes bytes in, behind those that there are.
  std::uint8_t take();
  void take(std::size_t count);
  void take_png();
  void take_jpeg();
  std::uint8_t take_jpeg_scan();  // gives the code of the marker that ends it
  void take_pnm();
  std::size_t number_here(std::size_t digits) const;  // of the last bytes
  std::string here() const;                           // "standard input, picture 3"

  std::istream& stream_;
  std::string name_;
  std::int64_t count_ = 0;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace pliant::kit
