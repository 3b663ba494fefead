#include <pliant/core/kernels/tally.h>

namespace pliant {
namespace {

template <class T>
void count(std::int64_t n, const std::int64_t* guesses, const std::int64_t* labels, const T* loss,
           std::int64_t* right, double* loss_sum) {
  for (std::int64_t i = 0; i < n; ++i) tally_one(i, guesses, labels, loss, right, loss_sum);
}

}  // namespace

constinit FloatKernel<TallyStep> cpu::tally{count, count};

}  // namespace pliant
