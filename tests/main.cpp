#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <locale>
#include <string_view>
#include <system_error>

#include <pliant/core/parallel.h>

namespace {

// --shard=2/4 leaves every fourth test from the second on, as if there were no others: doctest's own
// ranges would count those of all shards in each. False: the argument is not of this form.
bool keep_shard(std::string_view argument) {
  const std::string_view option = "--shard=";
  if (!argument.starts_with(option)) return true;
  const char* const end = argument.data() + argument.size();
  int shard = 0, count = 0;
  const auto [slash, no_shard] = std::from_chars(argument.data() + option.size(), end, shard);
  if (no_shard != std::errc{} || slash == end || *slash != '/') return false;
  const auto [rest, no_count] = std::from_chars(slash + 1, end, count);
  if (no_count != std::errc{} || rest != end || shard < 1 || shard > count) return false;
  std::erase_if(doctest::detail::getRegisteredTests(),
                [&, place = 0](const auto&) mutable { return place++ % count != shard - 1; });
  return true;
}

}  // namespace

// PLIANT_TEST_LOCALE, if set, names the global locale of all tests: none may depend on it.
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (keep_shard(argv[i])) continue;
    std::fprintf(stderr, "pliant: '%s' is no shard; the second of four is --shard=2/4\n", argv[i]);
    return 2;
  }
  if (const char* const name = std::getenv("PLIANT_TEST_LOCALE"))
    std::locale::global(std::locale(name));
  const int status = doctest::Context(argc, argv).run();
  pliant::set_thread_count(1);  // a thread that runs hides what it holds from who looks for leaks
  return status;
}
