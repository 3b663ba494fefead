#include <pliant/apps/kit/event_file.h>

#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/data/image_file.h>

namespace pliant::kit {
namespace {

double seconds_of_day() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Numbers of so many bytes, the least significant first.
std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 0xFF);
  return text;
}

// The wire format of protocol buffers.
std::string varint(std::uint64_t number) {
  std::string text;
  for (; number >= 0x80; number >>= 7) text += static_cast<char>((number & 0x7F) | 0x80);
  return text + static_cast<char>(number);
}
enum Wire : std::uint8_t { kVarint = 0, k64Bits = 1, kBytes = 2, k32Bits = 5 };
std::string field(std::uint32_t number, Wire wire, const std::string& content) {
  return varint(number << 3 | wire) + content;
}
std::string bytes_field(std::uint32_t number, std::string_view bytes) {
  return field(number, kBytes, varint(bytes.size()) + std::string(bytes));
}
std::string double_field(std::uint32_t number, double value) {
  return field(number, k64Bits, little_endian(std::bit_cast<std::uint64_t>(value), 8));
}
std::string float_field(std::uint32_t number, double value) {
  return field(number, k32Bits,
               little_endian(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4));
}

// Field numbers of the two .proto files.
constexpr std::uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;  // Event
constexpr std::uint32_t kValue = 1;                                                // Summary
constexpr std::uint32_t kTag = 1, kSimpleValue = 2, kImage = 4;                    // Summary.Value
constexpr std::uint32_t kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4;    // Summary.Image

std::string event(std::int64_t step, const std::string& what) {
  return double_field(kWallTime, seconds_of_day()) +
         field(kStep, kVarint, varint(static_cast<std::uint64_t>(step))) + what;
}

// As TFRecords have it.
std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }

std::string record(const std::string& data) {
  const std::string length = little_endian(data.size(), 8);
  return length + little_endian(masked(crc32c_of(length)), 4) + data +
         little_endian(masked(crc32c_of(data)), 4);
}

std::filesystem::path new_file(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto seconds = static_cast<std::int64_t>(seconds_of_day());
  for (int number = 0;; ++number) {
    std::filesystem::path path =
        folder / text_from("events.out.tfevents.", seconds, ".pliant.", getpid(), '.', number);
    if (!std::filesystem::exists(path)) return path;
  }
}

}  // namespace

std::uint32_t crc32c_of(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      table[i] = i;
      for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (table[i] & 1) * 0x82F63B78u;
    }
    return table;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : bytes)
    crc = crc >> 8 ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder)
    : path_(new_file(folder)), file_(path_, std::ios::binary) {
  require(file_.good(), path_.string(), ": cannot be written");
  write(event(0, bytes_field(kFileVersion, "brain.Event:2")));
}

void EventFile::scalar(std::string_view tag, double value, std::int64_t step) {
  summarise(tag, float_field(kSimpleValue, value), step);
}

void EventFile::image(std::string_view tag, const Tensor& image, std::int64_t step) {
  const std::vector<std::uint8_t> png = encode_image(image);
  const auto number = [&](std::uint32_t field_number, int axis) {
    return field(field_number, kVarint, varint(static_cast<std::uint64_t>(image.dim(axis))));
  };
  summarise(tag,
            bytes_field(kImage, number(kHeight, 0) + number(kWidth, 1) + number(kColorspace, 2) +
                                    bytes_field(kEncoded, std::string(png.begin(), png.end()))),
            step);
}

void EventFile::summarise(std::string_view tag, const std::string& what, std::int64_t step) {
  const std::string value = bytes_field(kTag, tag) + what;
  write(event(step, bytes_field(kSummary, bytes_field(kValue, value))));
}

void EventFile::write(const std::string& event) {
  file_ << record(event) << std::flush;
  if (file_.good() || told_) return;
  told_ = true;
  std::cerr << "warning: " << path_.string() << " cannot be written any more" << std::endl;
}

}  // namespace pliant::kit
