// kit::PicturePipe: where a picture ends in a stream of them.
#include <pliant/apps/kit/picture_pipe.h>

#include <filesystem>
#include <sstream>

#include <pliant/data/image_file.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

const std::filesystem::path kImages = std::filesystem::path(PLIANT_SOURCE_DIR) / "tests/images";

std::string bytes_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

struct Read {
  std::vector<Tensor> pictures;
  std::string error;
};

Read read_all(const std::string& stream) {
  std::istringstream in(stream);
  kit::PicturePipe pipe(in, "pipe");
  Read read;
  try {
    while (const auto picture = pipe.next()) read.pictures.push_back(*picture);
  } catch (const Error& error) {
    read.error = error.what();
  }
  return read;
}

// One of each kind, and what a decoder makes of it alone. A JPEG's APP1 has a JPEG in it, as those
// of cameras do; the others have restarts and several scans.
std::vector<std::string> pictures() {
  const std::string thumbnail = bytes_of(jpeg());
  return {bytes_of(png(2, 1, rgb, 8, {1, 2, 3, 4, 5, 6})),
          bytes_of(jpeg(Bytes(thumbnail.begin(), thumbnail.end()))),
          text_of(kImages / "restart.jpg"),
          text_of(kImages / "progressive.jpg"),
          "P6 # width\n2 1\n255\n\xFF\xD8\x89P5\n",
          std::string("P5\n3 1 65535 \0\x01P6\xFF\xFF", 19)};
}

}  // namespace

TEST_CASE("picture_pipe: pictures of any kind, one behind the other") {
  std::string stream;
  for (const std::string& picture : pictures()) stream += picture;
  const Read read = read_all(stream + stream);
  CHECK(read.error.empty());
  REQUIRE(read.pictures.size() == 2 * pictures().size());
  for (std::size_t i = 0; i < read.pictures.size(); ++i) {
    const std::string one = pictures()[i % pictures().size()];
    const Bytes bytes(one.begin(), one.end());
    const Tensor alone = decode_image(bytes, "alone", ImageColour::rgb);
    REQUIRE(read.pictures[i].shape() == alone.shape());
    CHECK(max_difference(read.pictures[i], alone) == 0);
  }
  CHECK(read_all("").pictures.empty());
  CHECK(read_all("").error.empty());
}

TEST_CASE(
    "picture_pipe: cut off anywhere, it is an Error of one line, and what came before is there") {
  const std::string first = pictures().front();
  for (const std::string& picture : pictures())
    for (std::size_t size = 1; size < picture.size(); size += 1 + picture.size() / 97) {
      const Read read = read_all(first + picture.substr(0, size));
      CHECK(read.pictures.size() == 1);
      CHECK(contains(read.error, "pipe, picture 2: the stream ends within it, after "));
      CHECK_FALSE(contains(read.error, "\n"));
    }
}

TEST_CASE("picture_pipe: foreign bytes are named, and promises cost no memory") {
  const std::string first = pictures().front();
  const auto said = [&](const std::string& bytes) {
    const Read read = read_all(first + bytes);
    CHECK(read.pictures.size() == 1);
    return read.error;
  };
  CHECK(contains(said("\n\n"), "picture 2: begins as no picture does"));
  CHECK(contains(said("\x89PNX\r\n\x1A\n"), "goes on as none"));
  CHECK(contains(said("\xFF\xD8 no marker"), "without a marker"));
  CHECK(contains(said("P6\n99999999 99999999 255\n"), "expected at most"));
  CHECK(contains(said("P6\n99999999999999999999"), "with a number of"));
  CHECK(contains(said("P6\nx"), "without its width"));
  CHECK(contains(said("\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIDAT"), "expected a picture"));
}
