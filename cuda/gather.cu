#include <pliant/core/kernels/gather.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void gather_all(const GatherGeometry& g, const T* x, const std::int64_t* index, T* y) {
  cuda::each("gather", g.outer * g.count * g.inner, [=] __device__(std::int64_t at) {
    const std::int64_t j = at % g.inner, k = at / g.inner % g.count, o = at / g.inner / g.count;
    y[at] = gather_one(g, x, index, o, k, j);
  });
}

// A thread owns a column of x and walks y in order.
template <class T>
void scatter_all(const GatherGeometry& g, const T* y, const std::int64_t* index, T* x) {
  cuda::each("scatter", g.outer * g.inner, [=] __device__(std::int64_t at) {
    const std::int64_t j = at % g.inner, o = at / g.inner;
    for (std::int64_t i = 0; i < g.reduced; ++i) x[g.in_x(o, i, j)] = T(0);
    for (std::int64_t k = 0; k < g.count; ++k) scatter_one(g, y, index, x, o, k, j);
  });
}

// A thread owns a column of x and walks the index in order.
void name_all(const GatherGeometry& g, const std::int64_t* index, std::int64_t* last) {
  cuda::each("scatter", g.outer * g.inner, [=] __device__(std::int64_t at) {
    const std::int64_t j = at % g.inner, o = at / g.inner;
    for (std::int64_t i = 0; i < g.reduced; ++i) last[g.in_x(o, i, j)] = -1;
    for (std::int64_t k = 0; k < g.count; ++k) name_one(g, index, last, o, k, j);
  });
}

}  // namespace

constinit GatherKernel cuda::gather{gather_all, gather_all, gather_all, gather_all, gather_all};
constinit FloatKernel<Scatter> cuda::scatter{scatter_all, scatter_all};
constinit Kernel<LastNamed> cuda::last_named{name_all};

}  // namespace pliant
