// Patterns of paths, and lists of them in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pliant {

// Whether `pattern`, where * stands for any run of characters, matches all of `path`.
bool path_matches(std::string_view pattern, std::string_view path);
bool any_path_matches(const std::vector<std::string>& patterns, std::string_view path);

// An Error of `who` if one of the patterns of what may be lacking is empty or misspelled: if it
// matches none of the net's paths and names no branch that deformable layers may have (offset,
// mask, rotation, offset_mask, context, extra), so that one list serves nets with and without.
void check_may_lack(const std::string& who, const std::vector<std::string>& patterns,
                    const std::vector<std::string>& paths);

// "a, b, c and 12 more"
std::string listed(const std::vector<std::string>& names, std::size_t limit = 8);

}  // namespace pliant
