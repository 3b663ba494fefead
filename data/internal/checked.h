// The items of a set: each is checked when the set is opened, on all threads, and found by number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/parallel.h>
#include <pliant/data/bad_files.h>

namespace pliant {

// Calls check(item) for each, in any order. Items of which it throws an Error go to the result, or
// the Error of the first of them is thrown; the others stay, in order. name(item) is for BadFile.
template <class Item, class Name, class Check>
std::vector<BadFile> check_items(std::vector<Item>& items, BadFiles bad_files, const Name& name,
                                 const Check& check) {
  std::vector<std::string> reasons(items.size());
  parallel_for(static_cast<std::int64_t>(items.size()), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    try {
      check(items[at]);
    } catch (const Error& error) {
      reasons[at] = error.what();
    }
  });
  std::vector<BadFile> bad;
  std::size_t good = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!reasons[i].empty()) {
      if (bad_files == BadFiles::stop) throw Error(reasons[i]);
      bad.push_back({name(items[i]), reasons[i]});
      continue;
    }
    if (good != i) items[good] = std::move(items[i]);
    ++good;
  }
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(good), items.end());
  require(bad.empty() || good > 0,
          "no file of the set can be read; the first: ", bad.empty() ? "" : bad.front().reason);
  return bad;
}

// Item i of a set; an Error that begins with `what` if there is none.
template <class Item>
const Item& item_at(const char* what, const std::vector<Item>& items, std::int64_t i) {
  require(i >= 0 && i < static_cast<std::int64_t>(items.size()), what, ' ', i, " of ",
          items.size());
  return items[static_cast<std::size_t>(i)];
}

}  // namespace pliant
