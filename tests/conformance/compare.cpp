#include <pliant/tests/conformance/compare.h>

#include <cmath>
#include <iomanip>
#include <limits>
#include <locale>
#include <sstream>

namespace pliant::conformance {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// |got - want|, infinite unless the two can be subtracted or are the same infinity or both NaN.
double distance(double got, double want) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
  return std::isfinite(got) && std::isfinite(want) ? std::abs(got - want) : kInfinity;
}

std::string index_of(std::int64_t flat, const Shape& shape) {
  Shape index = shape;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << index;
  return text.str();
}

// One element beside its expectation.
struct Element {
  double got = 0, want = 0;
  double allowed = 0;

  Element(double g, double w, const Tolerance& tolerance)
      : got(g), want(w), allowed(tolerance.absolute + tolerance.relative * std::abs(w)) {}

  double deviation() const { return distance(got, want); }
  // An infinity or a NaN where it belongs deviates by 0; any other is out, whatever is allowed.
  bool within() const {
    return deviation() == 0 || (deviation() < kInfinity && deviation() <= allowed);
  }
  double ratio() const {
    if (deviation() == 0) return 0;
    return deviation() < kInfinity && allowed > 0 ? deviation() / allowed : kInfinity;
  }
};

std::string describe(const Element& element, const std::string& where, std::int64_t wrong,
                     std::int64_t count) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::setprecision(3) << "worst deviation " << element.deviation() << " at " << where
       << ", allowed " << element.allowed << std::setprecision(17) << ": got " << element.got
       << ", want " << element.want << " (" << wrong << " of " << count << " elements out)";
  return text.str();
}

}  // namespace

Deviation compare(const std::string& name, const Tensor& got, const Tensor& want,
                  const Tolerance& tolerance) {
  Deviation result;
  result.tensor = name;
  if (!(got.shape() == want.shape())) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << "has shape " << got.shape() << ", want " << want.shape();
    return {false, name, kInfinity, kInfinity, text.str()};
  }
  const std::vector<double> a = got.to_vector();
  std::vector<double> b = want.to_vector();
  // Nothing is nearer than the nearest number of the dtype, which may have few digits: a subnormal.
  if (got.dtype() == DType::float32)
    for (double& number : b) number = static_cast<double>(static_cast<float>(number));
  std::size_t furthest = 0;
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Element element(a[i], b[i], tolerance);
    if (!element.within()) ++wrong;
    if (element.ratio() <= result.ratio) continue;
    furthest = i;
    result.ratio = element.ratio();
    result.worst = element.deviation();
  }
  if (wrong == 0) return result;
  result.passed = false;
  result.message =
      describe(Element(a[furthest], b[furthest], tolerance),
               index_of(static_cast<std::int64_t>(furthest), want.shape()), wrong, want.size());
  return result;
}

}  // namespace pliant::conformance
