// Gradients of a step as one flat tensor, and in buckets that travel while others are still to come.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <pliant/autograd/gradients.h>
#include <pliant/layers/train/data_parallel.h>
#include <pliant/layers/train/internal/transport.h>

namespace pliant {

// Where each trained parameter's gradient lies in a tensor of all of them, on the CPU: in the order
// of the net. What has no gradient is 0 there.
class FlatGradients {
 public:
  explicit FlatGradients(const std::vector<Parameter>& all);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::int64_t size() const { return size_; }
  DType dtype() const { return dtype_; }
  // Place of a parameter, its begin and elements; it is one of the net's.
  std::size_t index_of(const Parameter& parameter) const;
  std::int64_t begin(std::size_t index) const { return begins_[index]; }
  std::int64_t count(std::size_t index) const { return parameters_[index].value().size(); }

  Tensor flat(const Gradients& gradients) const;
  void put(const Parameter& parameter, const Tensor& gradient, Tensor& flat) const;
  // Sets '1' for every parameter that has a gradient.
  void mark(const Gradients& gradients, std::string& present) const;
  // Those of parameters whose mark is '1'.
  Gradients gradients(const Tensor& flat, const std::string& present) const;

 private:
  std::vector<Parameter> parameters_;
  std::vector<std::int64_t> begins_;
  std::unordered_map<std::uint64_t, std::size_t> index_;  // by Parameter::id()
  std::int64_t size_ = 0;
  DType dtype_ = DType::float32;  // float64 if one of them is
};

// The last parameters of a net are the first whose gradients are whole: buckets are cut from the end,
// and leave in that order on every rank.
class GradientBuckets {
 public:
  GradientBuckets(Transport& transport, const FlatGradients& layout, std::int64_t bucket_bytes);

  void put(const Parameter& parameter, const Tensor& gradient);
  bool have_left() const { return left_ > 0; }
  // Sends what is left, with 0 for what never came, and waits.
  Tensor finish();
  const Communication& communication() const { return communication_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Bucket {
    std::int64_t begin = 0, end = 0;  // elements
    std::size_t missing = 0;          // parameters
    std::unique_ptr<Transport::Pending> pending = nullptr;
    Clock::time_point start = {};
    bool done = false;
  };

  void send_next();
  void note_done(Bucket& bucket);

  Transport& transport_;
  const FlatGradients& layout_;
  Tensor flat_;
  std::vector<Bucket> buckets_;         // the net's last parameters first
  std::vector<std::size_t> bucket_of_;  // by index of parameter
  std::size_t left_ = 0;                // how many are on their way or back
  Communication communication_;
};

}  // namespace pliant
