// What somebody may have meant who wrote a name that there is not.
#pragma once

#include <string>
#include <vector>

namespace pliant {

// The known name that takes the fewest letters put in, left out or changed to come to (Levenshtein
// 1966), the first of equals; empty if none is known.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace pliant
