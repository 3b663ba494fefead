// A record by hand, and what a reader of the format finds in a file.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <pliant/apps/kit/event_file.h>
#include <pliant/data/image_file.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

std::uint64_t number_at(const std::string& bytes, std::size_t at, int count) {
  std::uint64_t number = 0;
  for (int i = count; i-- > 0;)
    number = number << 8 | static_cast<std::uint8_t>(bytes[at + static_cast<std::size_t>(i)]);
  return number;
}

std::uint64_t masked(std::string_view bytes) {
  const std::uint32_t crc = kit::crc32c_of(bytes);
  return static_cast<std::uint32_t>((crc >> 15 | crc << 17) + 0xA282EAD8u);
}

// The events of a file, every checksum compared.
std::vector<std::string> events_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto size = static_cast<std::size_t>(number_at(bytes, at, 8));
    CHECK(number_at(bytes, at + 8, 4) == masked(bytes.substr(at, 8)));
    events.push_back(bytes.substr(at + 12, size));
    CHECK(number_at(bytes, at + 12 + size, 4) == masked(events.back()));
    at += 16 + size;
  }
  return events;
}

}  // namespace

TEST_CASE("event file: the checksum is CRC-32C") {
  CHECK(kit::crc32c_of("123456789") == 0xE3069283u);  // RFC 3720
  CHECK(kit::crc32c_of("") == 0);
}

TEST_CASE("event file: scalars in the wire format of event.proto") {
  const TemporaryFolder folder;
  kit::EventFile file(folder.path() / "run");
  file.scalar("loss", 0.5, 300);
  const std::vector<std::string> events = events_of(file.path());
  REQUIRE(events.size() == 2);
  CHECK(contains(events[0], "brain.Event:2"));
  // After the time (tag 9, 8 bytes): step 300; a summary with one value, its tag and its float.
  const std::string after_time = events[1].substr(9);
  CHECK(after_time == std::string("\x10\xAC\x02\x2A\x0D\x0A\x0B\x0A\x04loss\x15\0\0\0\x3F", 18));
  CHECK(file.path().filename().string().starts_with("events.out.tfevents."));
}

TEST_CASE("event file: images as PNG") {
  const TemporaryFolder folder;
  kit::EventFile file(folder.path());
  const Tensor image = Tensor::from<std::uint8_t>({1, 2, 3, 4, 5, 6}, {2, 1, 3});
  file.image("seen", image, 0);
  const std::string event = events_of(file.path()).back();
  // Its size is 2 x 1 of 3 channels; then the PNG to the end.
  const std::size_t at = event.find("\x08\x02\x10\x01\x18\x03\x22");
  REQUIRE(at != std::string::npos);
  const std::string png = event.substr(event.find("\x89PNG", at));
  const std::vector<std::uint8_t> bytes(png.begin(), png.end());
  CHECK(same_bits(decode_image(bytes, "png", ImageColour::rgb), image));
  CHECK(bytes == encode_image(image));
  CHECK(contains(error_of([&] {
                   file.image("seen", Tensor::zeros({2, 2}), 0);
                 }),
                 "encode_image: needs uint8 [H W C] of 1, 3 or 4 channels, got float32 [2 2]"));
}

TEST_CASE("event file: several starts have files of their own in one folder") {
  const TemporaryFolder folder;
  const kit::EventFile first(folder.path()), second(folder.path());
  CHECK(first.path() != second.path());
  CHECK(events_of(second.path()).size() == 1);
}
