#include <pliant/cuda/tap_lists.h>

#include <limits>

#include <pliant/cuda/sort.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {

cuda::TapLists cuda::list_taps(const char* op, const CellGeometry& g, std::int64_t samples,
                               const std::int32_t* cell_of, Workspace& workspace) {
  const std::int64_t count = g.count();
  CellRange* const cells = workspace.take<CellRange>(count);
  set_to_zero(op, cells, count);
  const Sorted sorted = sort_by_key(op, samples, cell_of, count, workspace);
  each(op, samples, [=] __device__(std::int64_t i) {
    const std::int32_t cell = sorted.keys[i];
    if (cell == count) return;  // it reads nothing
    if (i == 0 || sorted.keys[i - 1] != cell) cells[cell].begin = static_cast<std::int32_t>(i);
    if (i + 1 == samples || sorted.keys[i + 1] != cell)
      cells[cell].end = static_cast<std::int32_t>(i + 1);
  });
  return {cells, sorted.values};
}

}  // namespace pliant
