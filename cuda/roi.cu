#include <pliant/cuda/roi.cuh>

#include <pliant/cuda/sort.h>

namespace pliant {

cuda::RowLists cuda::list_rows(const char* op, std::int64_t n, std::int64_t h, std::int64_t count,
                               const RegionBox* boxes, Workspace& workspace) {
  std::int64_t* const counts = workspace.take<std::int64_t>(n * h + 1);
  std::int64_t* const begin = workspace.take<std::int64_t>(n * h + 1);
  std::int32_t* const regions = workspace.take<std::int32_t>(count * h);  // at most
  cuda::each(op, n * h + 1, [=] __device__(std::int64_t i) {
    counts[i] = 0;
    for (std::int64_t r = 0; i < n * h && r < count; ++r)
      if (boxes[r].reaches_row(i / h, i % h)) ++counts[i];
  });
  sum_before(op, n * h + 1, counts, begin, workspace);
  cuda::each(op, n * h, [=] __device__(std::int64_t i) {
    std::int64_t at = begin[i];
    for (std::int64_t r = 0; r < count; ++r)
      if (boxes[r].reaches_row(i / h, i % h)) regions[at++] = static_cast<std::int32_t>(r);
  });
  return {h, boxes, begin, regions};
}

}  // namespace pliant
