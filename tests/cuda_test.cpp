// The CUDA half against the CPU's, through the public ops. Without a GPU these tests are skipped,
// and the first one says so.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <pliant/core/column_memory.h>
#include <pliant/core/gpu_options.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/cuda_cases.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

bool no_device() { return Device::best().is_cpu(); }

void check_case(const DeviceCase& c, DType dtype) {
  CAPTURE(c.name);
  CAPTURE(dtype);
  // Of bfloat16, two roundings.
  const double tolerance = dtype == DType::float64 ? 1e-11 : dtype == DType::float32 ? 2e-5 : 0.01;
  const std::vector<Tensor> on_cpu = run(c, dtype, Device::cpu());
  const std::vector<Tensor> on_gpu = run(c, dtype, Device::best());
  const std::vector<Tensor> again = run(c, dtype, Device::best());
  for (std::size_t i = 0; i < on_cpu.size(); ++i) {
    CAPTURE(i);
    CHECK(on_cpu[i].dtype() == on_gpu[i].dtype());
    CHECK(deviation(on_cpu[i], on_gpu[i]) < tolerance);
    CHECK(max_difference(on_gpu[i], again[i]) == 0.0);  // the same bits
  }
}

// Other options than the default's, for a while.
struct WithGpuOptions {
  explicit WithGpuOptions(const GpuOptions& options) { set_gpu_options(options); }
  WithGpuOptions(const WithGpuOptions&) = delete;
  WithGpuOptions& operator=(const WithGpuOptions&) = delete;
  ~WithGpuOptions() { set_gpu_options({}); }
};

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
  const State on_gpu = trained(Device::best(), make_optimizer);
  REQUIRE(on_cpu.size() == on_gpu.size());
  for (auto a = on_cpu.begin(), b = on_gpu.begin(); a != on_cpu.end(); ++a, ++b) {
    CAPTURE(a->first);
    CHECK(a->first == b->first);
    CHECK(deviation(a->second, b->second) < 1e-3);  // Adam divides by gradients near 0
  }
}

}  // namespace

TEST_CASE("cuda: without a GPU the tests that need one are skipped, aloud") {
  if (!no_device()) return;
  const std::string why = kHasCuda ? "there is no GPU" : "this build has no CUDA";
  MESSAGE("skipped: the tests of the CUDA half, ", 2 * all_cases().size(),
          " comparisons of ops among them, because ", why);
  const std::string message = error_of([] { Tensor::zeros({1}, DType::float32, Device::cuda()); });
  CHECK(contains(message, kHasCuda ? "there is no cuda:0 (0 found)" : "this build has no CUDA"));
}

TEST_CASE("cuda: every op gives what the CPU gives, and the same bits twice" *
          doctest::skip(no_device())) {
  for (const DeviceCase& c : all_cases())
    for (const DType dtype : {DType::float32, DType::float64}) check_case(c, dtype);
}

TEST_CASE("cuda: convolutions of more columns than one slice holds" * doctest::skip(no_device())) {
  const std::vector<ConvCase> large = {{"large", {2, 200, 200, 24}, {2, 3, 3, 24}, {.padding = 1}}};
  for (const DeviceCases& some : {conv_cases(large), deform_cases(large)})
    for (const DeviceCase& c : some) check_case(c, DType::float32);
}

TEST_CASE("cuda: slices may begin and end anywhere" * doctest::skip(no_device())) {
  struct Restore {
    ~Restore() { set_column_memory(0); }
  } restore;
  const WithGpuOptions options({.convolution = ConvPath::columns});
  set_column_memory(4096);
  for (const DeviceCases& some :
       {conv_cases(conv_shapes()), deform_cases(conv_shapes()), deform_kernel_cases()})
    for (const DeviceCase& c : some)
      for (const DType dtype : {DType::float64, DType::bfloat16}) check_case(c, dtype);
}

TEST_CASE("cuda: convolutions by columns give what the CPU gives" * doctest::skip(no_device())) {
  const WithGpuOptions options({.convolution = ConvPath::columns});
  for (const DeviceCase& c : conv_cases(conv_shapes()))
    for (const DType dtype : {DType::float32, DType::float64}) check_case(c, dtype);
}

TEST_CASE("cuda: convolutions by cuDNN give what the CPU gives" * doctest::skip(no_device())) {
  const WithGpuOptions options({.convolution = ConvPath::cudnn});
  const DeviceCase first = conv_cases(conv_shapes()).front();
  if (contains(error_of([&] { run(first, DType::float32, Device::best()); }), "has no cuDNN")) {
    MESSAGE("skipped: this build has no cuDNN");
    return;
  }
  for (const DeviceCase& c : conv_cases(conv_shapes()))
    for (const DType dtype : {DType::float32, DType::float64}) check_case(c, dtype);
}

TEST_CASE("cuda: gradients by a map may be added up as they come" * doctest::skip(no_device())) {
  const WithGpuOptions options({.scatter = Scatter::atomic});
  for (const DeviceCases& some :
       {deform_cases(conv_shapes()), dcn_cases(), map_offsets_cases(), map_cases()})
    for (const DeviceCase& c : some)
      for (const DType dtype : {DType::float32, DType::float64}) {
        CAPTURE(c.name);
        const std::vector<Tensor> on_cpu = run(c, dtype, Device::cpu());
        const std::vector<Tensor> on_gpu = run(c, dtype, Device::best());
        for (std::size_t i = 0; i < on_cpu.size(); ++i)
          CHECK(deviation(on_cpu[i], on_gpu[i]) < (dtype == DType::float64 ? 1e-11 : 2e-5));
      }
}

TEST_CASE("cuda: every op takes bfloat16 as on the CPU" * doctest::skip(no_device())) {
  for (const ConvPath path : {ConvPath::automatic, ConvPath::columns}) {
    const WithGpuOptions options({.convolution = path});
    for (const DeviceCase& c : all_cases()) check_case(c, DType::bfloat16);
  }
}

TEST_CASE("cuda: TF32 is an option, near to full precision" * doctest::skip(no_device())) {
  const std::vector<ConvCase> wide = {{"wide", {8, 28, 28, 32}, {64, 3, 3, 32}, {.padding = 1}}};
  DeviceCases cases = conv_cases(wide);
  cases.push_back({"matmul",
                   [](const Vars& v) { return matmul(v[0], v[1]); },
                   {random({130, 256}, 1), random({256, 64}, 2)}});
  const WithGpuOptions options({.precision = Precision::tf32});
  for (const DeviceCase& c : cases) {
    CAPTURE(c.name);
    const std::vector<Tensor> on_cpu = run(c, DType::float32, Device::cpu());
    const std::vector<Tensor> on_gpu = run(c, DType::float32, Device::best());
    for (std::size_t i = 0; i < on_cpu.size(); ++i) CHECK(deviation(on_cpu[i], on_gpu[i]) < 4e-3);
  }
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
}

TEST_CASE("cuda: tensors go there and back, whole and in slices" * doctest::skip(no_device())) {
  const Tensor host = random({5, 3}, 1);
  const Tensor there = host.to(Device::best());
  CHECK(there.device().is_cuda());
  CHECK(max_difference(there, host) == 0.0);
  CHECK(max_difference(there.slice(1, 4), host.slice(1, 4)) == 0.0);
  CHECK(max_difference(there.slice(2, 5).clone(), host.slice(2, 5)) == 0.0);
  CHECK(Tensor::full({4}, 3, DType::int64, Device::best()).to_vector() ==
        std::vector<double>(4, 3.0));
  CHECK(Tensor::zeros({0, 3}, DType::float32, Device::best()).to_vector().empty());
  Tensor changed = Tensor::zeros({2}, DType::float32, Device::best());
  changed.fill(2.5);
  CHECK(changed.to_vector() == std::vector<double>(2, 2.5));
}

TEST_CASE("cuda: what goes wrong is said" * doctest::skip(no_device())) {
  const Tensor here = random({2}, 1), there = here.to(Device::best());
  CHECK(contains(error_of([&] { add(here, there); }), "mixes a tensor on"));
  CHECK(contains(error_of([&] { there.span<double>(); }), "bring it over"));
  const std::string memory =
      error_of([] { Tensor::empty({std::int64_t{1} << 44}, DType::float32, Device::best()); });
  CHECK(contains(memory, "70368744177664 bytes"));
  for (const char* part : {"tensors hold", "the pool", "are free", "a smaller batch",
                           "(for float32 [17592186044416])"})
    CHECK(contains(memory, part));
  // And the process goes on, in the memory that there is.
  CHECK(Tensor::full({3}, 2, DType::float32, Device::best()).to_vector() ==
        std::vector<double>(3, 2.0));

  // Labels on the GPU are not looked at beforehand: a wrong one shows as NaN, here and there alone.
  Tape tape;
  const Var logits = tape.variable(random({2, 3}, 1).to(Device::best()));
  const Tensor labels = Tensor::from<std::int64_t>({1, 3}, {2}).to(Device::best());
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
    const Var x = tape.variable(random({2, 6, 6, 4}, 1).to(Device::best()));
    const Var y = op(x, rois.to(Device::best()));
    const std::vector<double> values = y.value().to_vector();
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(std::isnan(values[i]) == (i >= values.size() / 4));
    const Var loss = sum(y);
    for (const double slope : tape.gradients(loss)[x].to_vector()) CHECK(std::isfinite(slope));
  }
}
