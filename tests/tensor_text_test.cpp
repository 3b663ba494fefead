// How tensors are printed.
#include <iomanip>

#include <pliant/core/text.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("tensor: printed as NumPy has it") {
  CHECK(text_from(Tensor()) == "undefined tensor");
  CHECK(text_from(Tensor::scalar(2.5)) == "float32 [] on cpu: 2.5");
  CHECK(text_from(Var(Tensor::scalar(2.5))) == "float32 [] on cpu: 2.5");
  CHECK(text_from(Tensor::from({1.0, -2.25, std::nan("")}, {3})) ==
        "float64 [3] on cpu: [    1 -2.25   nan]");
  CHECK(text_from(Tensor::from<std::int64_t>({1, 20, 300, INT64_MIN}, {2, 2})) ==
        "int64 [2 2] on cpu:\n"
        "[[                   1                   20]\n"
        " [                 300 -9223372036854775808]]");
  CHECK(text_from(Tensor::from<std::uint8_t>({0, 1, 2, 255}, {2, 1, 2})) ==
        "uint8 [2 1 2] on cpu:\n"
        "[[[  0   1]]\n"
        "\n"
        " [[  2 255]]]");
  CHECK(text_from(Tensor::zeros({2, 0})) == "float32 [2 0] on cpu:\n[[]\n []]");
  CHECK(text_from(Tensor::zeros({0})) == "float32 [0] on cpu: []");
  CHECK(text_from(std::setprecision(2), Tensor::full({1}, 3.14159)) == "float32 [1] on cpu: [3.1]");
}

TEST_CASE("tensor: of many elements the ends of every axis are printed") {
  CHECK(text_from(Tensor::arange(1001)) ==
        "int64 [1001] on cpu: [   0    1    2 ...  998  999 1000]");
  CHECK(text_from(Tensor::arange(2002).reshape({2, 1001})) ==
        "int64 [2 1001] on cpu:\n"
        "[[   0    1    2 ...  998  999 1000]\n"
        " [1001 1002 1003 ... 1999 2000 2001]]");
  CHECK(text_from(Tensor::arange(1400).reshape({7, 200})) ==
        "int64 [7 200] on cpu:\n"
        "[[   0    1    2 ...  197  198  199]\n"
        " [ 200  201  202 ...  397  398  399]\n"
        " [ 400  401  402 ...  597  598  599]\n"
        " ...\n"
        " [ 800  801  802 ...  997  998  999]\n"
        " [1000 1001 1002 ... 1197 1198 1199]\n"
        " [1200 1201 1202 ... 1397 1398 1399]]");
  CHECK(contains(text_from(Tensor::zeros({1000})), "[1000] on cpu: [0 0 0 0 0 0 0"));
}
