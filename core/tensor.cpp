#include <pliant/core/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <pliant/core/capture.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/convert.h>
#include <pliant/core/kernels/fill.h>
#include <pliant/core/memory.h>
#include <pliant/core/sizes.h>

namespace pliant {

struct Tensor::Storage {
  std::byte* memory = nullptr;
  std::int64_t bytes = 0;
  Device device;
  std::uint64_t version = 0;
  bool owned = true;
  std::shared_ptr<void> keep_alive;  // of memory that is not ours

  Storage(void* memory_, std::int64_t bytes_, Device device_, bool owned_)
      : memory(static_cast<std::byte*>(memory_)), bytes(bytes_), device(device_), owned(owned_) {}
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage() {
    if (owned) release(memory, bytes, device);
  }
};

namespace {

void* memory_for(const Shape& shape, DType dtype, std::int64_t bytes, Device device) {
  try {
    return allocate(bytes, device);
  } catch (const Error& error) {
    fail(error.what(), " (for ", dtype, ' ', shape, ')');
  }
}

// A number as an element: rounded to a floating type (beyond its largest number: infinite, as IEEE
// 754 has it), cut to a whole number for an integer type, which must be able to hold that.
template <class To, class From>
To element(From value) {
  if constexpr (is_floating(dtype_of<To>)) {
    return converted<To>(value);
  } else {
    using Limits = std::numeric_limits<To>;
    bool fits = true;
    if constexpr (is_floating(dtype_of<From>)) {
      const double whole = std::trunc(static_cast<double>(value));
      // The largest number of 64 bits is no double; the one after it is.
      fits = whole >= static_cast<double>(Limits::min()) &&
             whole < static_cast<double>(Limits::max()) + 1;
    } else {
      fits = std::in_range<To>(value);
    }
    require(fits, "tensor: ", dtype_of<To>, " cannot hold ", +static_cast<Wide<From>>(value),
            ", only ", std::int64_t{Limits::min()}, " to ", std::int64_t{Limits::max()});
    return static_cast<To>(static_cast<Wide<From>>(value));
  }
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  Tensor t;
  t.shape_ = shape;
  t.size_ = shape.size();
  t.dtype_ = dtype;
  const std::int64_t bytes = t.size_ * size_of(dtype);
  t.storage_ = std::make_shared<Storage>(nullptr, bytes, device, /*owned=*/false);
  t.storage_->memory = static_cast<std::byte*>(memory_for(shape, dtype, bytes, device));
  t.storage_->owned = true;
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
  Tensor t = empty(shape, dtype, device);
  kernel<Fill<std::uint8_t>, cpu::fill, cuda::fill>("zeros", device)(
      t.bytes(), 0, static_cast<std::uint8_t*>(t.mutable_raw()));
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor t = empty(shape, dtype, device);
  t.fill(value);
  return t;
}

Tensor Tensor::scalar(double value, DType dtype, Device device) {
  return full({}, value, dtype, device);
}

Tensor Tensor::from_bytes(const void* values, std::int64_t count, const Shape& shape, DType dtype) {
  require(count == shape.size(), "tensor: ", count, " values do not fill ", shape);
  Tensor t = empty(shape, dtype);
  copy_bytes(t.mutable_raw(), {}, values, {}, t.bytes());
  return t;
}

Tensor Tensor::wrap_bytes(void* memory, const Shape& shape, DType dtype,
                          const std::shared_ptr<void>& keep_alive) {
  Tensor t;
  t.shape_ = shape;
  t.size_ = shape.size();
  t.dtype_ = dtype;
  require(memory != nullptr || t.size_ == 0, "tensor: wrap of a null pointer as ", shape);
  t.storage_ = std::make_shared<Storage>(memory, t.size_ * size_of(dtype), Device::cpu(),
                                         /*owned=*/false);
  t.storage_->keep_alive = keep_alive;
  return t;
}

void Tensor::fail_undefined(const char* who) {
  fail(who, ": the tensor is undefined (made by the default constructor, or moved from)");
}

Device Tensor::device() const {
  require_defined("device");
  return storage_->device;
}

const void* Tensor::raw() const& {
  require_defined("raw");
  return storage_->memory + offset_;
}

void* Tensor::mutable_raw() & {
  require_defined("mutable_raw");
  ++storage_->version;
  return storage_->memory + offset_;
}

const void* Tensor::bytes_for(DType dtype) const {
  require_defined("data");
  require(dtype == dtype_, "tensor: its elements are ", dtype_, ", not ", dtype);
  return raw();
}

void* Tensor::mutable_bytes_for(DType dtype) {
  require_defined("mutable_data");
  require(dtype == dtype_, "tensor: its elements are ", dtype_, ", not ", dtype);
  return mutable_raw();
}

void Tensor::require_host(const char* who) const {
  require_defined(who);
  require(device().is_cpu(), who, ": the tensor is on ", device(),
          "; bring it over with to(Device::cpu())");
}

std::uint64_t Tensor::version() const { return defined() ? storage_->version : 0; }

std::vector<double> Tensor::to_vector() const {
  require_no_replay("to_vector");
  require_defined("to_vector");
  const Tensor host = to(Device::cpu());
  std::vector<double> values(static_cast<std::size_t>(size_));
  visit_any(dtype_, [&]<class T>() {
    const T* const from = host.data<T>();
    std::transform(from, from + size_, values.begin(), [](T v) { return static_cast<double>(v); });
  });
  return values;
}

double Tensor::item() const {
  require_no_replay("item");
  require_defined("item");
  require(size_ == 1, "item: the tensor has ", size_, " elements, not one (", shape_, ")");
  return to_vector().front();
}

Tensor Tensor::reshape(std::initializer_list<std::int64_t> extents) const {
  require_defined("reshape");
  std::int64_t known = 1;
  int open = 0;
  for (const std::int64_t extent : extents) {
    require(extent >= -1, "reshape: extent ", extent, " is negative; only -1, for one that is ",
            "worked out, may be");
    if (extent == -1)
      ++open;
    else
      known = checked_product("reshape", {known, extent});
  }
  require(open <= 1, "reshape: ", open, " extents are -1, expected one at most");
  Shape shape;
  for (const std::int64_t extent : extents) {
    require(extent != -1 || (known > 0 && size_ % known == 0), "reshape: ", shape_,
            " cannot be cut into rows of ", known, " elements");
    shape.push_back(extent == -1 ? size_ / known : extent);
  }
  return reshape(shape);
}

Tensor Tensor::reshape(const Shape& shape) const {
  require_defined("reshape");
  require(shape.size() == size_, "reshape: ", shape_, " has ", size_, " elements, ", shape, " has ",
          shape.size());
  Tensor view = *this;
  view.shape_ = shape;
  return view;
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  require_defined("slice");
  require(rank() > 0, "slice: a scalar has no leading axis");
  require(0 <= begin && begin <= end && end <= shape_[0], "slice: rows ", begin, " to ", end,
          " are not in ", shape_);
  Tensor view = *this;
  const std::int64_t row = shape_[0] == 0 ? 0 : size_ / shape_[0];
  view.shape_[0] = end - begin;
  view.size_ = row * (end - begin);
  view.offset_ += begin * row * size_of(dtype_);
  return view;
}

Tensor Tensor::clone() const {
  require_defined("clone");
  Tensor t = empty(shape_, dtype_, device());
  t.copy_from(*this);
  return t;
}

Tensor Tensor::to(Device where) const {
  require_defined("to");
  if (where == device()) return *this;
  Tensor t = empty(shape_, dtype_, where);
  t.copy_from(*this);
  return t;
}

namespace {

// What needs no look at the elements, which on a GPU nothing takes.
template <class From, class To>
constexpr bool kConverts = std::is_base_of_v<KernelOf<Convert<From, To>>, ConvertKernel>;

}  // namespace

Tensor Tensor::to(DType dtype) const {
  require_defined("to");
  if (dtype == dtype_) return *this;
  Tensor t = empty(shape_, dtype, device());
  visit_any(dtype_, [&]<class From>() {
    visit_any(dtype, [&]<class To>() {
      if constexpr (kConverts<From, To>) {
        if (is_floating(dtype) || !device().is_cpu())
          return kernel<Convert<From, To>, cpu::convert, cuda::convert>("to", device())(
              size_, data<From>(), t.mutable_data<To>());
      }
      require_host("to(dtype)");
      const From* const from = data<From>();
      std::transform(from, from + size_, t.mutable_data<To>(), element<To, From>);
    });
  });
  return t;
}

void Tensor::copy_from(const Tensor& source) {
  require_defined("copy_from");
  require(source.defined(),
          "copy_from: the source is undefined (made by the default constructor, or moved from)");
  require(source.shape_ == shape_ && source.dtype_ == dtype_, "copy_from: ", source.dtype_, " ",
          source.shape_, " into ", dtype_, " ", shape_);
  copy_bytes(mutable_raw(), device(), source.raw(), source.device(), bytes());
}

void Tensor::fill(double value) {
  require_defined("fill");
  visit_any(dtype_, [&]<class T>() {
    kernel<Fill<T>, cpu::fill, cuda::fill>("fill", device())(size_, element<T>(value),
                                                             mutable_data<T>());
  });
}

}  // namespace pliant
