// Ledger: the folder in which an experiment keeps its trained nets, its results and the trainings
// under way, so that nothing finished is done twice. With checkpoints the folder is locked: two
// runs would each write results without the other's rows.
#pragma once

#include <memory>
#include <optional>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/mnist/classifier.h>
#include <pliant/apps/mnist/results.h>
#include <pliant/core/file_lock.h>

namespace pliant::mnist {

struct LedgerOptions {
  std::filesystem::path folder;    // empty: nothing is kept
  bool checkpoints = false;        // results and trainings under way are kept too, not nets alone
  bool resume = false;             // the folder may hold an earlier run of the same recipe
  double checkpoint_seconds = 60;  // between checkpoints within an epoch
};

class Ledger {
 public:
  // `header` says what will be run; its rows are empty. Without `resume` a folder that holds
  // results is an Error, and so is one of another recipe or one that another run is writing.
  Ledger(Results header, const LedgerOptions& options);

  const Results& results() const { return results_; }
  // Adds a finished row; its training is under way no more.
  void put(const RowResult& row);

  // The training of row `key` and that seed: net and training if it is complete and checkpoints are
  // kept, else nothing. Before it is trained anew over a net that was trained otherwise, an Error.
  std::optional<kit::Training> trained(Classifier& net, const std::string& key,
                                       std::uint64_t seed) const;
  // Keeps a completely trained net.
  void keep(const Classifier& net, const std::string& key, std::uint64_t seed,
            const kit::Training& training, std::map<std::string, std::string> metadata);
  // The name in the folder of the file of such a net; "" if there is no folder.
  std::string weights(const std::string& key, std::uint64_t seed) const;
  // Of a training under way; nullptr if those are not kept.
  std::unique_ptr<kit::Checkpoint> checkpoint(const std::string& key, std::uint64_t seed) const;

 private:
  std::filesystem::path file(const std::string& key, std::uint64_t seed,
                             const std::string& extension) const;
  std::string recipe(const std::string& key, std::uint64_t seed) const;

  LedgerOptions options_;
  std::unique_ptr<FileLock> lock_;
  Results results_;
};

}  // namespace pliant::mnist
