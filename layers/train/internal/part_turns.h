// PartTurns: a rank's parts of a step, computed one at a time, in turns from one exchange with the
// other parts to the next.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <pliant/layers/train/group.h>

namespace pliant {

class PartTurns {
 public:
  // Of `parts` parts here, `all_parts` on all ranks.
  PartTurns(const Group& group, std::size_t parts, std::int64_t all_parts)
      : group_(group), all_parts_(static_cast<std::size_t>(all_parts)), given_(parts) {}

  // Calls compute(part) for every part; with `together` on a thread for each, which wait for one
  // another in gather(). Then tells all ranks, and gives what each had to say at the end: `closing`
  // is asked once all is computed. What a part of any rank throws comes out on all, as a GroupError
  // that names the rank.
  std::vector<std::string> run(bool together, const std::function<void(std::size_t)>& compute,
                               const std::function<std::string()>& closing);

  // The values of all parts of all ranks; of a part under way.
  std::vector<double> gather(std::size_t part, std::span<const double> values);

 private:
  enum class Kind : char { values = 'v', idle = 'i', end = 'e', error = 'x' };

  void compute_together(const std::function<void(std::size_t)>& compute);
  void pass_turn(std::size_t part);
  void require_all_given() const;
  // All ranks meet. A GroupError if one says that it failed, or computes while another is done.
  std::vector<std::string> meet(Kind kind, const std::string& text);

  const Group& group_;
  std::size_t all_parts_;
  std::mutex mutex_;
  std::condition_variable turned_;
  std::size_t turn_ = 0;
  std::uint64_t rounds_ = 0;  // of exchanges that all parts had
  std::exception_ptr error_;
  std::string what_failed_;                 // as all ranks say it
  bool is_told_ = false;                    // all ranks know that one failed
  std::vector<std::vector<double>> given_;  // by part, of the round under way
  std::vector<bool> has_given_ = std::vector<bool>(given_.size());
  std::vector<double> all_;  // of the last round
};

}  // namespace pliant
