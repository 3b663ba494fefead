// How many processors this process may use.
#pragma once

#include <filesystem>
#include <optional>

namespace pliant {

// Those that it may run on (taskset, cpusets), or as many as keep a quota of processor time busy if
// that is fewer; at least 1.
int processors();

// The tightest quota of processor time of this process's control groups and all above them,
// versions 1 and 2, rounded up to whole processors (half a processor is 1, two and a half are 3);
// nothing where none is set or to be seen. `root` stands for / in tests.
std::optional<int> cpu_quota(const std::filesystem::path& root = "/");

}  // namespace pliant
