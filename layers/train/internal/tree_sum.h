// TreeSum: the sum of the parts of a step in a tree whose form depends on their number alone.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/core/tensor.h>

namespace pliant {

// Parts begin .. end-1, and their sum if it is at hand.
struct PartSum {
  std::int64_t begin, end;
  Tensor sum = {};
};

// The root has all parts; a node of parts [a, b) has the children [a, m) and [m, b), m = (a + b) / 2.
// Runs are given from left to right, and become one as soon as the tree says so.
class TreeSum {
 public:
  explicit TreeSum(std::int64_t parts) : parts_(parts) {}

  void add(PartSum run) {
    runs_.push_back(std::move(run));
    while (runs_.size() >= 2 && are_siblings(runs_[runs_.size() - 2], runs_.back())) {
      const PartSum right = std::move(runs_.back());
      runs_.pop_back();
      PartSum& left = runs_.back();
      left.end = right.end;
      if (left.sum.defined()) left.sum = pliant::add(left.sum, right.sum).value();
    }
  }
  const std::vector<PartSum>& runs() const { return runs_; }

  // What parts begin .. end-1 become when they are given one by one.
  static std::vector<PartSum> runs_of(std::int64_t parts, std::int64_t begin, std::int64_t end) {
    TreeSum tree(parts);
    for (std::int64_t part = begin; part < end; ++part) tree.add({part, part + 1});
    return tree.runs_;
  }

 private:
  bool are_siblings(const PartSum& left, const PartSum& right) const {
    std::int64_t begin = 0, end = parts_;
    while (end - begin > 1) {
      const std::int64_t middle = (begin + end) / 2;
      if (begin == left.begin && end == right.end) return middle == left.end;
      if (left.begin >= middle)
        begin = middle;
      else
        end = middle;
    }
    return false;
  }

  std::int64_t parts_;
  std::vector<PartSum> runs_;
};

}  // namespace pliant
