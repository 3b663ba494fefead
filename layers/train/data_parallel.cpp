#include <pliant/layers/train/data_parallel.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <pliant/autograd/batch_part.h>
#include <pliant/layers/train/internal/gradient_buckets.h>
#include <pliant/layers/train/internal/part_turns.h>
#include <pliant/layers/train/internal/transport.h>
#include <pliant/layers/train/internal/tree_sum.h>

namespace pliant {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class PartOfStep : public BatchPart {
 public:
  PartOfStep(const StepShare& share, std::size_t part, bool coupled, PartTurns& turns)
      : share_(share), part_(part), coupled_(coupled), turns_(turns) {}
  std::int64_t images() const override { return share_.samples; }
  std::int64_t first() const override { return share_.mine[part_].first; }
  std::int64_t count() const override { return share_.mine[part_].count; }
  bool is_coupled() const override { return coupled_; }
  std::vector<double> gather(std::span<const double> values) const override {
    return turns_.gather(part_, values);
  }

 private:
  const StepShare& share_;
  std::size_t part_;
  bool coupled_;
  PartTurns& turns_;
};

// What a rank has to say at the end of a step: for every parameter whether it has a gradient here,
// then the parts' losses by their shares.
struct Closing {
  std::string present;
  std::vector<double> losses;

  std::string packed() const {
    std::string text = present;
    text.append(reinterpret_cast<const char*>(losses.data()), losses.size() * sizeof(double));
    return text;
  }
};

// Adds what a rank said; false if it has other parameters.
bool add_closing(const std::string& text, std::string& present, double& loss) {
  if (text.size() < present.size() || (text.size() - present.size()) % sizeof(double) != 0)
    return false;
  for (std::size_t i = 0; i < present.size(); ++i)
    if (text[i] == '1') present[i] = '1';
  for (std::size_t at = present.size(); at < text.size(); at += sizeof(double)) {
    double one = 0;
    std::memcpy(&one, text.data() + at, sizeof one);
    loss += one;
  }
  return true;
}

// The sum over all parts of all ranks, in the order of the tree: each rank adds up its share of the
// elements, and tells the others.
Tensor sum_in_tree(Transport& transport, std::int64_t parts, const FlatGradients& layout,
                   const std::vector<PartSum>& mine) {
  const std::int64_t n = layout.size(), ranks = transport.size(), rank = transport.rank();
  const auto share = [&](const Tensor& flat, std::int64_t of) {
    return flat.slice(share_begin(n, of, ranks), share_begin(n, of + 1, ranks));
  };
  std::vector<PartSum> runs;  // of all ranks, this rank's share of each
  std::vector<Transport::Outgoing> out;
  std::vector<Transport::Incoming> in;
  for (std::int64_t r = 0; r < ranks; ++r) {
    if (r == rank) {
      for (const PartSum& run : mine) runs.push_back({run.begin, run.end, share(run.sum, rank)});
      continue;
    }
    for (const PartSum& run : mine)
      out.push_back({static_cast<int>(r), bytes_of(share(run.sum, r))});
    const std::int64_t count = share_begin(n, rank + 1, ranks) - share_begin(n, rank, ranks);
    for (PartSum run :
         TreeSum::runs_of(parts, share_begin(parts, r, ranks), share_begin(parts, r + 1, ranks))) {
      run.sum = Tensor::empty({count}, layout.dtype());
      in.push_back({static_cast<int>(r), writable(run.sum)});
      runs.push_back(std::move(run));
    }
  }
  transport.exchange(out, in);
  TreeSum tree(parts);
  for (PartSum& run : runs) tree.add(std::move(run));
  const Tensor& sum = tree.runs().front().sum;

  Tensor whole = Tensor::empty({n}, layout.dtype());
  share(whole, rank).copy_from(sum);
  out.clear();
  in.clear();
  for (std::int64_t r = 0; r < ranks; ++r) {
    if (r == rank) continue;
    out.push_back({static_cast<int>(r), bytes_of(sum)});
    in.push_back({static_cast<int>(r), writable(share(whole, r))});
  }
  transport.exchange(out, in);
  return whole;
}

}  // namespace

// One step of this rank.
class DataParallel::Step {
 public:
  Step(DataParallel& of, const StepShare& share, const TapeOptions& tape, const PartLoss& f)
      : of_(of),
        share_(share),
        tape_(tape),
        f_(f),
        layout_(of.net_.parameters()),
        turns_(of.group_, share.mine.size(), share.parts),
        tree_(share.parts),
        closing_{std::string(layout_.parameters().size(), '0'), {}} {
    const bool alone = share.mine.size() <= 1;
    if (of.options_.sums == GradientSums::fast && of.group_.size() > 1 && alone)
      buckets_.emplace(*of.group_.transport(), layout_, of.options_.bucket_bytes);
  }

  Gradients run() {
    const std::vector<std::string> said = take_parts();
    std::string present(layout_.parameters().size(), '0');
    of_.loss_ = 0;
    for (const std::string& text : said)
      require(add_closing(text, present, of_.loss_),
              "DataParallel: the ranks train nets of other parameters");
    share_buffers();
    return layout_.gradients(total(), present);
  }

 private:
  std::vector<std::string> take_parts() {
    try {
      return turns_.run(
          of_.options_.coupled, [this](std::size_t part) { compute(part); },
          [this] { return closing_.packed(); });
    } catch (const std::exception& error) {
      if (buckets_ && buckets_->have_left()) of_.group_.abort(error.what());
      throw;
    }
  }

  void compute(std::size_t part) {
    const PartOfStep place(share_, part, of_.options_.coupled, turns_);
    TapeOptions options = tape_;
    if (share_.parts > 1) options.part = &place;  // one is the whole
    // Statistics of the whole are the same in all parts, and are kept once.
    const bool keeps = part == 0 && (of_.options_.coupled || share_.first_part == 0);
    if (!keeps) options.buffers = Buffers::keep;
    const Tape tape(options);
    const Var loss = f_(tape, part);
    require(loss.defined() && loss.size() == 1, "DataParallel: a part's loss ",
            loss.defined() ? text_from("has shape ", loss.shape()) : "is undefined",
            ", expected one number");
    closing_.losses.push_back(loss.item() * place.share());
    const Tensor share = Tensor::full(loss.shape(), place.share(), loss.dtype(), loss.device());
    GradientsOptions how{.cotangent = share};
    if (buckets_)
      how.ready = [this](const Parameter& parameter, const Tensor& gradient) {
        buckets_->put(parameter, gradient);
      };
    const Gradients gradients = tape.gradients(loss, {}, how);
    layout_.mark(gradients, closing_.present);
    if (!buckets_) {
      const std::int64_t number = share_.first_part + static_cast<std::int64_t>(part);
      add({number, number + 1, layout_.flat(gradients)});
    }
  }

  void add(PartSum part) {
    if (of_.options_.sums == GradientSums::strict)
      tree_.add(std::move(part));
    else
      sum_ = sum_.defined() ? pliant::add(sum_, part.sum).value() : part.sum;
  }

  // Of all parts of all ranks.
  Tensor total() {
    const Group& group = of_.group_;
    if (buckets_) {
      Tensor all = buckets_->finish();
      of_.communication_ += buckets_->communication();
      return all;
    }
    if (group.size() == 1)
      return of_.options_.sums == GradientSums::strict ? tree_.runs().front().sum : sum_;
    const Clock::time_point start = Clock::now();
    Tensor all;
    if (of_.options_.sums == GradientSums::strict) {
      all = sum_in_tree(*group.transport(), share_.parts, layout_, tree_.runs());
    } else {
      all = sum_.defined() ? sum_ : Tensor::zeros({layout_.size()}, layout_.dtype());
      visit_floating("DataParallel", all.dtype(),
                     [&]<class T>() { group.transport()->all_reduce(all.mutable_span<T>()); });
    }
    const double took = seconds_since(start);
    of_.communication_ += {.in_flight = took, .waited = took, .bytes = all.bytes()};
    return all;
  }

  // Of the rank with the step's first part, where not all have the same.
  void share_buffers() {
    const std::int64_t ranks = of_.group_.size();
    if (ranks == 1 || (of_.options_.coupled && share_.parts >= ranks)) return;
    const std::int64_t root = (ranks - 1) / share_.parts;
    for (const Buffer& buffer : of_.net_.buffers()) {
      Tensor value = buffer.value();
      of_.group_.broadcast(value, static_cast<int>(root));
    }
  }

  DataParallel& of_;
  const StepShare& share_;
  const TapeOptions& tape_;
  const PartLoss& f_;
  FlatGradients layout_;
  PartTurns turns_;
  TreeSum tree_;
  Tensor sum_;
  Closing closing_;
  std::optional<GradientBuckets> buckets_;
};

DataParallel::DataParallel(const Group& group, const Module& net,
                           const DataParallelOptions& options)
    : group_(group), net_(net), options_(options) {
  require(options.bucket_bytes >= 1, "DataParallel: buckets of ", options.bucket_bytes,
          " bytes, expected at least 1");
}

Gradients DataParallel::run(const StepShare& share, const TapeOptions& tape, const PartLoss& f) {
  require(share.parts >= 1 && share.samples >= 1, "DataParallel: a step of ", share.parts,
          " parts and ", share.samples, " samples");
  if (group_.size() == 1 && share.parts == 1) {  // as without any of this
    const Tape whole(tape);
    const Var loss = f(whole, 0);
    Gradients gradients = whole.gradients(loss);
    loss_ = loss.item();
    return gradients;
  }
  return Step(*this, share, tape, f).run();
}

}  // namespace pliant
