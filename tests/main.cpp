#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <locale>

// PLIANT_TEST_LOCALE, if set, names the global locale of all tests: none may depend on it.
int main(int argc, char** argv) {
  if (const char* const name = std::getenv("PLIANT_TEST_LOCALE"))
    std::locale::global(std::locale(name));
  return doctest::Context(argc, argv).run();
}
