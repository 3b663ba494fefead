#include <pliant/layers/safetensors.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include <pliant/layers/linear.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

Tensor x_of(const SafetensorsFile& file) { return *file.find("x"); }

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
  CHECK(x_of(read_safetensors(path)).to_vector() == std::vector<double>{2, 2, 2});
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
  CHECK(x_of(read_safetensors(path)).size() == 3);
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
  CHECK(x_of(read_safetensors(path)).shape() == Shape{2});  // what the others are bent from

  CHECK(contains(message(""), "too short"));
  CHECK(contains(message(std::string(7, 'x')), "too short"));
  CHECK(contains(message(std::string(100, '\xFF')), "the limit is"));
  CHECK(contains(message(file_of(std::string(50, ' '), 0).substr(0, 30)), "truncated"));
  CHECK(contains(message(file_of("\x01garbage\n", 0)), "not JSON"));
  CHECK(contains(message(file_of("", 0)), "not JSON"));
  CHECK(contains(message(file_of("[1]", 0)), "not a JSON object"));
  CHECK(contains(message(file_of(std::string(200000, '['), 0)), "not a JSON object"));
  CHECK(contains(message(one("F32", "[1e999]", "[0,8]", 8)), "not JSON"));
  CHECK(contains(message(file_of(R"({"x":3})", 0)), "lacks dtype"));
  CHECK(contains(message(file_of(R"({"__metadata__":{"a":1}})", 0)), "not a string"));
  CHECK(contains(message(one("F17", "[4]", "[0,8]", 8)), "dtype 'F17'"));
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
  CHECK(contains(message(one("F32", "[1,1,1,1,1,1,1,1,3]", "[0,8]", 8)), "does not fill 8 bytes"));
  CHECK(contains(message(one("F4", "[3]", "[0,2]", 2)), "does not fill 2 bytes"));
  // Nothing of this size is ever allocated: the file does not hold it.
  CHECK(contains(message(one("F32", "[1000000000000]", "[0,4000000000000]", 8)), "truncated"));
  CHECK(contains(message(two("[0,4]", "[2,6]", 6)), "'b' overlaps"));
  CHECK(contains(message(two("[0,4]", "[5,9]", 9)), "hole before tensor 'b'"));
  CHECK(contains(message(two("[1,5]", "[5,9]", 9)), "hole before tensor 'a'"));
  const std::string x = R"("x":)" + entry("U8", "[4]", "[0,4]");
  CHECK(contains(message(file_of("{" + x + "," + x + "}", 4)), "names 'x' twice"));
  CHECK(
      contains(message(file_of("\xEF\xBB\xBF{" + x + "}", 4)), "a byte order mark, expected '{'"));
  const auto doubled = [&](const char* field) {
    return message(file_of(
        R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4],)" + std::string(field) + "}}", 4));
  };
  CHECK(contains(doubled(R"("dtype":"U8")"), "tensor 'x' has 'dtype' twice"));
  CHECK(contains(doubled(R"("shape":[4])"), "tensor 'x' has 'shape' twice"));
  CHECK(contains(doubled(R"("data_offsets":[0,4])"), "tensor 'x' has 'data_offsets' twice"));
  CHECK(contains(doubled(R"("a":1,"a":2)"), "tensor 'x' has 'a' twice"));
  CHECK(contains(doubled(R"("a":{"a":1},"shape":[4])"), "tensor 'x' has 'shape' twice"));
  CHECK(contains(message(file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0)),
                 "its __metadata__ has 'a' twice"));
  CHECK(contains(message(one("F32", "[0,18446744073709551616]", "[0,0]", 0)), "extents >= 0"));
  CHECK(contains(message(one("F32", "[0,4611686018427387904]", "[0,4]", 4)), "does not fill"));
}

TEST_CASE("safetensors: missing files and folders") {
  const Folder folder;
  CHECK(contains(error_of([&] { read_safetensors(folder / "none"); }), "there is no such file"));
  CHECK(contains(error_of([&] { read_safetensors(folder.path); }), "not a regular file"));
}

TEST_CASE("safetensors: types that we do not have are read as ones that hold their values") {
  const Folder folder;
  const fs::path path = folder / "t";
  const auto read_as = [&](const std::string& dtype, const std::string& bytes, int size) {
    const std::string count = std::to_string(bytes.size() / static_cast<std::size_t>(size));
    const std::string offsets = "[0," + std::to_string(bytes.size()) + "]";
    write_bytes(path,
                file_of(R"({"x":)" + entry(dtype, "[" + count + "]", offsets) + "}", 0) + bytes);
    return read_safetensors(path);
  };
  const auto check = [&](const std::string& dtype, const std::string& bytes, int size, DType as,
                         const std::vector<double>& values) {
    const SafetensorsFile file = read_as(dtype, bytes, size);
    REQUIRE_MESSAGE(file.find("x") != nullptr, dtype);
    CHECK(file.find("x")->dtype() == as);
    CHECK_MESSAGE(file.find("x")->to_vector() == values, dtype);
  };
  using namespace std::string_literals;
  const double infinity = HUGE_VAL;
  check("F16", "\x00\x3C\x01\x00\xFF\x7B\x00\xFC\x00\xC0\xFF\x03"s, 2, DType::float32,
        {1, std::ldexp(1, -24), 65504, -infinity, -2, std::ldexp(1023, -24)});
  check("F8_E4M3", "\x38\x7E\x01\xFE\x08"s, 1, DType::float32,
        {1, 448, std::ldexp(1, -9), -448, std::ldexp(1, -6)});
  check("F8_E5M2", "\x3C\x7B\x7C\x01\xFC"s, 1, DType::float32,
        {1, 57344, infinity, std::ldexp(1, -16), -infinity});
  check("U64", "\xFF\xFF\xFF\xFF\xFF\x00\x00\x00"s, 8, DType::int64, {1099511627775.0});
  check("U32", "\xFF\xFF\xFF\xFF\x00\x00\x00\x80"s, 4, DType::int64, {4294967295.0, 2147483648.0});
  check("U16", "\xFF\xFF\x01\x00"s, 2, DType::int32, {65535, 1});
  check("I16", "\xFF\xFF\x00\x80"s, 2, DType::int32, {-1, -32768});
  check("I8", "\xFF\x80\x7F"s, 1, DType::int32, {-1, -128, 127});
  check("BOOL", "\x00\x01"s, 1, DType::uint8, {0, 1});
  check("F16", std::string(200000, '\0'), 2, DType::float32, std::vector<double>(100000));
  for (const auto& [dtype, bytes] : {std::pair{"F16", "\x00\x7E"s}, {"F8_E4M3", "\x7F\xFF"s}}) {
    const SafetensorsFile file = read_as(dtype, bytes, static_cast<int>(dtype[1] == '1' ? 2 : 1));
    for (const double value : file.find("x")->to_vector()) CHECK(std::isnan(value));
  }
  CHECK(std::signbit(x_of(read_as("F8_E4M3", "\x80", 1)).to_vector()[0]));
  CHECK(contains(read_as("U64", std::string(8, '\xFF'), 8).skipped_text(),
                 "skipped 'x' (it holds numbers above 2^63 - 1)"));
  CHECK(contains(read_as("BOOL", "\x02", 1).skipped_text(), "other than 0 and 1"));
}

TEST_CASE("safetensors: one tensor that cannot be read does not take the others with it") {
  const Folder folder;
  const fs::path path = folder / "t";
  const std::string nine = "[1,1,1,1,1,1,1,1,2]";
  write_bytes(path, file_of(R"({"__metadata__":null,"a":)" + entry("F32", nine, "[0,8]") +
                                R"(,"b":)" + entry("C64", "[1]", "[8,16]") + R"(,"weight":)" +
                                entry("F32", "[2]", "[16,24]") + R"(,"f4":)" +
                                entry("F4", "[4]", "[24,26]") + "}",
                            26));
  const SafetensorsFile file = read_safetensors(path);
  CHECK(file.metadata.empty());
  CHECK(file.tensors.size() == 1);
  REQUIRE(file.find("weight") != nullptr);
  CHECK(file.find("weight")->shape() == Shape{2});
  CHECK(file.skipped_text() ==
        "skipped 'a' (it has 9 axes, at most 8 can be read), 'b' (it is of C64, which cannot be "
        "read), 'f4' (it is of F4, which cannot be read)");
  for (const char* const shape :
       {"[0,4611686018427387904]", "[4611686018427387904,16,0]", "[18446744073709551615,0]",
        "[9,9,9,9,9,9,9,9,9,9,99999999999,0]"}) {
    write_bytes(path, file_of(R"({"a":)" + entry("F32", shape, "[0,0]") + R"(,"b":)" +
                                  entry("F32", "[3,0]", "[0,0]") + R"(,"weight":)" +
                                  entry("F32", "[2]", "[0,8]") + "}",
                              8));
    const SafetensorsFile beside = read_safetensors(path);
    CHECK(beside.skipped_text() ==
          "skipped 'a' (it has no elements, and other extents that are too large)");
    REQUIRE(beside.tensors.size() == 2);
    CHECK(beside.find("b")->shape() == Shape{3, 0});
    CHECK(beside.find("weight")->shape() == Shape{2});
  }
  write_bytes(path, file_of(R"({"a":)" + entry("F32", nine, "[0,8]") + "}", 8));
  Linear layer(2, 2);
  const std::string text = error_of([&] { layer.load(path); });
  CHECK(contains(text, "t: load: "));
  CHECK(contains(text, "; skipped 'a' (it has 9 axes"));
}

TEST_CASE("safetensors: a header takes time by its length") {
  const Folder folder;
  const std::clock_t start = std::clock();
  std::string header = "{", valid = "{";
  SafetensorsFile file;
  for (int i = 0; i < 80000; ++i) {
    const std::string comma = i > 0 ? "," : "", name = std::to_string(i);
    header += comma + '"' + name + "\":{}";
    valid += comma + '"' + name + "\":" + entry("U8", "[0]", "[0,0]");
    file.tensors.emplace_back(name, Tensor::empty({0}, DType::uint8));
  }
  write_bytes(folder / "none", file_of(header + '}', 0));
  CHECK(contains(error_of([&] { read_safetensors(folder / "none"); }), "tensor '0' lacks dtype"));
  write_bytes(folder / "many", file_of(valid + '}', 0));
  CHECK(read_safetensors(folder / "many").tensors.size() == 80000);
  write_safetensors(folder / "written", file);
  CHECK(read_safetensors(folder / "written").tensors.size() == 80000);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CHECK(seconds < 10);  // of the processor; half of one, where it was half a minute
}

TEST_CASE("safetensors: a file of another kind is called by its name") {
  const Folder folder;
  using namespace std::string_literals;
  const auto message = [&](std::string bytes) {
    bytes.resize(2000, bytes.back());
    write_bytes(folder / "x", bytes);
    return error_of([&] { read_safetensors(folder / "x"); });
  };
  for (const auto& [bytes, kind] :
       {std::pair{"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"s, "a PNG image"},
        {"\xFF\xD8\xFF\xE0\0\x10JFIF"s, "a JPEG image"},
        {"PK\3\4\0\0\x08\x08"s, "a zip archive, as PyTorch's .pt"},
        {"\x80\2\x8A\nl\xFC\x9C"s, "a Python pickle"},
        {"\x89HDF\r\n\x1A\n\0"s, "an HDF5 file"},
        {"\x1F\x8B\x08\0\0\0\0\0\0\3"s, "a gzip file"},
        {"hello, world. "s, "text"},
        {"version https://git-lfs.github.com/spec/v1\noid "s, "a Git LFS pointer"},
        {"<!DOCTYPE html>"s, "an HTML page"}}) {
    const std::string text = message(bytes);
    CHECK_MESSAGE(contains(text, "x: it is " + std::string(kind)), text);
    CHECK(contains(text, "; expected a safetensors file"));
  }
}

TEST_CASE("safetensors: from a pipe") {
  const Folder folder;
  write_safetensors(folder / "file", {{{"x", random({100, 1000}, 1)}}, {}});
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::thread writer([&] {
    std::ifstream from(folder / "file", std::ios::binary);
    std::ofstream(folder / "pipe", std::ios::binary) << from.rdbuf();
  });
  const SafetensorsFile piped = read_safetensors(folder / "pipe");
  writer.join();
  CHECK(same_bits(*piped.find("x"), x_of(read_safetensors(folder / "file"))));
}

TEST_CASE("safetensors: a device without an end is refused by its first bytes") {
  CHECK(contains(error_of([] { read_safetensors("/dev/zero"); }), "safetensors: /dev/zero: "));
  CHECK(contains(error_of([] { read_safetensors("/dev/urandom"); }), "safetensors: /dev/urandom"));
  CHECK(contains(error_of([] { read_safetensors("/dev/null"); }), "it is too short (0 bytes)"));
}
