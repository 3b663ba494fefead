// Confusion: how often each label was taken for each class.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <pliant/core/error.h>

namespace pliant::kit {

// counts[label][guess], as many of either.
class Confusion {
 public:
  using Rows = std::vector<std::vector<std::int64_t>>;

  explicit Confusion(std::size_t classes) : rows_(classes, std::vector<std::int64_t>(classes)) {}
  Confusion() : Confusion(10) {}
  explicit Confusion(Rows rows) : rows_(std::move(rows)) {
    for (const auto& row : rows_)
      require(row.size() == rows_.size(), "a confusion of ", rows_.size(), " labels has a row of ",
              row.size(), " guesses");
  }

  std::size_t size() const { return rows_.size(); }  // classes
  std::vector<std::int64_t>& operator[](std::size_t label) { return rows_[label]; }
  const std::vector<std::int64_t>& operator[](std::size_t label) const { return rows_[label]; }
  const Rows& rows() const& { return rows_; }
  Rows::const_iterator begin() const { return rows_.begin(); }
  Rows::const_iterator end() const { return rows_.end(); }
  friend bool operator==(const Confusion&, const Confusion&) = default;

  // As a list of rows.
  template <class Json>
  friend void to_json(Json& json, const Confusion& confusion) {
    json = confusion.rows_;
  }

 private:
  Rows rows_;
};

}  // namespace pliant::kit
