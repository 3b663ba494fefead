// The order of max and its like: NaN is larger than anything.
#pragma once

#include <pliant/core/portable.h>

namespace pliant {

// Whether a value that comes later takes the place of the one held: the first largest stays, and
// NaN is larger than anything.
template <class T>
PLIANT_HD bool takes_over(T now, T held) {
  return now > held || (now != now && held == held);
}

}  // namespace pliant
