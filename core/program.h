// What every program does around its work.
#pragma once

#include <functional>

namespace pliant {

// Runs `body` and gives the exit status of main: what `body` gives, or 1 after an exception, which
// is told in one line that begins with `name`. What belongs to every program is seen to:
// - Descriptors 0 to 2 are open before `body` opens a file, which would else stand in for a closed
//   one. Without standard output or standard error there is nobody to tell: status 1 at once.
// - What could not be written on these (a full disk, say) makes the status 1 at the end.
// - A limit on the size of files is an Error where it is met, not the end of the process.
int run_program(const char* name, const std::function<int()>& body);

}  // namespace pliant
