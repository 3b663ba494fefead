#include <pliant/core/timing.h>

#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

constexpr const char* kWho = "timing";

class Event {
 public:
  Event() { cuda::check(cudaEventCreate(&event_), kWho, "cudaEventCreate"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }

  void record() { cuda::check(cudaEventRecord(event_, cuda::stream()), kWho, "cudaEventRecord"); }
  double seconds_since(const Event& start) const {
    cuda::check(cudaEventSynchronize(event_), kWho, "cudaEventSynchronize");
    float milliseconds = 0;
    cuda::check(cudaEventElapsedTime(&milliseconds, start.event_, event_), kWho,
                "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e-3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

double cuda::seconds_of(const std::function<void()>& work) {
  Event start, stop;
  start.record();
  work();
  stop.record();
  return stop.seconds_since(start);
}

DeviceFacts cuda::facts() {
  cuda::stream();  // the device is set with it
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), kWho, "cudaGetDeviceProperties");
  return {properties.name, properties.l2CacheSize};
}

}  // namespace pliant
