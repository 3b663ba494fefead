#include <pliant/core/kernels/convert.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

template <class From, class To>
void convert_all(std::int64_t n, const From* x, To* y) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = converted<To>(x[i]);
  });
}

template <class T>
void add_all(std::int64_t n, const T* x, double* sum) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum[i] += converted<double>(x[i]);
  });
}

}  // namespace

constinit ConvertKernel cpu::convert{
    convert_all, convert_all, convert_all, convert_all, convert_all, convert_all, convert_all,
    convert_all, convert_all, convert_all, convert_all, convert_all, convert_all};
constinit AddWideKernel cpu::add_wide{add_all, add_all};

}  // namespace pliant
