// The place of a part of a batch in the whole.
#pragma once

#include <cstdint>

#include <pliant/autograd/batch_part.h>
#include <pliant/autograd/var.h>

namespace pliant {

// The number that the first of `size` elements has in the whole batch, of which the tape of x sees a
// part; 0 of the whole, and where images have no equal share of them.
inline std::int64_t first_element(const Var& x, std::int64_t size) {
  const BatchPart* const part = x.part();
  if (part == nullptr || part->count() == 0 || size % part->count() != 0) return 0;
  return part->first() * (size / part->count());
}
inline std::int64_t first_element(const Var& x) { return first_element(x, x.size()); }

}  // namespace pliant
