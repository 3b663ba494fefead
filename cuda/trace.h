// What keeps the GPU busy: with PLIANT_GPU_TRACE=file, how often, how long in all and how long on
// average it worked on each kernel of each op, measured by an event before and one after every
// launch. The table, longest first and with tabs between its columns, is written when the program
// ends. A launch that a captured step records is counted apart, and timed as part of its replays.
#pragma once

#include <optional>
#include <string_view>

#include <pliant/cuda/stream.h>

namespace pliant::cuda {

// Around a launch: of a kernel of ours, named by the function that it is written in, or of a
// library's. Costs nothing to speak of unless there is a trace.
class Traced {
 public:
  Traced(const char* op, std::string_view kernel);
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;
  ~Traced();

 private:
  std::optional<Stream> queue_;  // while it is timed
};

// Whether there is a trace: for kernels whose names would have to be made.
bool is_traced();

}  // namespace pliant::cuda
