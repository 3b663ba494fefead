#include <pliant/apps/track/tracker.h>

#include <algorithm>
#include <cmath>

#include <pliant/apps/track/inputs.h>
#include <pliant/data/warp.h>

namespace pliant::track {
namespace {

TrackedTarget target_of(const TrackedBox& box) {
  return {box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3]};
}

TrackedBox box_of(const TrackedTarget& target) {
  return {target.cx - target.w / 2, target.cy - target.h / 2, target.w, target.h};
}

void require_sides(const TrackedBox& box) {
  require(box[2] > 0 && box[3] > 0, "tracker: the target is ", box[2], " x ", box[3],
          ", expected sides above 0");
}

double width_of(const Tensor& frame) { return static_cast<double>(frame.dim(1)); }
double height_of(const Tensor& frame) { return static_cast<double>(frame.dim(0)); }

class Stay : public Tracker {
 public:
  void start(const Tensor& /*frame*/, const TrackedBox& box) override { box_ = box; }
  TrackedBox follow(const Tensor& /*frame*/) override { return box_; }

 private:
  TrackedBox box_ = {};
};

class Centre : public Tracker {
 public:
  void start(const Tensor& /*frame*/, const TrackedBox& box) override {
    require_sides(box);
    target_ = target_of(box);
  }
  TrackedBox follow(const Tensor& frame) override {
    const std::int64_t count = anchors_.dim(0);
    target_ = tracking_step(target_, Tensor::full({count}, 1), Tensor::zeros({count, 4}), anchors_,
                            net_.places(), width_of(frame), height_of(frame),
                            {.exemplar = static_cast<double>(net_.options().exemplar)})
                  .target;
    return box_of(target_);
  }

 private:
  SiamRPN net_{small_siamrpn()};  // for its geometry alone
  Tensor anchors_ = net_.anchors().reshape({-1, 4});
  TrackedTarget target_;
};

// Grays of a part of a frame about a point, `height` x `width` pixels of `pixel` of the frame's each.
std::vector<float> grays(const Tensor& frame, double cx, double cy, double pixel,
                         std::int64_t height, std::int64_t width) {
  const double h = height_of(frame), w = width_of(frame);
  const std::int64_t top = (frame.dim(0) - height) / 2, left = (frame.dim(1) - width) / 2;
  Warp warp(frame.dim(0), frame.dim(1));
  warp.shift(w / 2 - cx, h / 2 - cy).scale(1 / pixel, 1 / pixel);
  warp.shift(static_cast<double>(left) + static_cast<double>(width) / 2 - w / 2,
             static_cast<double>(top) + static_cast<double>(height) / 2 - h / 2);
  const Tensor part = warp_image(frame, warp.crop(top, left, height, width), {127, 127, 127});
  const auto bytes = part.span<std::uint8_t>();
  std::vector<float> all;
  for (std::size_t i = 0; i < bytes.size(); i += 3)
    all.push_back(0.299F * bytes[i] + 0.587F * bytes[i + 1] + 0.114F * bytes[i + 2]);
  return all;
}

class Correlation : public Tracker {
 public:
  void start(const Tensor& frame, const TrackedBox& box) override {
    constexpr double kLongest = 24;  // pixels of the template's longer side
    require_sides(box);
    box_ = box;
    pixel_ = std::max(1.0, std::max(box[2], box[3]) / kLongest);
    width_ = std::max<std::int64_t>(2, std::llround(box[2] / pixel_));
    height_ = std::max<std::int64_t>(2, std::llround(box[3] / pixel_));
    reach_ = std::max(width_, height_) / 2 + 4;
    const TrackedTarget target = target_of(box);
    pattern_ = grays(frame, target.cx, target.cy, pixel_, height_, width_);
    float sum = 0, squares = 0;
    for (const float value : pattern_) sum += value;
    for (float& value : pattern_) value -= sum / static_cast<float>(pattern_.size());
    for (const float value : pattern_) squares += value * value;
    for (float& value : pattern_) value /= std::sqrt(std::max(squares, 1e-6F));
  }

  TrackedBox follow(const Tensor& frame) override {
    const TrackedTarget target = target_of(box_);
    const std::int64_t wide = width_ + 2 * reach_;
    const std::vector<float> search =
        grays(frame, target.cx, target.cy, pixel_, height_ + 2 * reach_, wide);
    float best = -2;
    std::int64_t down = 0, across = 0;
    for (std::int64_t r = 0; r <= 2 * reach_; ++r)
      for (std::int64_t c = 0; c <= 2 * reach_; ++c) {
        const float match = match_at(search, wide, r, c);
        if (match <= best) continue;
        best = match;
        down = r - reach_;
        across = c - reach_;
      }
    box_[0] = std::clamp(box_[0] + static_cast<double>(across) * pixel_, -box_[2] / 2,
                         width_of(frame) - box_[2] / 2);
    box_[1] = std::clamp(box_[1] + static_cast<double>(down) * pixel_, -box_[3] / 2,
                         height_of(frame) - box_[3] / 2);
    return box_;
  }

 private:
  // The pattern has mean 0 and length 1: -1 .. 1.
  float match_at(const std::vector<float>& search, std::int64_t wide, std::int64_t row,
                 std::int64_t column) const {
    float product = 0, sum = 0, squares = 0;
    for (std::int64_t r = 0; r < height_; ++r)
      for (std::int64_t c = 0; c < width_; ++c) {
        const float value = search[static_cast<std::size_t>((row + r) * wide + column + c)];
        product += value * pattern_[static_cast<std::size_t>(r * width_ + c)];
        sum += value;
        squares += value * value;
      }
    const float spread = squares - sum * sum / static_cast<float>(pattern_.size());
    return spread > 1 ? product / std::sqrt(spread) : 0;
  }

  TrackedBox box_ = {};
  double pixel_ = 1;
  std::int64_t width_ = 0, height_ = 0, reach_ = 0;
  std::vector<float> pattern_;
};

}  // namespace

NetTracker::NetTracker(const SiamRPN& net, const NetRecipe& recipe, Device device)
    : net_(net), recipe_(recipe), device_(device), anchors_(net.anchors().reshape({-1, 4})) {}

void NetTracker::start(const Tensor& frame, const TrackedBox& box) {
  require_sides(box);
  target_ = target_of(box);
  const double side = context_side(target_.w, target_.h);
  const View view{target_.cx, target_.cy, side, side, net_.options().exemplar};
  pattern_ = net_.pattern(view_of(frame, view, recipe_).to(device_)).value();
}

TrackedBox NetTracker::follow(const Tensor& frame) {
  require(pattern_.defined(), "tracker: follow() comes after start()");
  const SiamRPNOptions& options = net_.options();
  const double side = context_side(target_.w, target_.h) * static_cast<double>(options.search) /
                      static_cast<double>(options.exemplar);
  const View view{target_.cx, target_.cy, side, side, options.search};
  seen_ = {target_.cx - side / 2, target_.cy - side / 2, side, side};
  const SiamRPNOutput output = net_.respond(pattern_, view_of(frame, view, recipe_).to(device_));
  const Tensor logits = output.logits.value().to(Device::cpu()),
               deltas = output.deltas.value().to(Device::cpu());
  const auto logit = logits.span<float>(), delta = deltas.span<float>();
  const auto kinds = static_cast<std::size_t>(options.anchors),
             cells = static_cast<std::size_t>(net_.places() * net_.places());
  std::vector<float> scores(kinds * cells), steps(4 * kinds * cells);
  response_.assign(cells, 0);
  for (std::size_t cell = 0; cell < cells; ++cell)
    for (std::size_t k = 0; k < kinds; ++k) {
      const float* const two = logit.data() + 2 * kinds * cell;
      const std::size_t to = k * cells + cell;
      scores[to] = 1 / (1 + std::exp(two[k] - two[kinds + k]));
      response_[cell] = std::max(response_[cell], static_cast<double>(scores[to]));
      for (std::size_t c = 0; c < 4; ++c) steps[4 * to + c] = delta[(4 * cell + c) * kinds + k];
    }
  const auto count = static_cast<std::int64_t>(kinds * cells);
  const TrackingStep step =
      tracking_step(target_, Tensor::from(scores, {count}), Tensor::from(steps, {count, 4}),
                    anchors_, net_.places(), width_of(frame), height_of(frame),
                    {.penalty = recipe_.penalty,
                     .window = recipe_.window,
                     .rate = recipe_.rate,
                     .exemplar = static_cast<double>(options.exemplar)});
  target_ = step.target;
  score_ = scores[static_cast<std::size_t>(step.best)];
  return box_of(target_);
}

const std::vector<std::string>& trivial_names() {
  static const std::vector<std::string> names = {"stay", "centre", "correlation"};
  return names;
}

std::unique_ptr<Tracker> trivial_tracker(const std::string& name) {
  if (name == "stay") return std::make_unique<Stay>();
  if (name == "centre") return std::make_unique<Centre>();
  require(name == "correlation", "there is no tracker '", name,
          "', expected stay, centre or correlation");
  return std::make_unique<Correlation>();
}

}  // namespace pliant::track
