// The rows of the scaled-MNIST table: which net, and what of it trains on scaled digits.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/nets.h>

namespace pliant::mnist {

enum class Statistics : unsigned char {
  stay,        // BatchNorm's are frozen
  move,        // they follow the fine-tuning
  reestimate,  // they alone change: an epoch of scaled digits, no gradient
};

// A way to fine-tune. `trained` are patterns of parameter and module paths; all else is frozen.
struct RowKind {
  Deform deform;         // none: the regular net
  std::string finetune;  // as in the table
  std::vector<std::string> trained;
  Statistics statistics;
  double lr;  // peak learning rate, chosen on held-out images; 0: nothing trains by gradients

  // Its name in --rows and files: "bn", "dcn2/offsets".
  std::string key() const;
  bool deformable() const { return deform != Deform::none; }
};

// Patterns of what a deformable net has beyond the regular one.
const std::vector<std::string>& head_patterns();

// "none,bn,offsets" -> the rows: the regular net's, then those of each of `deforms`. An Error that
// lists the names for any other; "every" is all of them.
std::vector<RowKind> rows_from(const std::string& comma_separated,
                               const std::vector<Deform>& deforms);

// "dcn1,dcn2" -> the kinds.
std::vector<Deform> deforms_from(const std::string& comma_separated);

}  // namespace pliant::mnist
