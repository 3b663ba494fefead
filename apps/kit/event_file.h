// EventFile: the figures of a training as TensorBoard reads them: tensorboard --logdir FOLDER.
//
// A file of records (TFRecord), each a serialised Event of tensorflow/core/util/event.proto with a
// Summary of summary.proto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <pliant/core/tensor.h>

namespace pliant::kit {

class EventFile {
 public:
  // A file of its own in `folder`, which is made; several starts of one training are one run there.
  explicit EventFile(const std::filesystem::path& folder);

  const std::filesystem::path& path() const& { return path_; }

  // What cannot be written (a full disk) is told once on standard error: a training goes on.
  void scalar(std::string_view tag, double value, std::int64_t step);
  // uint8 [H W C] of 1, 3 or 4 channels.
  void image(std::string_view tag, const Tensor& image, std::int64_t step);

 private:
  void summarise(std::string_view tag, const std::string& what, std::int64_t step);
  void write(const std::string& event);

  std::filesystem::path path_;
  std::ofstream file_;
  bool told_ = false;
};

// CRC-32C (Castagnoli's polynomial), the checksum of TFRecords.
std::uint32_t crc32c_of(std::string_view bytes);

}  // namespace pliant::kit
