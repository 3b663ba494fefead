#include <pliant/core/kernels/argsort.h>

#include <algorithm>

#include <pliant/core/cpu/per_thread.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 4096;  // elements a task, about

// An element of a line: no two are equal, so every sort gives the same order.
struct Place {
  std::uint64_t key;
  std::int64_t at;
  bool operator<(const Place& other) const {
    return key != other.key ? key < other.key : at < other.at;
  }
};

// A task owns whole lines.
template <class T>
void argsort_all(const ArgsortGeometry& g, const T* x, std::int64_t* index, Workspace& workspace) {
  const cpu::PerThread<Place> room(g.length, workspace);
  parallel_blocks(g.outer * g.inner, std::max<std::int64_t>(1, kBlock / g.length),
                  [&](std::int64_t begin, std::int64_t end) {
                    Place* const line = room.of();
                    Place* const last = line + g.length;
                    for (std::int64_t i = begin; i < end; ++i) {
                      for (std::int64_t k = 0; k < g.length; ++k)
                        line[k] = {sort_key(g, x[g.in_x(i, k)]), k};
                      if (g.count < g.length) std::nth_element(line, line + g.count, last);
                      std::sort(line, line + g.count);
                      for (std::int64_t rank = 0; rank < g.count; ++rank)
                        index[g.in_index(i, rank)] = line[rank].at;
                    }
                  });
}

}  // namespace

constinit NumberKernel<Argsort> cpu::argsort{argsort_all, argsort_all, argsort_all};

}  // namespace pliant
