#include <pliant/autograd/ops/anchors.h>

#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("anchors: a cell of each kind, and its place on the grid") {
  CHECK(cell_anchors({32}, {0.5, 1}).to_vector() == Numbers{-23, -11, 23, 11, -16, -16, 16, 16});
  CHECK(classic_cell_anchors(16, {0.5}, {8}).to_vector() == Numbers{-84, -40, 99, 55});
  const Tensor grid = grid_anchors(cell_anchors({4}, {1}), {2, 2}, {10, 20});
  CHECK(grid.to_vector() == Numbers{-2, -2, 2, 2, 18, -2, 22, 2, -2, 8, 2, 12, 18, 8, 22, 12});
  const Tensor pysot = siamrpn_anchors();
  CHECK(pysot.shape() == Shape{5, 17, 17, 4});
  CHECK(pysot.slice(0, 1).reshape({-1, 4}).slice(0, 1).to_vector() == Numbers{63, 63, 104, 32});
  CHECK(siamrpn_classic_anchors().shape() == Shape{1445, 4});
}

TEST_CASE("anchors: what is refused, and a map without places") {
  CHECK(grid_anchors(cell_anchors({4}, {1}), {0, 3}, 8).shape() == Shape{0, 4});
  CHECK(contains(error_of([] { cell_anchors({}, {1}); }), "no sizes"));
  CHECK(contains(error_of([] { cell_anchors({4}, {0}); }), "ratios is 0"));
  CHECK(contains(error_of([] { grid_anchors(Tensor::zeros({4}), 2, 8); }), "[K 4]"));
  CHECK(contains(error_of([] { grid_anchors(Tensor::zeros({1, 4}), 2, 0); }), "at least 0 and 1"));
  CHECK(contains(error_of([] { siamrpn_anchors({.ratios = {}}); }), "no ratios"));
}
