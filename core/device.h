// Where a tensor lives and where its computations run.
#pragma once

#include <ostream>
#include <string>

#include <pliant/core/error.h>
#include <pliant/core/portable.h>

namespace pliant {

namespace cuda {
// Number of usable GPUs; 0 when the driver finds none. Defined in cuda/runtime.cu.
int device_count();
// What the driver says where it finds none: "; the driver says: ...", else nothing.
std::string why_no_device();
}  // namespace cuda

class Device {
 public:
  enum class Kind : unsigned char { cpu, cuda };

  Device() = default;
  static Device cpu() { return Device(); }
  static Device cuda(int index = 0) {
    require(kHasCuda, "device: this build has no CUDA; configure with the preset `cuda`");
    if constexpr (kHasCuda)
      require(index >= 0 && index < pliant::cuda::device_count(),
              "device: there is no cuda:", index, " (", pliant::cuda::device_count(), " found)",
              pliant::cuda::why_no_device());
    return Device(Kind::cuda, index);
  }
  // The first GPU if there is one, else the CPU.
  static Device best() {
    if constexpr (kHasCuda) {
      if (pliant::cuda::device_count() > 0) return cuda(0);
    }
    return cpu();
  }

  bool is_cpu() const { return kind_ == Kind::cpu; }
  bool is_cuda() const { return kind_ == Kind::cuda; }
  int index() const { return index_; }

  friend bool operator==(Device, Device) = default;
  friend std::ostream& operator<<(std::ostream& out, Device device) {
    if (device.is_cpu()) return out << "cpu";
    return out << "cuda:" << std::to_string(device.index());
  }

 private:
  Device(Kind kind, int index) : kind_(kind), index_(index) {}
  Kind kind_ = Kind::cpu;
  int index_ = 0;
};

}  // namespace pliant
