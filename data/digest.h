// What identifies the content of a file: its size, its CRC-32 and, where this build has OpenSSL,
// its SHA-256. All three are of the uncompressed bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pliant {

struct ContentId {
  std::int64_t bytes = 0;
  std::uint32_t crc32 = 0;
  std::string sha256;  // 64 lower-case hexadecimal digits; empty without OpenSSL

  // Whether both are the same content, by everything that both know.
  bool matches(const ContentId& other) const {
    return bytes == other.bytes && crc32 == other.crc32 &&
           (sha256.empty() || other.sha256.empty() || sha256 == other.sha256);
  }
};

// "SHA-256", or "size and CRC-32" in a build without OpenSSL: what matches() really compares.
const char* content_check_name();

// Takes in the bytes of a content piece by piece.
class ContentDigest {
 public:
  ContentDigest();
  ContentDigest(const ContentDigest&) = delete;
  ContentDigest& operator=(const ContentDigest&) = delete;
  ~ContentDigest();

  void update(const std::uint8_t* data, std::size_t size);
  // Of all bytes so far. To be called once, at the end.
  ContentId finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pliant
