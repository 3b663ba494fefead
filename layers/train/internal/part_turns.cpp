#include <pliant/layers/train/internal/part_turns.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include <pliant/core/error.h>

namespace pliant {
namespace {

constexpr const char* kDifferent =
    "DataParallel: the parts of a step exchange different statistics: the ranks run different nets";
constexpr const char* kUneven =
    "DataParallel: the parts of a step exchanged statistics a different number of times";

std::string packed(std::span<const double> values) {
  std::string text(values.size_bytes(), '\0');
  if (!text.empty()) std::memcpy(text.data(), values.data(), text.size());
  return text;
}

void unpack(const std::string& text, std::size_t from, std::vector<double>& values) {
  const std::size_t count = (text.size() - from) / sizeof(double), before = values.size();
  values.resize(before + count);
  if (count > 0) std::memcpy(values.data() + before, text.data() + from, count * sizeof(double));
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

}  // namespace

std::vector<std::string> PartTurns::meet(Kind kind, const std::string& text) {
  is_told_ = true;  // of what is thrown from here on
  std::vector<std::string> said = group_.all_gather(static_cast<char>(kind) + text);
  bool some_compute = false, some_end = false;
  for (std::size_t rank = 0; rank < said.size(); ++rank) {
    const auto its = static_cast<Kind>(said[rank].at(0));
    if (its == Kind::error) {
      what_failed_ = text_from("rank ", rank, ": ", said[rank].substr(1));
      throw GroupError(what_failed_);
    }
    some_compute = some_compute || its == Kind::values;
    some_end = some_end || its == Kind::end;
  }
  if (some_compute && some_end) throw GroupError(what_failed_ = kDifferent);
  is_told_ = false;
  return said;
}

std::vector<std::string> PartTurns::run(bool together,
                                        const std::function<void(std::size_t)>& compute,
                                        const std::function<std::string()>& closing) {
  std::string last;
  try {
    if (given_.empty()) {  // the others may exchange what there is nothing of here
      for (bool done = false; !done;) {
        const std::vector<std::string> said = meet(Kind::idle, closing());
        done = std::none_of(said.begin(), said.end(), [](const std::string& text) {
          return static_cast<Kind>(text[0]) == Kind::values;
        });
        if (!done) continue;
        std::vector<std::string> rest;
        for (const std::string& text : said) rest.push_back(text.substr(1));
        return rest;
      }
    }
    if (together && given_.size() > 1)
      compute_together(compute);
    else
      for (std::size_t part = 0; part < given_.size(); ++part) compute(part);
    last = closing();
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    if (group_.size() == 1) std::rethrow_exception(error);
    if (!is_told_) meet(Kind::error, text_of(error));
    // Anew, for what went through a layer has that in its text.
    if (!what_failed_.empty()) throw GroupError(what_failed_);
    std::rethrow_exception(error);
  }
  std::vector<std::string> said = meet(Kind::end, last);
  for (std::string& text : said) text.erase(0, 1);
  return said;
}

void PartTurns::compute_together(const std::function<void(std::size_t)>& compute) {
  std::vector<std::thread> threads;
  for (std::size_t part = 0; part < given_.size(); ++part)
    threads.emplace_back([&, part] {
      {
        std::unique_lock lock(mutex_);
        turned_.wait(lock, [&] { return turn_ == part || error_; });
        if (error_) return;
      }
      try {
        compute(part);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
      pass_turn(part);
    });
  for (std::thread& thread : threads) thread.join();
  if (error_) std::rethrow_exception(error_);
  require(std::none_of(has_given_.begin(), has_given_.end(), [](bool given) { return given; }),
          kUneven);
}

void PartTurns::pass_turn(std::size_t part) {
  const std::lock_guard lock(mutex_);
  turn_ = (part + 1) % given_.size();
  turned_.notify_all();
}

std::vector<double> PartTurns::gather(std::size_t part, std::span<const double> values) {
  // One part computes at a time, so that what is no turn's is nobody else's either.
  given_[part].assign(values.begin(), values.end());
  has_given_[part] = true;
  if (part + 1 == given_.size()) {
    require_all_given();
    std::vector<double> mine;
    for (const std::vector<double>& one : given_) mine.insert(mine.end(), one.begin(), one.end());
    std::vector<double> all;
    for (const std::string& text : meet(Kind::values, packed(mine)))
      if (static_cast<Kind>(text[0]) == Kind::values) unpack(text, 1, all);
    if (all.size() != values.size() * all_parts_) {  // on every rank
      is_told_ = true;
      throw GroupError(what_failed_ = kDifferent);
    }
    all_ = std::move(all);
    std::fill(has_given_.begin(), has_given_.end(), false);
    ++rounds_;
  }
  if (given_.size() == 1) return all_;
  const std::uint64_t round = part + 1 == given_.size() ? rounds_ : rounds_ + 1;
  pass_turn(part);
  std::unique_lock lock(mutex_);
  turned_.wait(lock, [&] { return turn_ == part || error_; });
  require(!error_, "DataParallel: another part of the step has failed");
  require(rounds_ == round, kUneven);
  return all_;
}

void PartTurns::require_all_given() const {
  require(std::all_of(has_given_.begin(), has_given_.end(), [](bool given) { return given; }),
          kUneven);
}

}  // namespace pliant
