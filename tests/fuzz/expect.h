// What a fuzz target finds: it stops the program with a line, so that libFuzzer keeps the bytes.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <pliant/core/error.h>

namespace pliant::fuzz {

// What is being tried, for the line.
inline const char* context = "";

template <class... Parts>
[[noreturn]] void found(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  std::fprintf(stderr, "FOUND: %s %s\n", context, text.str().c_str());
  std::abort();
}

template <class... Parts>
void expect(bool condition, const Parts&... parts) {
  if (!condition) found(parts...);
}

// Calls f; true if it came through, false if it threw an Error, which must be one printable line.
// Any other exception is a finding.
template <class F>
bool comes_through(F&& f) {
  try {
    f();
    return true;
  } catch (const Error& error) {
    const std::string text = error.what();
    expect(!text.empty() && text.size() < 4000, "an Error of ", text.size(), " characters");
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      expect(byte >= 0x20 && byte != 0x7f, "an Error that is not one printable line: ", text);
    }
    return false;
  } catch (const std::exception& error) {
    found("not an Error: ", error.what());
  }
}

}  // namespace pliant::fuzz
