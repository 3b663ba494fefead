#include <pliant/autograd/ops/roi_pool.h>

#include <pliant/tests/cases/roi_pool.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("roi_pool, ps_roi_pool: gradients, threads") { check(roi_pool_cases()); }
