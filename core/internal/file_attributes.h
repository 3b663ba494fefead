// What a file is known by besides its name and content.
#pragma once

namespace pliant {

// Gives the open file `to` the owner, group, mode, access list and extended attributes of the file
// `name` in the open folder, if there is a regular one. Gives what could not be kept ("its owner"),
// with the reason in errno, or nullptr.
const char* copy_file_attributes(int folder, const char* name, int to);

}  // namespace pliant
