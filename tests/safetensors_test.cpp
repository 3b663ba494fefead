#include <pliant/layers/train/safetensors.h>

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

// A folder of this test's own that goes with it.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("pliant-safetensors-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  fs::path operator/(const char* name) const { return path / name; }
};

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + std::string(data_bytes, '\1');
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("safetensors: what is written is read, bit for bit and in order") {
  const Folder folder;
  SafetensorsFile file;
  file.metadata = {{"op", "conv2d"}, {"note", "quotes \" and\nlines"}};
  file.tensors = {{"z.first", random({2, 3}, 1)},
                  {"a", random({5}, 2, -1, 1, DType::float32)},
                  {"scalar", Tensor::scalar(-0.0)},
                  {"labels", Tensor::from<std::int64_t>({-1, 1LL << 60}, {2})},
                  {"counts", Tensor::from<std::int32_t>({-7, 7}, {1, 2})},
                  {"empty", Tensor::empty({0, 4})},
                  {"bytes", Tensor::from<std::uint8_t>({1, 2, 255}, {3})},
                  {"nan", Tensor::full({2}, NAN, DType::float64)}};
  write_safetensors(folder / "t.safetensors", file);
  const SafetensorsFile read = read_safetensors(folder / "t.safetensors");
  CHECK(read.metadata == file.metadata);
  REQUIRE(read.tensors.size() == file.tensors.size());
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    CHECK(read.tensors[i].first == file.tensors[i].first);
    CHECK(same_bits(read.tensors[i].second, file.tensors[i].second));
  }
  REQUIRE(read.find("a") != nullptr);
  CHECK(same_bits(*read.find("a"), file.tensors[1].second));
  CHECK(read.find("b") == nullptr);
}

TEST_CASE("safetensors: a file is replaced whole and nothing else is left behind") {
  const Folder folder;
  const fs::path path = folder / "t.safetensors";
  write_safetensors(path, {{{"x", Tensor::zeros({100})}}, {}});
  write_safetensors(path, {{{"x", Tensor::full({3}, 2.0)}}, {}});
  CHECK(read_safetensors(path).find("x")->to_vector() == std::vector<double>{2, 2, 2});
  const Tensor x = Tensor::zeros({2});
  CHECK(contains(error_of([&] {
                   write_safetensors(path, {{{"x", x}, {"x", x}}, {}});
                 }),
                 "two tensors are called 'x'"));
  CHECK(contains(error_of([&] {
                   write_safetensors(path, {{{"x", Tensor()}}, {}});
                 }),
                 "'x' is undefined"));
  CHECK(contains(error_of([&] { write_safetensors(path, {{{"\xFF", x}}, {}}); }), "not UTF-8"));
  CHECK(
      contains(error_of([&] { write_safetensors(folder / "no/such", {}); }), "cannot be written"));
  CHECK(read_safetensors(path).find("x")->size() == 3);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("safetensors: a corrupt file is one line that names it") {
  const Folder folder;
  const fs::path path = folder / "bad.safetensors";
  const auto message = [&](const std::string& bytes) {
    write_bytes(path, bytes);
    std::string text = error_of([&] { read_safetensors(path); });
    CHECK(contains(text, path.string()));
    CHECK(text.find('\n') == std::string::npos);
    return text;
  };
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets, std::size_t bytes) {
    return file_of(R"({"x":)" + entry(dtype, shape, offsets) + "}", bytes);
  };
  const auto two = [](const char* a, const char* b, std::size_t bytes) {
    return file_of(R"({"a":)" + entry("U8", "[4]", a) + R"(,"b":)" + entry("U8", "[4]", b) + "}",
                   bytes);
  };
  write_bytes(path, one("F32", "[2]", "[0,8]", 8));
  CHECK(read_safetensors(path).find("x")->shape() == Shape{2});  // what the others are bent from

  CHECK(contains(message(""), "too short"));
  CHECK(contains(message(std::string(7, 'x')), "too short"));
  CHECK(contains(message(std::string(100, '\xFF')), "the limit is"));
  CHECK(contains(message(file_of(std::string(50, ' '), 0).substr(0, 30)), "truncated"));
  CHECK(contains(message(file_of("\x01garbage\n", 0)), "not JSON"));
  CHECK(contains(message(file_of("", 0)), "not JSON"));
  CHECK(contains(message(file_of("[1]", 0)), "not a JSON object"));
  CHECK(contains(message(file_of(std::string(200000, '['), 0)), "not JSON"));
  CHECK(contains(message(one("F32", "[1e999]", "[0,8]", 8)), "not JSON"));
  CHECK(contains(message(file_of(R"({"x":3})", 0)), "lacks dtype"));
  CHECK(contains(message(file_of(R"({"__metadata__":{"a":1}})", 0)), "not a string"));
  CHECK(contains(message(one("F16", "[4]", "[0,8]", 8)), "dtype 'F16'"));
  CHECK(contains(message(one("F32\\n", "[2]", "[0,8]", 8)), "dtype 'F32?'"));
  CHECK(contains(message(one("F32", "[2]", "[0,8]", 7)), "truncated"));
  CHECK(contains(message(one("F32", "[2]", "[0,8]", 9)), "its data at 9"));
  CHECK(contains(message(one("F32", "[3]", "[0,8]", 8)), "does not fill 8 bytes"));
  CHECK(contains(message(one("F32", "[2]", "[0,9]", 9)), "does not fill 9 bytes"));
  CHECK(contains(message(one("F32", "[2]", "[8,0]", 8)), "lies at bytes 8 to 0"));
  CHECK(contains(message(one("F32", "[2]", "[-8,0]", 8)), "not two numbers"));
  CHECK(contains(message(one("F32", "[2]", "[0]", 8)), "not two numbers"));
  CHECK(contains(message(one("F32", "[-2]", "[0,8]", 8)), "extents >= 0"));
  CHECK(contains(message(one("F32", "[1.5]", "[0,8]", 8)), "extents >= 0"));
  CHECK(contains(message(one("F32", "[4611686018427387904,16]", "[0,8]", 8)), "64 bits"));
  CHECK(contains(message(one("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]", 8)), "more than 8 axes"));
  // Nothing of this size is ever allocated: the file does not hold it.
  CHECK(contains(message(one("F32", "[1000000000000]", "[0,4000000000000]", 8)), "truncated"));
  CHECK(contains(message(two("[0,4]", "[2,6]", 6)), "'b' overlaps"));
  CHECK(contains(message(two("[0,4]", "[5,9]", 9)), "hole before tensor 'b'"));
  CHECK(contains(message(two("[1,5]", "[5,9]", 9)), "hole before tensor 'a'"));
  const std::string x = R"("x":)" + entry("U8", "[4]", "[0,4]");
  CHECK(contains(message(file_of("{" + x + "," + x + "}", 4)), "names 'x' twice"));
}

TEST_CASE("safetensors: missing files and folders") {
  const Folder folder;
  CHECK(contains(error_of([&] { read_safetensors(folder / "none"); }), "there is no such file"));
  CHECK(contains(error_of([&] { read_safetensors(folder.path); }), "not a regular file"));
}
