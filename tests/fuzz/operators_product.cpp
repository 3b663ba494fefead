// Products of matrices.
#include <algorithm>

#include <pliant/autograd/ops/matmul.h>
#include <pliant/tests/fuzz/reference.h>

namespace pliant::fuzz {
namespace {

void products(Input& in) {
  const std::int64_t m = in.extent(6), k = in.extent(9), n = in.extent(6), batch = in.extent(3);
  const bool batched = in.coin(), shared = in.coin();
  const DType dtype = in.dtype();
  const Tensor a = in.tensor(in.near(batched ? Shape{batch, m, k} : Shape{m, k}), dtype);
  const Tensor b = in.tensor(in.near(batched && !shared ? Shape{batch, k, n} : Shape{k, n}), dtype);
  judge(
      "matmul", {a, b}, [](const Vars& v) { return matmul(v[0], v[1]); },
      [&] {
        const Array x(a), y(b);
        const std::int64_t rows = a.dim(-2), inner = a.dim(-1), columns = b.dim(-1);
        const std::int64_t left = a.rank() == 3 ? a.dim(0) : 1,
                           right = b.rank() == 3 ? b.dim(0) : 1;
        const std::int64_t count = left == 1 ? right : left;  // as shapes broadcast
        const Shape to =
            a.rank() == 3 || b.rank() == 3 ? Shape{count, rows, columns} : Shape{rows, columns};
        return expected(to, [&](const std::int64_t* at) {
          const std::int64_t which = to.rank() == 3 ? at[0] : 0;
          const std::int64_t p = left == 1 ? 0 : which, q = right == 1 ? 0 : which;
          const std::int64_t i = at[to.rank() - 2], j = at[to.rank() - 1];
          Sum sum;
          for (std::int64_t l = 0; l < inner; ++l)
            sum.add(x.values[static_cast<std::size_t>((p * rows + i) * inner + l)] *
                    y.values[static_cast<std::size_t>((q * inner + l) * columns + j)]);
          return sum;
        });
      });
}

void linears(Input& in) {
  const std::int64_t from = in.extent(9), to = in.extent(7);
  Shape shape = in.shape(2, 4);
  const Shape rows = shape;
  shape.push_back(from);
  const DType dtype = in.dtype();
  const Tensor x = in.tensor(shape, dtype);
  const Tensor weight = in.tensor(in.near({to, from}), dtype);
  const bool with_bias = in.coin();
  const Tensor bias = with_bias ? in.tensor(in.near({to}), dtype) : Tensor();
  judge(
      "linear", {x, weight, bias}, [](const Vars& v) { return linear(v[0], v[1], v[2]); },
      [&] {
        const Array a(x), w(weight), b(with_bias ? Array(bias) : Array());
        Shape result = rows;
        result.push_back(weight.dim(0));
        std::int64_t row = 0, column = 0;
        return expected(result, [&](const std::int64_t*) {
          Sum sum(with_bias ? b.values[static_cast<std::size_t>(column)] : 0.0);
          for (std::int64_t l = 0; l < from; ++l)
            sum.add(a.values[static_cast<std::size_t>(row * from + l)] * w(column, l));
          if (++column == weight.dim(0)) column = 0, ++row;
          return sum;
        });
      });
}

}  // namespace

std::vector<NamedOperator> product_operators() {
  return {{"matmul", products}, {"linear", linears}};
}

}  // namespace pliant::fuzz
