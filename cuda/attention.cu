#include <pliant/core/kernels/attention.h>

#include <algorithm>

#include <pliant/cuda/gemm.h>
#include <pliant/cuda/collectives.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "scaled_dot_product_attention";
constexpr std::int64_t kScores = std::int64_t{1} << 24;  // that are held at once
constexpr std::int64_t kRows = 256;                      // of a matrix, at least

// Some rows of some neighbouring matrices, whose scores are held at once.
struct Chunk {
  std::int64_t batch, matrices, row, rows;
};

// Calls f(chunk) for the chunks of all scores, the rows of a matrix in order.
template <class F>
void each_chunk(const AttentionGeometry& g, F f) {
  const std::int64_t least = std::min(g.l, kRows), of_row = std::max<std::int64_t>(g.s, 1);
  const std::int64_t matrices =
      std::clamp<std::int64_t>(kScores / (least * of_row), 1, std::max<std::int64_t>(g.batch, 1));
  const std::int64_t rows = std::clamp<std::int64_t>(kScores / (matrices * of_row), least, g.l);
  for (std::int64_t batch = 0; batch < g.batch; batch += matrices)
    for (std::int64_t row = 0; row < g.l; row += rows)
      f(Chunk{batch, std::min(matrices, g.batch - batch), row, std::min(rows, g.l - row)});
}

std::int64_t most_scores(const AttentionGeometry& g) {
  std::int64_t most = 0;
  each_chunk(g, [&](const Chunk& c) { most = std::max(most, c.matrices * c.rows * g.s); });
  return most;
}

// The rows of a chunk, of matrices of `columns` that lie `rows` apart.
template <class T>
Matrices<T> rows_of(const Chunk& c, T* data, std::int64_t rows, std::int64_t columns,
                    Transpose transpose = Transpose::no) {
  return {data + (c.batch * rows + c.row) * columns, columns, rows * columns, transpose};
}
template <class T>
Matrices<T> whole(const Chunk& c, T* data, std::int64_t rows, std::int64_t columns,
                  Transpose transpose = Transpose::no) {
  return {data + c.batch * rows * columns, columns, rows * columns, transpose};
}
template <class T>
Matrices<T> scores_of(const AttentionGeometry& g, const Chunk& c, T* data,
                      Transpose transpose = Transpose::no) {
  return {data, g.s, c.rows * g.s, transpose};
}

// Row `line` of a chunk: its matrix, its row there, and its place among all rows.
struct Line {
  std::int64_t batch, row, at;

  __device__ Line(const AttentionGeometry& g, const Chunk& c, std::int64_t line)
      : batch(c.batch + line / c.rows), row(c.row + line % c.rows), at(batch * g.l + row) {}
};

template <class T>
__device__ T score_of(const AttentionGeometry& g, const Line& line, const T* bias, std::int64_t j,
                      T product) {
  if (j >= g.keys_of(line.row)) return -std::numeric_limits<T>::infinity();
  const T score = product * static_cast<T>(g.scale);
  if (bias == nullptr) return score;
  return score + bias[g.bias.start(line.batch) + line.row * g.bias.row + j * g.bias.column];
}

template <class T>
__device__ T dropped(const AttentionGeometry& g, const Rng& key, const Line& line, std::int64_t j,
                     T x) {
  if (g.dropout.n == 0) return x;
  return pliant::dropout(x,
                         key.bits(static_cast<std::uint64_t>(g.dropout.first + line.at * g.s + j)),
                         g.dropout.threshold(), static_cast<T>(g.dropout.scale()));
}

template <class T>
void products(const AttentionGeometry& g, const Chunk& c, const T* query, const T* key, T* scores) {
  multiply<T, T>(kOp, {c.rows, g.s, g.e, c.matrices}, rows_of(c, query, g.l, g.e),
                 whole(c, key, g.s, g.e, Transpose::yes), scores_of(g, c, scores), Accumulate::no);
}

template <class T>
void forward_of(const AttentionGeometry& g, const Chunk& c, const AttentionForwardArgs<T>& a,
                T* scores) {
  products(g, c, a.query, a.key, scores);
  reduce_lines(
      kOp, c.matrices * c.rows, g.s, ScoreSum<T>(),
      [=] __device__(std::int64_t row, std::int64_t j) {
        return ScoreSum<T>{score_of(g, Line(g, c, row), a.bias, j, scores[row * g.s + j]), T(1)};
      },
      [] __device__(const ScoreSum<T>& x, const ScoreSum<T>& y) { return x.joined(y); },
      [=] __device__(std::int64_t row, const ScoreSum<T>& all) {
        a.rows[Line(g, c, row).at] = AttentionRow<T>::of(all);
      });
  each(kOp, c.matrices * c.rows * g.s, [=] __device__(std::int64_t i) {
    const Line line(g, c, i / g.s);
    const std::int64_t j = i % g.s;
    const T weight = a.rows[line.at].weight(score_of(g, line, a.bias, j, scores[i]));
    scores[i] = dropped(g, g.dropout.key_of_step(), line, j, weight);
  });
  multiply<T, T>(kOp, {c.rows, g.v, g.s, c.matrices}, scores_of<const T>(g, c, scores),
                 whole(c, a.value, g.s, g.v), rows_of(c, a.y, g.l, g.v), Accumulate::no);
}

template <class T>
void forward(const AttentionGeometry& g, const AttentionForwardArgs<T>& args,
             Workspace& workspace) {
  T* const scores = workspace.take<T>(most_scores(g));
  each_chunk(g, [&](const Chunk& chunk) { forward_of(g, chunk, args, scores); });
}

// Row by row the sum of weight * its gradient, which is that of y * dy.
template <class T>
void sum_along(const AttentionGeometry& g, const AttentionGradientArgs<T>& a, T* along) {
  reduce_lines(
      kOp, g.batch * g.l, g.v, T(0),
      [=] __device__(std::int64_t row, std::int64_t j) {
        return a.y[row * g.v + j] * a.dy[row * g.v + j];
      },
      [] __device__(T x, T y) { return x + y; },
      [=] __device__(std::int64_t row, T sum) { along[row] = sum; });
}

template <class T>
void gradient_of(const AttentionGeometry& g, const Chunk& c, const AttentionGradientArgs<T>& a,
                 const T* along, T* weights, T* slopes) {
  const auto accumulate = c.row == 0 ? Accumulate::no : Accumulate::yes;
  products(g, c, a.query, a.key, weights);
  multiply<T, T>(kOp, {c.rows, g.s, g.v, c.matrices}, rows_of(c, a.dy, g.l, g.v),
                 whole(c, a.value, g.s, g.v, Transpose::yes), scores_of(g, c, slopes),
                 Accumulate::no);
  each(kOp, c.matrices * c.rows * g.s, [=] __device__(std::int64_t i) {
    const Line line(g, c, i / g.s);
    const std::int64_t j = i % g.s;
    const Rng key = g.dropout.key_of_step();
    const T weight = a.rows[line.at].weight(score_of(g, line, a.bias, j, weights[i]));
    const T slope = score_gradient(weight, dropped(g, key, line, j, slopes[i]), along[line.at]);
    weights[i] = dropped(g, key, line, j, weight);
    slopes[i] = slope * static_cast<T>(g.scale);
    if (a.dbias != nullptr) a.dbias[line.at * g.s + j] = slope;
  });
  if (a.dvalue != nullptr)
    multiply<T, T>(kOp, {g.s, g.v, c.rows, c.matrices},
                   scores_of<const T>(g, c, weights, Transpose::yes), rows_of(c, a.dy, g.l, g.v),
                   whole(c, a.dvalue, g.s, g.v), accumulate);
  if (a.dquery != nullptr)
    multiply<T, T>(kOp, {c.rows, g.e, g.s, c.matrices}, scores_of<const T>(g, c, slopes),
                   whole(c, a.key, g.s, g.e), rows_of(c, a.dquery, g.l, g.e), Accumulate::no);
  if (a.dkey != nullptr)
    multiply<T, T>(kOp, {g.s, g.e, c.rows, c.matrices},
                   scores_of<const T>(g, c, slopes, Transpose::yes), rows_of(c, a.query, g.l, g.e),
                   whole(c, a.dkey, g.s, g.e), accumulate);
}

template <class T>
void gradient(const AttentionGeometry& g, const AttentionGradientArgs<T>& args,
              Workspace& workspace) {
  const std::int64_t most = most_scores(g);
  T* const weights = workspace.take<T>(most);
  T* const slopes = workspace.take<T>(most);
  T* const along = workspace.take<T>(g.batch * g.l);
  sum_along(g, args, along);
  each_chunk(g, [&](const Chunk& chunk) { gradient_of(g, chunk, args, along, weights, slopes); });
}

}  // namespace

constinit FloatKernel<AttentionForward> cuda::attention_forward{forward, forward};
constinit FloatKernel<AttentionGradient> cuda::attention_gradient{gradient, gradient};

}  // namespace pliant
