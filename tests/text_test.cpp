#include <pliant/core/text.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include <pliant/core/tensor.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/summary.h>
#include <pliant/tests/comma_locale.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

template <class T>
std::string streamed(const T& value) {
  std::ostringstream text;  // of the global locale
  text << value;
  return text.str();
}

}  // namespace

TEST_CASE("text: what is not printable is not printed") {
  CHECK(printable("plain, 12 % \"'\\") == "plain, 12 % \"'\\");
  CHECK(printable("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x99\x82") ==
        "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x99\x82");
  CHECK(printable("\x1B[2J\r\n\t\x7F" + std::string(1, '\0')) == "?[2J?????");
  CHECK(printable("\xC2\x9B"
                  "2J \xE2\x80\xAE \xE2\x80\xA8") == "?2J ? ?");  // CSI, turned, a line
  CHECK(printable("a\xFF\xFE"
                  "b\xC3") == "a??b?");
  CHECK(printable("\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80") == std::string(9, '?'));  // no UTF-8
  CHECK(printable(std::string(100, 'x'), 5) == "xxxxx...");
  CHECK(printable("abc\xE2\x82\xAC", 5) == "abc...");  // no half of a character
  CHECK(printable("abc\xE2\x82\xAC", 6) == "abc\xE2\x82\xAC");
  CHECK(cut_to("\x80\x80\x80\x80\x80\x80", 5).size() <= 5);
  CHECK(error_of([] { fail("file ", std::string("\x1B]0;\a\nb"), ": no"); }) == "file ?]0;??b: no");
}

TEST_CASE("text: numbers") {
  CHECK(fixed(3.14159, 2) == "3.14");
  CHECK(fixed(-0.5, 0) == "-0");
  CHECK(fixed(1234567.891, 1) == "1234567.9");
  CHECK(fixed(1e300, 0).size() == 301);
  CHECK(general(0.00012345, 3) == "0.000123");
  CHECK(general(1234567, 3) == "1.23e+06");
  CHECK(fixed(-std::nan(""), 2) == "nan");
  CHECK(text_from(-std::nan(""), ' ', std::nanf(""), ' ', -HUGE_VAL) == "nan nan -inf");
}

TEST_CASE("text: the same under any global locale") {
  const TemporaryFolder folder;
  Linear layer(1500, 2);
  layer.initialise(Rng(1));
  const auto all = [&] {
    std::string text = streamed(Shape{1, 2000, 2000, 3}) + streamed(Tensor::full({2}, 1234.5));
    text += error_of([] { fail("1.5: ", 1.5, ' ', 123456, ' ', Shape{4000}); });
    text += to_string(summarise(layer, [&] {
      layer(Tensor::zeros({1000, 1500}, DType::float32));
    }));
    const std::filesystem::path file = folder.path() / "net";
    write_safetensors(file, {{{"x", Tensor::zeros({1234567})}}, {{"a", "b"}}});
    std::ifstream in(file, std::ios::binary);
    std::string header(200, '\0');
    in.read(header.data(), 100);
    const SafetensorsFile read = read_safetensors(file);
    CHECK(read.find("x")->size() == 1234567);
    CHECK_FALSE(contains(text, "2.000"));
    return text + header;
  };
  const std::string usual = all();
  const CommaLocale german;
  REQUIRE(streamed(1234.5) == "1.234,5");
  CHECK(all() == usual);
  CHECK(fixed(1234.5, 1) == "1234.5");
}
