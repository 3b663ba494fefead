// Results files of pliant-mnist: what is read can be printed, written and read again.
#include <pliant/apps/mnist/results.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/file.h>
#include <pliant/tests/fuzz/sanitizer_options.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  Results results;
  if (!fuzz::comes_through([&] { results = read_results(file.path()); })) return 0;
  const std::filesystem::path copy = fuzz::scratch("results.json");
  write_results(copy, results);
  fuzz::expect(json_of(read_results(copy)) == json_of(results), "results do not survive");
  fuzz::expect(!table_of(results, {"", {}}).empty(), "no table");
  return 0;
}
