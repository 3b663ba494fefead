// EpochIterator: what a range-based for walks over an epoch with.
#pragma once

#include <cstddef>
#include <iterator>

namespace pliant {

// Of a Walk with current(), has_current() and advance(), which outlives it. Single pass.
template <class Walk, class Item>
class EpochIterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = Item;

  explicit EpochIterator(Walk* walk) : walk_(walk) {}
  const Item& operator*() const { return walk_->current(); }
  const Item* operator->() const { return &walk_->current(); }
  EpochIterator& operator++() {
    walk_->advance();
    return *this;
  }
  void operator++(int) { walk_->advance(); }
  bool operator==(std::default_sentinel_t) const { return !walk_->has_current(); }

 private:
  Walk* walk_;
};

}  // namespace pliant
