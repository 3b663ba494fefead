// What a file looks like by its first bytes.
#pragma once

#include <string_view>

namespace pliant {

// "a PNG image", "text", ... for a file that begins with `head` (some hundred bytes will do), ""
// if it looks like none of the known kinds. For messages: it proves nothing.
std::string_view file_kind(std::string_view head);

}  // namespace pliant
