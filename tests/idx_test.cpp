#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/data/idx.h>
#include <pliant/tests/data_files.h>

using namespace pliant;
using test::Bytes;
using test::gzip;
using Scratch = test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// The Error's text, checked to be one line that names the file.
std::string error_of(const fs::path& path) {
  try {
    read_idx(path);
  } catch (const Error& error) {
    std::string text = error.what();
    CHECK(text.find(path.string()) == 0);
    CHECK(text.find('\n') == std::string::npos);
    return text;
  }
  return "no error";
}

bool says(const fs::path& path, const std::string& part) {
  const std::string text = error_of(path);
  INFO("the error is: ", text);
  return text.find(part) != std::string::npos;
}

const Bytes kGood = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 250};

Bytes with(std::size_t index, std::uint8_t value) {
  Bytes bytes = kGood;
  bytes[index] = value;
  return bytes;
}

Bytes first(const Bytes& bytes, std::size_t count) {
  return Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("idx: a plain and a gzip file read the same, whatever they are called") {
  const Scratch scratch;
  for (const fs::path& path :
       {scratch.write("plain", kGood), scratch.write("packed.gz", gzip(kGood)),
        scratch.write("packed-without-suffix", gzip(kGood)), scratch.write("plain.gz", kGood),
        scratch.write("members.gz", joined(gzip(first(kGood, 7)),
                                           gzip(Bytes(kGood.begin() + 7, kGood.end()))))}) {
    const Tensor tensor = read_idx(path);
    CHECK(tensor.dtype() == DType::uint8);
    CHECK(tensor.shape() == Shape{2, 3});
    CHECK(tensor.to_vector() == std::vector<double>{1, 2, 3, 4, 5, 250});
  }
}

TEST_CASE("idx: a file of several chunks arrives whole") {
  const Scratch scratch;
  Bytes bytes = {0, 0, 8, 1, 0, 0x2F, 0xFF, 0xFF};  // 3 MiB - 1
  for (std::size_t i = 0; i < (std::size_t{3} << 20) - 1; ++i)
    bytes.push_back(static_cast<std::uint8_t>(i * 2654435761u >> 13));
  for (const fs::path& path : {scratch.write("a", bytes), scratch.write("b.gz", gzip(bytes))}) {
    const Tensor tensor = read_idx(path);
    REQUIRE(tensor.size() == static_cast<std::int64_t>(bytes.size()) - 8);
    CHECK(std::equal(bytes.begin() + 8, bytes.end(), tensor.data<std::uint8_t>()));
  }
}

TEST_CASE("idx: an axis of size 0 is allowed") {
  const Scratch scratch;
  CHECK(read_idx(scratch.write("none", {0, 0, 8, 1, 0, 0, 0, 0})).shape() == Shape{0});
}

TEST_CASE("idx: the content is identified by its uncompressed bytes") {
  const Scratch scratch;
  const Bytes bytes = {0, 0, 8, 1, 0, 0, 0, 3, 'a', 'b', 'c'};
  ContentId plain, packed;
  read_idx(scratch.write("plain", bytes), &plain);
  read_idx(scratch.write("packed", gzip(bytes)), &packed);
  CHECK(plain.bytes == 11);
  CHECK(plain.crc32 == crc32(0, bytes.data(), 11));
  CHECK(plain.matches(packed));
  CHECK(plain.sha256 == packed.sha256);
  ContentId other = plain;
  other.crc32 ^= 1;
  CHECK_FALSE(other.matches(plain));
}

TEST_CASE("digest: SHA-256 of the standard's example") {
  ContentDigest digest;
  const std::uint8_t abc[] = {'a', 'b', 'c'};
  digest.update(abc, 1);
  digest.update(nullptr, 0);
  digest.update(abc + 1, 2);
  const ContentId id = digest.finish();
  CHECK(id.bytes == 3);
  CHECK(id.crc32 == 0x352441C2u);
  if (std::string(content_check_name()) == "SHA-256")
    CHECK(id.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  else
    CHECK(id.sha256.empty());
}

TEST_CASE("idx: each bad file is an error of one line that says what was expected") {
  const Scratch scratch;
  CHECK(says(scratch.path() / "missing", "cannot be opened: No such file"));
  CHECK(says(scratch.path(), "is a directory, expected a file"));
  CHECK(says(scratch.write("empty", {}), "shorter than the 4 bytes"));
  CHECK(says(scratch.write("magic", with(0, 0x50)),
             "begins with 0x50 0x00, expected two zero bytes"));
  CHECK(says(scratch.write("type", with(2, 0x0D)), "element type is 0x0d, expected 0x08"));
  CHECK(says(scratch.write("rank0", with(3, 0)), "rank is 0, expected 1 to 8"));
  CHECK(says(scratch.write("rank9", with(3, 9)), "rank is 9, expected 1 to 8"));
  CHECK(says(scratch.write("header", first(kGood, 10)), "header is truncated, expected 2 sizes"));
  CHECK(says(scratch.write("short", first(kGood, 17)),
             "the IDX header [2 3] promises 6 bytes, the file has 5"));
  CHECK(says(scratch.write("long", joined(kGood, {7})), "trailing bytes after the 6 that"));
}

TEST_CASE("idx: a damaged gzip stream is an error") {
  const Scratch scratch;
  const Bytes packed = gzip(kGood);
  for (const std::size_t count : {std::size_t{3}, packed.size() / 2, packed.size() - 1})
    CHECK(says(scratch.write("cut.gz", first(packed, count)), "gzip stream is truncated"));
  Bytes wrong_sum = packed;
  wrong_sum[packed.size() - 8] ^= 1;  // the CRC-32
  CHECK(says(scratch.write("sum.gz", wrong_sum), "gzip stream is corrupt (incorrect data check)"));
  CHECK(says(scratch.write("tail.gz", joined(packed, {1, 2, 3})),
             "trailing bytes after the end of the gzip stream"));
  CHECK(says(scratch.write("inside.gz", gzip(joined(kGood, {1}))), "trailing bytes after the 6"));
  CHECK(says(scratch.write("short.gz", gzip(first(kGood, 17))), "the file has 5"));
}

TEST_CASE("idx: nothing is allocated for bytes that only the header promises") {
  const Scratch scratch;
  // 2^40 bytes: more than this machine has, so a reader that believed it would fail in another way.
  const Bytes promise = {0, 0, 8, 2, 0, 0x10, 0, 0, 0, 0x10, 0, 0, 1, 2, 3};
  for (const fs::path& path :
       {scratch.write("huge", promise), scratch.write("huge.gz", gzip(promise))})
    CHECK(says(path, "promises 1099511627776 bytes, the file has 3"));
  const Bytes overflow = {0,    0,    8,    3,    0xFF, 0xFF, 0xFF, 0xFF,
                          0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  CHECK(says(scratch.write("overflow", overflow), "more bytes than 64 bits can count"));
}

TEST_CASE("idx: gzip padded with zeros, as on tapes, is read; other bytes after it are not") {
  const Scratch scratch;
  const Bytes packed = gzip(kGood);
  for (const std::size_t zeros : {1U, 511U, 70000U, 200000U})
    CHECK(read_idx(scratch.write("padded", joined(packed, Bytes(zeros)))).size() == 6);
  CHECK(read_idx(scratch.write("members", joined(gzip(first(kGood, 9)),
                                                 gzip(Bytes(kGood.begin() + 9, kGood.end())))))
            .size() == 6);
  Bytes zeros_and_more(70000);
  zeros_and_more.push_back(7);
  for (const Bytes& rest : {Bytes{7}, Bytes{0, 7}, zeros_and_more, joined({0}, packed)})
    CHECK(says(scratch.write("trailing", joined(packed, rest)),
               "trailing bytes after the end of the gzip stream"));
}

TEST_CASE("idx: a header that promises more than is expected is not followed") {
  const Scratch scratch;
  const fs::path path = scratch.write("bomb.gz", gzip({0, 0, 8, 2, 0, 1, 0, 0, 1, 0, 0, 0}));
  CHECK(says(path, "truncated"));
  std::string text;
  try {
    read_idx(path, nullptr, 1000);
  } catch (const Error& error) {
    text = error.what();
  }
  CHECK(text == path.string() +
                    ": the IDX header [65536 16777216] promises more than the expected 1000 bytes");
  CHECK(read_idx(scratch.write("good", kGood), nullptr, 18).size() == 6);
}
