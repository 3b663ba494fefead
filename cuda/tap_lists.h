// Which samples read which pixels, the other way round: for gradients by a map that any sample may
// reach. A sample reads the four pixels of a bilinear tap, which lie about one cell: cell (i, j) of
// a map [h w] is between pixels (i-1, j-1), (i-1, j), (i, j-1) and (i, j), so that there are (h+1)
// by (w+1) of them. Maps are images times groups; the groups of a cell lie together.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant::cuda {

struct CellGeometry {
  std::int64_t images, h, w, groups;

  PLIANT_HD std::int64_t count() const { return images * (h + 1) * (w + 1) * groups; }
  PLIANT_HD std::int64_t at(std::int64_t image, std::int64_t row, std::int64_t column,
                            std::int64_t group) const {
    return ((image * (h + 1) + row) * (w + 1) + column) * groups + group;
  }
  // The cell that a tap lies in, or count() for one that reads nothing.
  template <class T>
  PLIANT_HD std::int64_t of(const BilinearTap<T>& tap, std::int64_t image,
                            std::int64_t group) const {
    for (int k = 0; k < 4; ++k)
      if (tap.pixel[k] >= 0)
        return at(image, tap.pixel[k] / w + 1 - k / 2, tap.pixel[k] % w + 1 - k % 2, group);
    return count();
  }
};

// Entries begin .. end-1 of a list of samples.
struct CellRange {
  std::int32_t begin, end;
};

struct TapLists {
  const CellRange* cells;       // [count]
  const std::int32_t* samples;  // cell by cell, and in their own order within each
};

// The lists of `samples` samples from the cell of each one. Sorting keeps the order of equals, so
// there is one result.
TapLists list_taps(const char* op, const CellGeometry& g, std::int64_t samples,
                   const std::int32_t* cell_of, Workspace& workspace);

}  // namespace pliant::cuda
