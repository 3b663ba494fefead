#include <pliant/layers/train/internal/gradient_buckets.h>

#include <algorithm>

#include <pliant/core/error.h>

namespace pliant {

// ---- FlatGradients ----

FlatGradients::FlatGradients(const std::vector<Parameter>& all) {
  for (const Parameter& parameter : all) {
    if (parameter.frozen()) continue;
    index_.emplace(parameter.id(), parameters_.size());
    begins_.push_back(size_);
    parameters_.push_back(parameter);
    size_ += parameter.value().size();
    if (parameter.value().dtype() == DType::float64) dtype_ = DType::float64;
  }
}

std::size_t FlatGradients::index_of(const Parameter& parameter) const {
  const auto found = index_.find(parameter.id());
  require(found != index_.end(), "DataParallel: ", parameter.name(),
          " is not a parameter of the net that is trained");
  return found->second;
}

void FlatGradients::put(const Parameter& parameter, const Tensor& gradient, Tensor& flat) const {
  const std::size_t index = index_of(parameter);
  flat.slice(begins_[index], begins_[index] + count(index))
      .reshape(gradient.shape())
      .copy_from(gradient.to(dtype_));
}

Tensor FlatGradients::flat(const Gradients& gradients) const {
  Tensor flat = Tensor::empty({size_}, dtype_);
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (const Tensor* const gradient = gradients.find(parameters_[i]))
      put(parameters_[i], *gradient, flat);
    else
      flat.slice(begins_[i], begins_[i] + count(i)).fill(0);
  for (const auto& entry : gradients.entries()) index_of(entry.parameter);  // all are the net's
  return flat;
}

void FlatGradients::mark(const Gradients& gradients, std::string& present) const {
  for (const auto& entry : gradients.entries()) present[index_of(entry.parameter)] = '1';
}

Gradients FlatGradients::gradients(const Tensor& flat, const std::string& present) const {
  std::vector<Gradients::Entry> entries;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (present[i] != '1') continue;
    const Tensor& value = parameters_[i].value();
    const Tensor part = flat.slice(begins_[i], begins_[i] + count(i)).reshape(value.shape());
    entries.push_back({parameters_[i], part.clone().to(value.dtype()).to(value.device())});
  }
  return Gradients(std::move(entries));
}

// ---- GradientBuckets ----

GradientBuckets::GradientBuckets(Transport& transport, const FlatGradients& layout,
                                 std::int64_t bucket_bytes)
    : transport_(transport),
      layout_(layout),
      flat_(Tensor::zeros({layout.size()}, layout.dtype())),
      bucket_of_(layout.parameters().size()) {
  Bucket bucket{.begin = layout.size(), .end = layout.size()};
  for (std::size_t i = layout.parameters().size(); i-- > 0;) {
    bucket.begin = layout.begin(i);
    ++bucket.missing;
    bucket_of_[i] = buckets_.size();
    const std::int64_t bytes = (bucket.end - bucket.begin) * size_of(layout.dtype());
    if (bytes < bucket_bytes && i > 0) continue;
    buckets_.push_back(std::move(bucket));
    bucket = {.begin = layout.begin(i), .end = layout.begin(i)};
  }
}

void GradientBuckets::put(const Parameter& parameter, const Tensor& gradient) {
  layout_.put(parameter, gradient, flat_);
  --buckets_[bucket_of_[layout_.index_of(parameter)]].missing;
  while (left_ < buckets_.size() && buckets_[left_].missing == 0) send_next();
  for (std::size_t i = 0; i < left_; ++i)
    if (!buckets_[i].done && buckets_[i].pending->poke()) note_done(buckets_[i]);
}

void GradientBuckets::send_next() {
  Bucket& bucket = buckets_[left_];
  bucket.start = Clock::now();
  const auto begin = static_cast<std::size_t>(bucket.begin),
             count = static_cast<std::size_t>(bucket.end - bucket.begin);
  visit_floating("DataParallel", flat_.dtype(), [&]<class T>() {
    bucket.pending = transport_.start_all_reduce(flat_.mutable_span<T>().subspan(begin, count));
  });
  communication_.bytes += (bucket.end - bucket.begin) * size_of(flat_.dtype());
  ++left_;
}

void GradientBuckets::note_done(Bucket& bucket) {
  bucket.done = true;
  communication_.in_flight += std::chrono::duration<double>(Clock::now() - bucket.start).count();
}

Tensor GradientBuckets::finish() {
  const Clock::time_point start = Clock::now();
  while (left_ < buckets_.size()) send_next();
  for (Bucket& bucket : buckets_) {
    if (bucket.done) continue;
    bucket.pending->finish();
    note_done(bucket);
  }
  communication_.waited += std::chrono::duration<double>(Clock::now() - start).count();
  return flat_;
}

}  // namespace pliant
