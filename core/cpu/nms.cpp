#include <pliant/core/kernels/nms.h>

#include <algorithm>
#include <type_traits>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 512;  // boxes that are held against all kept before, side by side
constexpr std::int64_t kTask = 32;    // of them for one task
constexpr std::int64_t kRun = 64;     // kept boxes between two looks at the answer

// The boxes kept so far, number by number, so that neighbours are compared at once.
template <class T>
class Kept {
 public:
  Kept(std::int64_t most, Workspace& workspace) {
    for (T*& column : columns_) column = workspace.take<T>(most);
  }

  std::int64_t size() const { return size_; }
  void add(const NMSBox<T>& box) {
    const T numbers[] = {box.x1, box.y1, box.x2, box.y2, box.area};
    for (int i = 0; i < 5; ++i) columns_[i][size_] = numbers[i];
    ++size_;
  }
  // Whether one of those from number `begin` on suppresses the box.
  bool suppress(const NMSBox<T>& box, std::int64_t begin, T side, T threshold) const {
    using Count = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    for (; begin < size_; begin += kRun) {
      const std::int64_t end = std::min(size_, begin + kRun);
      Count hits = 0;
      for (std::int64_t i = begin; i < end; ++i)
        hits += nms_suppresses<T>({columns_[0][i], columns_[1][i], columns_[2][i], columns_[3][i],
                                   columns_[4][i]},
                                  box, side, threshold)
                    ? 1
                    : 0;
      if (hits > 0) return true;
    }
    return false;
  }

 private:
  T* columns_[5];
  std::int64_t size_ = 0;
};

// What was kept does not depend on how the comparisons are shared out.
template <class T>
void suppress_all(const NMSGeometry<T>& g, const T* boxes, std::int64_t* kept, std::int64_t* count,
                  Workspace& workspace) {
  Kept<T> held(std::min(g.n, g.most), workspace);
  bool gone[kBlock];
  const auto box = [&](std::int64_t i) { return nms_box(boxes + 4 * i, g.side); };
  for (std::int64_t first = 0; first < g.n && held.size() < g.most; first += kBlock) {
    const std::int64_t size = std::min(kBlock, g.n - first), before = held.size();
    parallel_blocks(size, kTask, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        gone[i] = held.suppress(box(first + i), 0, g.side, g.threshold);
    });
    for (std::int64_t i = 0; i < size && held.size() < g.most; ++i) {
      if (gone[i] || held.suppress(box(first + i), before, g.side, g.threshold)) continue;
      kept[held.size()] = first + i;
      held.add(box(first + i));
    }
  }
  *count = held.size();
}

}  // namespace

constinit FloatKernel<NMS> cpu::nms{suppress_all, suppress_all};

}  // namespace pliant
