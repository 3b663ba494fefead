// Tensor: a handle to row-major, contiguous elements on one device. It knows nothing of gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <pliant/core/device.h>
#include <pliant/core/dtype.h>
#include <pliant/core/shape.h>

namespace pliant {

class Rng;

// Copying a Tensor copies the handle: both see the same elements. clone() copies the elements.
class Tensor {
 public:
  // Undefined: no shape and no elements. What asks for either, or for a copy, is an Error.
  Tensor() = default;

  // Makers. `empty` leaves the elements uninitialised. A number that becomes an element is rounded
  // to a floating dtype (beyond its largest: infinite) and cut to a whole number for an integer
  // one; an integer dtype that cannot hold it, NaN among them, is an Error. So it is in fill() and
  // to().
  static Tensor empty(const Shape& shape, DType dtype = DType::float32, Device device = {});
  static Tensor zeros(const Shape& shape, DType dtype = DType::float32, Device device = {});
  static Tensor full(const Shape& shape, double value, DType dtype = DType::float32,
                     Device device = {});
  static Tensor scalar(double value, DType dtype = DType::float32, Device device = {});
  // int64 begin, begin + step, .. before `end` (numpy.arange), and 0 .. count-1.
  static Tensor arange(std::int64_t begin, std::int64_t end, std::int64_t step = 1);
  static Tensor arange(std::int64_t count) { return arange(0, count); }
  // `count` numbers from `first` to `last`, both among them, at equal distances.
  static Tensor linspace(double first, double last, std::int64_t count,
                         DType dtype = DType::float32);
  static Tensor eye(std::int64_t size, DType dtype = DType::float32);  // ones on the diagonal
  // Random, element i being number i of the key: uniform in [0, 1), standard normal, and int64
  // uniform in [low, high): off by less than 2^-64 (high - low) of its probability.
  static Tensor rand(const Shape& shape, const Rng& rng, DType dtype = DType::float32);
  static Tensor randn(const Shape& shape, const Rng& rng, DType dtype = DType::float32);
  static Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const Rng& rng);
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape) {
    return from_bytes(values.data(), static_cast<std::int64_t>(values.size()), shape, dtype_of<T>);
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  template <class T>
  static Tensor from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::span<const T>(values.begin(), values.size()), shape);
  }
  // Around memory of the caller's own, which must stay valid until `keep_alive` is destroyed.
  template <class T>
  static Tensor wrap(T* memory, const Shape& shape,
                     const std::shared_ptr<void>& keep_alive = nullptr) {
    return wrap_bytes(memory, shape, dtype_of<T>, keep_alive);
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const& {
    require_defined("shape");
    return shape_;
  }
  Shape shape() && { return std::as_const(*this).shape(); }
  int rank() const {
    require_defined("rank");
    return shape_.rank();
  }
  // Extent of one axis; negative axes count from the end.
  std::int64_t dim(int axis) const {
    require_defined("dim");
    return shape_[shape_.axis(axis, "dim")];
  }
  std::int64_t size() const {  // number of elements
    require_defined("size");
    return size_;
  }
  std::int64_t bytes() const {
    require_defined("bytes");
    return size_ * size_of(dtype_);
  }
  DType dtype() const {
    require_defined("dtype");
    return dtype_;
  }
  Device device() const;

  // The elements, on whatever device they are. Asking for the wrong type is an Error. Of a
  // temporary there are none, since they would dangle: give the tensor a name first.
  template <class T>
  const T* data() const& {
    return static_cast<const T*>(bytes_for(dtype_of<T>));
  }
  template <class T>
  const T* data() const&& = delete;
  // For writing: every call counts as a change of the storage (see version()).
  template <class T>
  T* mutable_data() & {
    return static_cast<T*>(mutable_bytes_for(dtype_of<T>));
  }
  template <class T>
  T* mutable_data() && = delete;
  const void* raw() const&;
  const void* raw() const&& = delete;
  void* mutable_raw() &;
  void* mutable_raw() && = delete;

  // The elements as a span; CPU only, and of a temporary neither.
  template <class T>
  std::span<const T> span() const& {
    require_host("span");
    return {data<T>(), static_cast<std::size_t>(size_)};
  }
  template <class T>
  std::span<const T> span() const&& = delete;
  template <class T>
  std::span<T> mutable_span() & {
    require_host("span");
    return {mutable_data<T>(), static_cast<std::size_t>(size_)};
  }
  template <class T>
  std::span<T> mutable_span() && = delete;
  // All elements as doubles, from any device and dtype.
  std::vector<double> to_vector() const;
  // The one element of a tensor of size 1.
  double item() const;

  // Views: they share the storage. One extent of a reshape may be -1: it is worked out.
  Tensor reshape(std::initializer_list<std::int64_t> extents) const;
  Tensor reshape(const Shape& shape) const;
  // Rows begin .. end-1 of the leading axis.
  Tensor slice(std::int64_t begin, std::int64_t end) const;

  // Copies.
  Tensor clone() const;
  Tensor to(Device where) const;  // the same handle if it is there already
  // The same handle if it has that dtype; see the makers. On a GPU between floating dtypes, from
  // and to int64 (cut to what it can hold), from int32 and uint8.
  Tensor to(DType dtype) const;
  // Overwrites the elements with those of `source`: same shape and dtype, any device.
  void copy_from(const Tensor& source);
  void fill(double value);

  // Grows whenever an element of the storage may have changed.
  std::uint64_t version() const;
  bool shares_storage_with(const Tensor& other) const { return storage_ == other.storage_; }
  // Whether this handle is the only one to its storage.
  bool unique() const { return storage_.use_count() == 1; }

 private:
  struct Storage;

  static Tensor from_bytes(const void* values, std::int64_t count, const Shape& shape, DType dtype);
  static Tensor wrap_bytes(void* memory, const Shape& shape, DType dtype,
                           const std::shared_ptr<void>& keep_alive);
  const void* bytes_for(DType dtype) const;
  void* mutable_bytes_for(DType dtype);
  void require_host(const char* who) const;
  void require_defined(const char* who) const {
    if (!defined()) [[unlikely]]
      fail_undefined(who);
  }
  [[noreturn]] static void fail_undefined(const char* who);

  std::shared_ptr<Storage> storage_;
  std::int64_t offset_ = 0;  // bytes into the storage
  Shape shape_;
  std::int64_t size_ = 0;
  DType dtype_ = DType::float32;
};

// "float32 [2 3] on cpu" and the elements as NumPy shows them, in columns, in as many significant
// digits as the stream has; of more than 1000 elements the first and last three of every axis.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

// Indices and labels: integers are taken as int64, whatever they are stored as. What is floating or
// undefined is given back as it is.
inline Tensor as_int64(const Tensor& integers) {
  return integers.defined() && !is_floating(integers.dtype()) ? integers.to(DType::int64)
                                                              : integers;
}
// The first of it, without the elements: an Error is one line.
std::string error_part(const Tensor& tensor);

}  // namespace pliant
