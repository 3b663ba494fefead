// Tables of element-wise functions: a list of types, and the way from a number that a kernel is
// given at run time to the type. One line in such a list and CPU and CUDA both have the function.
#pragma once

#include <type_traits>

namespace pliant {

// Each F<T> is a function of elements of type T.
template <template <class> class... F>
struct FunctionList {
  template <template <class> class G>
  static constexpr bool kHas = (std::is_same_v<F<float>, G<float>> || ...);

  // Place of G in the list.
  template <template <class> class G>
  static constexpr int place_of() {
    static_assert(kHas<G>, "the function is not in the list");
    int place = -1, at = 0;
    ((std::is_same_v<F<float>, G<float>> ? place = at++ : at++), ...);
    return place;
  }

  // Calls visitor.operator()<F<T>>() for the function at `place`: outside the loops over elements,
  // so that they vectorise.
  template <class T, class Visitor>
  static void visit(int place, Visitor&& visitor) {
    int at = 0;
    ((at++ == place ? visitor.template operator()<F<T>>() : void()), ...);
  }
};

}  // namespace pliant
