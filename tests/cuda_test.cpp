// The CUDA half against the CPU's, beyond each op by itself (all_cases.cpp.in). Without a GPU these tests are skipped,
// and the first one says so.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/core/capture.h>
#include <pliant/core/column_memory.h>
#include <pliant/core/gpu_options.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/cases/conv_transpose2d.h>
#include <pliant/tests/cases/dcn.h>
#include <pliant/tests/cases/deform_conv2d.h>
#include <pliant/tests/cases/deform_kernel.h>
#include <pliant/tests/cases/grid_sample.h>
#include <pliant/tests/cases/map_offsets.h>
#include <pliant/tests/cases/pool2d.h>
#include <pliant/tests/cases/upsample.h>
#include <pliant/tests/cuda_check.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Other options than the default's, for a while.
struct WithGpuOptions {
  explicit WithGpuOptions(const GpuOptions& options) { set_gpu_options(options); }
  WithGpuOptions(const WithGpuOptions&) = delete;
  WithGpuOptions& operator=(const WithGpuOptions&) = delete;
  ~WithGpuOptions() { set_gpu_options({}); }
};

// Plain ones of these shapes, and a transposed one.
OpCases convolutions(const std::vector<ConvCase>& shapes) {
  return joined({conv2d_cases(shapes),
                 {conv_transpose2d_case("conv_transpose2d", {2, 3, 4, 5}, {3, 3, 2, 5},
                                        {.stride = 2, .padding = 1, .output_padding = 1})}});
}

struct SmallNet : Module {
  Conv2d stem = own("stem", Conv2d(1, 4, {.padding = 1, .bias = Bias::no}));
  BatchNorm2d norm = own("norm", BatchNorm2d(4));
  DeformConv2d deform = own("deform", DeformConv2d(4, 8, {.stride = 2, .padding = 1}));
  Linear head = own("head", Linear(8, 3));

  Var operator()(const Var& x) const {
    return head(global_avg_pool2d(relu(deform(relu(norm(stem(x)))))));
  }
};

// Everything the net remembers after three steps, and the averages of that.
template <class MakeOptimizer>
State trained(Device device, MakeOptimizer make_optimizer) {
  SmallNet net;
  net.initialise(Rng(7));
  net.to(device);
  auto optimizer = make_optimizer(net.parameters());
  MovingAverage average(net, {.decay = 0.7});
  const Tensor images = random({4, 6, 6, 1}, 1, 0.0, 1.0, DType::float32).to(device);
  const Tensor labels = Tensor::from<std::int64_t>({0, 2, 1, 2}, {4}).to(device);
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    optimizer.step(tape.gradients(softmax_cross_entropy(net(tape.input(images)), labels)));
    average.update();
  }
  State all = net.state();
  const AveragedWeights averaged(average);  // exchanged in place
  for (const auto& [path, value] : net.state()) all.emplace_back("average/" + path, value);
  return all;
}

template <class MakeOptimizer>
void check_training(MakeOptimizer make_optimizer) {
  const State on_cpu = trained(Device::cpu(), make_optimizer);
  const State on_gpu = trained(gpu(), make_optimizer);
  REQUIRE(on_cpu.size() == on_gpu.size());
  for (auto a = on_cpu.begin(), b = on_gpu.begin(); a != on_cpu.end(); ++a, ++b) {
    CAPTURE(a->first);
    CHECK(a->first == b->first);
    CHECK(deviation(a->second, b->second) < 1e-3);  // Adam divides by gradients near 0
  }
}

}  // namespace

TEST_CASE("cuda: without a GPU the tests that need one are skipped, aloud") {
  if (Device::best().is_cuda()) return;
  const std::string why = kHasCuda ? "there is no GPU" : "this build has no CUDA";
  MESSAGE("skipped: the tests of the CUDA half, because ", why);
  const std::string message = error_of([] { Tensor::zeros({1}, DType::float32, Device::cuda()); });
  CHECK(contains(message, kHasCuda ? "there is no cuda:0 (0 found)" : "this build has no CUDA"));
}

TEST_CASE("cuda: convolutions of more columns than one slice holds" * doctest::skip(no_device())) {
  const std::vector<ConvCase> large = {{"large", {2, 200, 200, 24}, {2, 3, 3, 24}, {.padding = 1}}};
  check_cases(convolutions(large), {DType::float32});
  check_cases(deform_conv2d_cases(large), {DType::float32});
}

TEST_CASE("cuda: slices may begin and end anywhere" * doctest::skip(no_device())) {
  struct Restore {
    ~Restore() { set_column_memory(0); }
  } restore;
  const WithGpuOptions options({.convolution = ConvPath::columns});
  set_column_memory(4096);
  for (const OpCases& some : {convolutions(conv_shapes()), deform_conv2d_cases(conv_shapes()),
                              deform_kernel_cases_on_grids()})
    check_cases(some, {DType::float64, DType::bfloat16});
}

TEST_CASE("cuda: convolutions by columns give what the CPU gives" * doctest::skip(no_device())) {
  const WithGpuOptions options({.convolution = ConvPath::columns});
  check_on_gpu(convolutions(conv_shapes()));
}

TEST_CASE("cuda: convolutions by cuDNN give what the CPU gives" * doctest::skip(no_device())) {
  const WithGpuOptions options({.convolution = ConvPath::cudnn});
  const OpCase first = convolutions(conv_shapes()).front();
  if (contains(error_of([&] { run(first, DType::float32, gpu()); }), "has no cuDNN")) {
    MESSAGE("skipped: this build has no cuDNN");
    return;
  }
  check_cases(convolutions(conv_shapes()), {DType::float32, DType::float64});
}

TEST_CASE("cuda: gradients by a map may be added up as they come" * doctest::skip(no_device())) {
  const WithGpuOptions options({.scatter = Scatter::atomic});
  for (const OpCases& some : {deform_conv2d_cases(conv_shapes()), dcn_cases(), map_offsets_cases(),
                              grid_sample_cases(), upsample_cases(), pool2d_cases()})
    for (const OpCase& c : some)
      for (const DType dtype : {DType::float32, DType::float64})
        check_near(c, dtype, tolerance(dtype));
}

TEST_CASE("cuda: TF32 is an option, near to full precision" * doctest::skip(no_device())) {
  const std::vector<ConvCase> wide = {{"wide", {8, 28, 28, 32}, {64, 3, 3, 32}, {.padding = 1}}};
  OpCases cases = convolutions(wide);
  cases.push_back({"matmul",
                   [](const Vars& v) { return matmul(v[0], v[1]); },
                   {random({130, 256}, 1), random({256, 64}, 2)}});
  const WithGpuOptions options({.precision = Precision::tf32});
  for (const OpCase& c : cases) check_near(c, DType::float32, 4e-3);
}

TEST_CASE("cuda: a net trains as on the CPU" * doctest::skip(no_device())) {
  check_training([](std::vector<Parameter> p) { return Sgd(std::move(p), {.lr = 0.1}); });
  check_training([](std::vector<Parameter> p) {
    return Sgd(std::move(p), {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-3, .nesterov = true});
  });
  check_training([](std::vector<Parameter> p) {
    return Adam(std::move(p), {.lr = 1e-2, .weight_decay = 1e-3});
  });
  check_training([](std::vector<Parameter> p) { return AdamW(std::move(p), {.lr = 1e-2}); });
  check_training([](std::vector<Parameter> p) {
    return RmsProp(std::move(p), {.lr = 1e-3, .momentum = 0.9, .centered = true});
  });
  check_training([](std::vector<Parameter> p) {
    return Adagrad(std::move(p), {.lr = 1e-2, .lr_decay = 0.1});
  });
  check_training(
      [](std::vector<Parameter> p) { return AdamW(std::move(p), {.lr = 1e-2, .amsgrad = true}); });
  check_training([](std::vector<Parameter> p) { return NAdam(std::move(p), {.lr = 1e-2}); });
  check_training([](std::vector<Parameter> p) { return Lion(std::move(p), {.lr = 1e-4}); });
  check_training([](std::vector<Parameter> p) { return Muon(std::move(p), {.lr = 1e-2}); });
}

TEST_CASE("cuda: captured steps keep the work of other threads out" * doctest::skip(no_device())) {
  const Tensor x = Tensor::full({64}, 1, DType::float32, gpu());
  Tensor theirs = Tensor::zeros({64}, DType::float32, gpu());
  int calls = 0;
  std::atomic<bool> is_done = false;
  std::thread other;
  Tensor ours = Tensor::zeros({64}, DType::float32, gpu());
  CapturedStep step = capture(gpu(), [&] {
    if (++calls == 2) {  // while the stream records
      other = std::thread([&] {
        theirs.copy_from((Var(theirs) + x).value());
        is_done = true;
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      CHECK(!is_done);
    }
    ours.copy_from((Var(ours) + x).value());
  });
  for (int i = 0; i < 4; ++i) step.replay();
  other.join();
  CHECK(calls == 2);
  CHECK(ours.to_vector() == std::vector<double>(64, 4.0));
  CHECK(theirs.to_vector() == std::vector<double>(64, 1.0));  // once, and no part of the graph
}

TEST_CASE("cuda: tensors go there and back, whole and in slices" * doctest::skip(no_device())) {
  const Tensor host = random({5, 3}, 1);
  const Tensor there = host.to(gpu());
  CHECK(there.device().is_cuda());
  CHECK(max_difference(there, host) == 0.0);
  CHECK(max_difference(there.slice(1, 4), host.slice(1, 4)) == 0.0);
  CHECK(max_difference(there.slice(2, 5).clone(), host.slice(2, 5)) == 0.0);
  CHECK(Tensor::full({4}, 3, DType::int64, gpu()).to_vector() == std::vector<double>(4, 3.0));
  CHECK(Tensor::zeros({0, 3}, DType::float32, gpu()).to_vector().empty());
  Tensor changed = Tensor::zeros({2}, DType::float32, gpu());
  changed.fill(2.5);
  CHECK(changed.to_vector() == std::vector<double>(2, 2.5));
}

TEST_CASE("cuda: what goes wrong is said" * doctest::skip(no_device())) {
  const Tensor here = random({2}, 1), there = here.to(gpu());
  CHECK(contains(error_of([&] { add(here, there); }), "mixes a tensor on"));
  CHECK(contains(error_of([&] { there.span<double>(); }), "bring it over"));
  const std::string memory =  // more than there could ever be, which a driver may call invalid
      error_of([] { Tensor::empty({std::int64_t{1} << 44}, DType::float32, gpu()); });
  CHECK(contains(memory, "70368744177664 bytes"));
  for (const char* part : {"tensors hold", "the pool", "are free", "a smaller batch",
                           "(for float32 [17592186044416])"})
    CHECK(contains(memory, part));
  // And the process goes on, in the memory that there is.
  CHECK(Tensor::full({3}, 2, DType::float32, gpu()).to_vector() == std::vector<double>(3, 2.0));

  // Labels on the GPU are not looked at beforehand: a wrong one shows as NaN, here and there alone.
  Tape tape;
  const Var logits = tape.variable(random({2, 3}, 1).to(gpu()));
  const Tensor labels = Tensor::from<std::int64_t>({1, 3}, {2}).to(gpu());
  const Var loss = softmax_cross_entropy(logits, labels);
  CHECK(std::isnan(loss.value().item()));
  const std::vector<double> dx = tape.gradients(loss)[logits].to_vector();
  for (std::size_t i = 0; i < dx.size(); ++i) CHECK(std::isnan(dx[i]) == (i >= 3));
}

TEST_CASE("cuda: a region that is none is NaN there alone, and has no gradient" *
          doctest::skip(no_device())) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const Tensor rois = Tensor::from(
      std::vector<double>{0, 1, 1, 4, 4, 2, 1, 1, 4, 4, -1, 1, 1, 4, 4, 0, kNan, 1, 4, 4}, {4, 5});
  const std::vector<std::function<Var(const Var&, const Tensor&)>> ops = {
      [](const Var& x, const Tensor& r) { return roi_align(x, r, {.output_size = 2}); },
      [](const Var& x, const Tensor& r) { return roi_pool(x, r, {.output_size = 2}); },
      [](const Var& x, const Tensor& r) { return ps_roi_pool(x, r, {.output_size = 2}); },
      [](const Var& x, const Tensor& r) {
        return deform_roi_pool(x, r, {}, {}, {.pooled_size = 2});
      }};
  for (const auto& op : ops) {
    Tape tape;
    const Var x = tape.variable(random({2, 6, 6, 4}, 1).to(gpu()));
    const Var y = op(x, rois.to(gpu()));
    const std::vector<double> values = y.value().to_vector();
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(std::isnan(values[i]) == (i >= values.size() / 4));
    const Var loss = sum(y);
    for (const double slope : tape.gradients(loss)[x].to_vector()) CHECK(std::isfinite(slope));
  }
}
