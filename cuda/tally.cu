#include <pliant/core/kernels/tally.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void count(std::int64_t n, const std::int64_t* guesses, const std::int64_t* labels, const T* loss,
           std::int64_t* right, double* loss_sum) {
  cuda::each("tally", n, [=] __device__(std::int64_t i) {
    tally_one(i, guesses, labels, loss, right, loss_sum);
  });
}

}  // namespace

constinit FloatKernel<TallyStep> cuda::tally{count, count};

}  // namespace pliant
