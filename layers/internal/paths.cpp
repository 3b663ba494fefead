#include <pliant/layers/internal/paths.h>

#include <algorithm>
#include <array>

#include <pliant/core/error.h>

namespace pliant {
namespace {

bool names_branch(std::string_view pattern) {
  constexpr std::array<std::string_view, 6> kBranches = {"offset",      "mask",    "rotation",
                                                         "offset_mask", "context", "extra"};
  while (!pattern.empty()) {
    const std::size_t end = std::min(pattern.find_first_of(".*"), pattern.size());
    if (std::find(kBranches.begin(), kBranches.end(), pattern.substr(0, end)) != kBranches.end())
      return true;
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return false;
}

}  // namespace

bool path_matches(std::string_view pattern, std::string_view path) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == path[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool any_path_matches(const std::vector<std::string>& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return path_matches(pattern, path); });
}

void check_may_lack(const std::string& who, const std::vector<std::string>& patterns,
                    const std::vector<std::string>& paths) {
  for (const std::string& pattern : patterns) {
    require(!pattern.empty(), who, ": a pattern of may_lack is empty; '*' is all");
    const bool known = names_branch(pattern) ||
                       std::any_of(paths.begin(), paths.end(),
                                   [&](const std::string& p) { return path_matches(pattern, p); });
    require(known, who, ": may_lack '", pattern, "' matches no path; there are ", listed(paths, 4));
  }
}

std::string listed(const std::vector<std::string>& names, std::size_t limit) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < limit; ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > limit) text += " and " + std::to_string(names.size() - limit) + " more";
  return text;
}

}  // namespace pliant
