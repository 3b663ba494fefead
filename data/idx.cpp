#include <pliant/data/idx.h>

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include <pliant/data/internal/byte_reader.h>

namespace pliant {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr int kUnsignedByte = 0x08, kInt32 = 0x0C;

struct Hex {
  int value;
  friend std::ostream& operator<<(std::ostream& out, Hex hex) {
    constexpr const char* digits = "0123456789abcdef";
    return out << "0x" << digits[hex.value >> 4 & 15] << digits[hex.value & 15];
  }
};

Shape read_header(ByteReader& reader, const std::string& name, int type) {
  std::array<std::uint8_t, 4> magic{};
  require(reader.read(magic.data(), 4) == 4, name,
          ": shorter than the 4 bytes that an IDX file begins with");
  require(magic[0] == 0 && magic[1] == 0, name, ": not an IDX file: begins with ", Hex{magic[0]},
          ' ', Hex{magic[1]}, ", expected two zero bytes");
  require(magic[2] == type, name, ": IDX element type is ", Hex{magic[2]}, ", expected ", Hex{type},
          type == kInt32 ? " (32 bit integers)" : " (unsigned bytes)");
  const int rank = magic[3];
  require(rank >= 1 && rank <= Shape::kMaxRank, name, ": IDX rank is ", rank, ", expected 1 to ",
          Shape::kMaxRank);
  Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> word{};
    require(reader.read(word.data(), 4) == 4, name, ": the IDX header is truncated, expected ",
            rank, " sizes");
    const std::int64_t extent =
        std::int64_t{word[0]} << 24 | word[1] << 16 | word[2] << 8 | word[3];
    try {
      shape.push_back(extent);
    } catch (const Error&) {
      fail(name, ": the IDX header promises more bytes than 64 bits can count");
    }
  }
  return shape;
}

// The elements after the header, of `dtype` and in the file's order of bytes.
Tensor read_elements(ByteReader& reader, const std::string& name, const Shape& shape, DType dtype) {
  const auto promised = static_cast<std::size_t>(shape.size() * size_of(dtype));
  // In pieces, which go as they are put together: the data are never in memory twice.
  std::deque<std::vector<std::uint8_t>> pieces;
  for (std::size_t arrived = 0; arrived < promised; arrived += pieces.back().size()) {
    pieces.emplace_back(std::min(promised - arrived, kChunkBytes));
    const std::size_t got = reader.read(pieces.back().data(), pieces.back().size());
    require(got == pieces.back().size(), name, ": truncated: the IDX header ", shape, " promises ",
            promised, " bytes, the file has ", arrived + got);
  }
  std::uint8_t extra = 0;
  require(reader.read(&extra, 1) == 0, name, ": trailing bytes after the ", promised,
          " that the IDX header ", shape, " promises");
  Tensor tensor = Tensor::empty(shape, dtype);
  for (auto* to = static_cast<std::uint8_t*>(tensor.mutable_raw()); !pieces.empty();
       pieces.pop_front())
    to = std::copy(pieces.front().begin(), pieces.front().end(), to);
  return tensor;
}

}  // namespace

Tensor read_idx(const std::filesystem::path& path, ContentId* content, std::int64_t most_bytes) {
  const std::string name = path.string();
  ContentDigest digest;
  ByteReader reader(path, content != nullptr ? &digest : nullptr);
  const Shape shape = read_header(reader, name, kUnsignedByte);
  const std::int64_t header_bytes = 4 + 4 * shape.rank();
  require(shape.size() <= most_bytes - header_bytes, name, ": the IDX header ", shape,
          " promises more than the expected ", most_bytes, " bytes");
  Tensor tensor = read_elements(reader, name, shape, DType::uint8);
  if (content != nullptr) *content = digest.finish();
  return tensor;
}

Tensor read_idx_int32(const std::filesystem::path& path) {
  const std::string name = path.string();
  ByteReader reader(path);
  const Shape shape = read_header(reader, name, kInt32);
  Tensor tensor = read_elements(reader, name, shape, DType::int32);
  auto* const bytes = static_cast<std::uint8_t*>(tensor.mutable_raw());
  if constexpr (std::endian::native == std::endian::little)
    for (std::int64_t i = 0; i < tensor.size(); ++i) std::reverse(bytes + 4 * i, bytes + 4 * i + 4);
  return tensor;
}

}  // namespace pliant
