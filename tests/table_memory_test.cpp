// Tables that kernels make of attributes: small where they can be, else an Error that names the op
// and the bytes, never the standard library's.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr bool kLimits = !kSanitized;  // a sanitizer's shadow memory is address space too

// While it lives, the process may take so many bytes more.
class AddressSpace {
 public:
  explicit AddressSpace(std::uint64_t more) {
    ::getrlimit(RLIMIT_AS, &before_);
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit now = before_;
    now.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + more;
    ::setrlimit(RLIMIT_AS, &now);
  }
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;
  ~AddressSpace() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

}  // namespace

TEST_CASE("average pooling: windows as long as the map take no table of their pixels" *
          doctest::skip(!kLimits)) {
  constexpr std::int64_t kSize = 1 << 15, kKernel = 1 << 14;
  const Tape tape;
  const Var x = tape.variable(Tensor::full({1, kSize, 1, 1}, 3.0F));
  const AddressSpace limit(256 * kMiB);  // a table of all windows: 2 GiB
  const Var y = avg_pool2d(x, {.kernel = {kKernel, 1}, .stride = {1, 1}});
  CHECK(y.value().to_vector()[77] == 3);
  const Gradients gradients = tape.gradients(sum(y));
  CHECK(gradients[x].to_vector()[0] == doctest::Approx(1.0 / kKernel));
  CHECK(gradients[x].to_vector()[kSize / 2] == doctest::Approx(1));
}

TEST_CASE("upsampling: a table without room is an Error that names the op" *
          doctest::skip(!kLimits)) {
  const Tensor x = Tensor::full({1, 1, 1, 1}, 3.0F);
  const AddressSpace limit(1024 * kMiB);
  for (const UpsampleMode mode : {UpsampleMode::nearest, UpsampleMode::bilinear}) {
    const std::string message = error_of([&] {
      upsample2d(x, {.size = {1, 1 << 27}, .mode = mode});
    });
    CAPTURE(message);
    CHECK(message.starts_with("upsample2d: memory: the system has no "));
  }
}

TEST_CASE("deformable RoI pooling: many samples on a small map need little" *
          doctest::skip(!kLimits)) {
  const Tensor rois = Tensor::from<double>({0, 0, 0, 3, 3}, {1, 5});
  const Tape tape;
  const Var x = tape.variable(random({1, 4, 4, 1}, 1));
  const Var trans = tape.variable(Tensor::zeros({1, 64, 64, 2}, DType::float64));
  const AddressSpace limit(128 * kMiB);  // two pixels for each sample: 640 MiB
  const Var y = deform_roi_pool(x, rois, trans, {}, {.pooled_size = 64, .sample_per_part = 1000});
  const Gradients gradients = tape.gradients(sum(y));
  CHECK(std::isfinite(gradients[x].to_vector()[0]));
  CHECK(std::isfinite(gradients[trans].to_vector()[0]));
}
