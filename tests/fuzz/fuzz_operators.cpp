// A random operator on random arguments: an Error, or the result of a naive reference.
#include <pliant/core/parallel.h>
#include <pliant/tests/fuzz/reference.h>
#include <pliant/tests/fuzz/sanitizer_options.h>

using namespace pliant::fuzz;

namespace {

std::vector<NamedOperator> all_operators() {
  std::vector<NamedOperator> all;
  for (const auto& family :
       {elementwise_operators(), shape_operators(), reduction_operators(), product_operators(),
        convolution_operators(), sampling_operators(), region_operators(), map_operators()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<NamedOperator> all = all_operators();
  static const bool one_thread = (pliant::set_thread_count(1), true);
  static_cast<void>(one_thread);
  if (size < 2) return -1;
  // From the front, so that a mutation keeps the operator more often than not.
  const std::size_t chosen = data[0] % all.size();
  context = all[chosen].name;
  Input input(data + 1, size - 1);
  // Arguments that cannot even be made are Errors too.
  comes_through([&] { all[chosen].run(input); });
  return 0;
}
