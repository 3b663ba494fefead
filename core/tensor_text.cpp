// How a tensor is printed.
#include <algorithm>
#include <string>
#include <type_traits>

#include <pliant/core/tensor.h>
#include <pliant/core/text.h>

namespace pliant {
namespace {

constexpr std::int64_t kWhole = 1000;  // elements of a tensor that is shown whole
constexpr std::int64_t kEdge = 3;      // else: elements at either end of an axis

// The elements of a tensor that are shown, as text.
class Shown {
 public:
  Shown(const Tensor& tensor, int digits)
      : host_(tensor.to(Device::cpu())),
        shape_(tensor.shape()),
        cut_(tensor.size() > kWhole),
        digits_(digits) {
    each(0, 0, [this](std::int64_t at) { width_ = std::max(width_, text(at).size()); });
  }

  // The axes from `axis` on, of the elements from place `at` on, in brackets.
  std::string nested(int axis, std::int64_t at) const {
    if (axis == shape_.rank()) {
      const std::string number = text(at);
      return std::string(width_ - number.size(), ' ') + number;
    }
    const auto inner = static_cast<std::size_t>(shape_.rank() - axis - 1);  // a line for each
    const std::string indent(static_cast<std::size_t>(axis) + 1, ' ');
    const std::string between = inner == 0 ? " " : std::string(inner, '\n') + indent;
    std::string row = "[";
    for (std::int64_t i = 0; i < shape_[axis]; i = after(axis, i)) {
      if (i > 0) row += between;
      if (is_skipped(axis, i))
        row += "...";
      else
        row += nested(axis + 1, at + i * below(axis));
    }
    return row + "]";
  }

 private:
  std::string text(std::int64_t at) const {
    return visit_any(host_.dtype(), [&]<class T>() {
      const T value = host_.data<T>()[at];
      if constexpr (std::is_integral_v<T>)
        return std::to_string(value);
      else
        return general(static_cast<double>(value), digits_);
    });
  }
  // Whether number i of an axis stands for those that are left out.
  bool is_skipped(int axis, std::int64_t i) const {
    return cut_ && shape_[axis] > 2 * kEdge && i == kEdge;
  }
  std::int64_t after(int axis, std::int64_t i) const {
    return is_skipped(axis, i) ? shape_[axis] - kEdge : i + 1;
  }
  std::int64_t below(int axis) const {
    std::int64_t size = 1;
    for (int i = axis + 1; i < shape_.rank(); ++i) size *= shape_[i];
    return size;
  }
  template <class F>
  void each(int axis, std::int64_t at, const F& f) const {
    if (axis == shape_.rank()) return f(at);
    for (std::int64_t i = 0; i < shape_[axis]; i = after(axis, i))
      if (!is_skipped(axis, i)) each(axis + 1, at + i * below(axis), f);
  }

  const Tensor host_;
  const Shape shape_;
  const bool cut_;
  const int digits_;  // significant
  std::size_t width_ = 0;
};

}  // namespace

std::string error_part(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined tensor";
  return text_from(tensor.dtype(), ' ', tensor.shape(), " on ", tensor.device());
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "undefined tensor";
  out << tensor.dtype() << ' ' << tensor.shape() << " on " << tensor.device() << ':';
  const Shown shown(tensor, static_cast<int>(out.precision()));
  return out << (tensor.rank() < 2 ? ' ' : '\n') << shown.nested(0, 0);
}

}  // namespace pliant
