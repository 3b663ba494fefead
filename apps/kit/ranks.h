// Ranks: what a program does that may be started on several ranks (layers/train/group.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <pliant/layers/train/data_parallel.h>

namespace CLI {
class App;
}  // namespace CLI

namespace pliant::kit {

// Calls `body` with the group of the environment. Only the leading rank has a standard output and a
// standard error; what `body` throws ends all ranks, with one line.
int on_ranks(const std::function<int(const Group&)>& body);

// How a training's batches are shared.
struct RankPlan {
  Group group = {};
  std::int64_t parts = 1;  // of a batch
  DataParallelOptions data_parallel = {};

  bool in_parts() const { return parts > 1 || group.size() > 1; }
};

struct RankOptions {
  std::int64_t parts = 0;  // 0: 1 where there is one rank
  std::string sums = "strict";

  void add_to(CLI::App& app);  // --parts, --sums
  // Parts of a batch: as said, else the largest divisor of `batch` up to 12. An Error if what was
  // said does not divide it.
  RankPlan plan(std::int64_t batch, const Group& group) const;
};

}  // namespace pliant::kit
