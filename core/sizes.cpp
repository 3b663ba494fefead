#include <pliant/core/sizes.h>

#include <algorithm>
#include <string>

namespace pliant {
namespace {

// "3 + 4 + 5"
std::string joined(SizeList numbers, const char* between) {
  std::string text;
  for (const std::int64_t number : numbers)
    text += (text.empty() ? "" : between) + std::to_string(number);
  return text;
}

}  // namespace

std::int64_t checked_sum(const char* who, SizeList terms) {
  std::int64_t sum = 0;
  for (const std::int64_t term : terms)
    if (__builtin_add_overflow(sum, term, &sum))
      fail(who, ": ", joined(terms, " + "), " does not fit in 64 bits");
  return sum;
}

std::int64_t checked_product(const char* who, SizeList factors) {
  if (std::find(factors.begin(), factors.end(), 0) != factors.end()) return 0;
  std::int64_t product = 1;
  for (const std::int64_t factor : factors)
    if (__builtin_mul_overflow(product, factor, &product))
      fail(who, ": ", joined(factors, " * "), " does not fit in 64 bits");
  return product;
}

void require_pixels(const char* who, const char* what, std::int64_t least, SizeList numbers) {
  for (const std::int64_t number : numbers)
    require(number >= least && number <= kMostPixels, who, ": ", what, " is ",
            joined(numbers, " x "), ", expected ", least, " to ", kMostPixels);
}

void require_operations(const char* who, const char* what, SizeList factors) {
  double product = 1;  // no number is lost: the exact ones are in the message
  for (const std::int64_t factor : factors)
    product *= static_cast<double>(std::max<std::int64_t>(factor, 1));
  require(product <= static_cast<double>(kMostOperations), who, ": ", joined(factors, " * "), " (",
          what, ") ask for about ", product, " operations, more than 2^40");
}

}  // namespace pliant
