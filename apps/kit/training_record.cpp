#include <pliant/apps/kit/training_record.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include <pliant/apps/kit/interrupt.h>
#include <pliant/core/sizes.h>

namespace pliant::kit {
namespace {

constexpr std::int64_t kCurvePoints = 60;  // of a training
constexpr double kLossKeeps = 0.98, kLossTakes = 0.02;

}  // namespace

EpochPoint best_of(const std::vector<EpochPoint>& epochs) {
  const auto best = std::max_element(
      epochs.begin(), epochs.end(),
      [](const EpochPoint& a, const EpochPoint& b) { return a.measured < b.measured; });
  return best == epochs.end() ? EpochPoint{} : *best;
}

TrainingRecord::TrainingRecord(TrainingSpan span, std::int64_t steps_per_epoch, Progress& progress,
                               Checkpoint* checkpoint)
    : span_(std::move(span)),
      steps_per_epoch_(steps_per_epoch),
      total_steps_(checked_product("training", {span_.epochs, steps_per_epoch})),
      per_point_(std::max<std::int64_t>(1, total_steps_ / kCurvePoints)),
      progress_(progress),
      checkpoint_(checkpoint) {}

void TrainingRecord::resume(const TrainingParts& parts) {
  const auto check = [this](const TrainingState& state) {
    require(state.step <= total_steps_ && state.steps < per_point_ &&
                state.step / steps_per_epoch_ == state.epoch &&
                state.step % steps_per_epoch_ == state.batch,
            "it stands at step ", state.step, " of ", total_steps_, ", epoch ", state.epoch,
            ", batch ", state.batch, " of ", steps_per_epoch_, ", ", state.steps,
            " steps after a point of the curve");
  };
  if (checkpoint_ != nullptr && checkpoint_->load(parts, state_, check))
    progress_.skip(span_.cost * static_cast<double>(state_.training.images_seen));
  span_.group.require_same("the step of the checkpoint", text_from(state_.step));
  before_ = state_.training;
  reported_ = state_.training.images_seen;
}

bool TrainingRecord::done() const {
  if (state_.step == total_steps_) return true;
  const std::vector<EpochPoint>& epochs = state_.training.epochs;
  return span_.patience > 0 && !epochs.empty() &&
         epochs.back().epoch - best_of(epochs).epoch >= span_.patience;
}

std::int64_t TrainingRecord::steps_to_report() const {
  return std::min({per_point_ - state_.steps, total_steps_ - state_.step,
                   steps_per_epoch_ - state_.step % steps_per_epoch_});
}

void TrainingRecord::add(const StepTotals& steps) {
  const double loss = steps.loss_sum / static_cast<double>(steps.count);
  require(std::isfinite(loss), "training: the loss is ", loss, " at step ", state_.step,
          "; lower the learning rate");
  for (std::int64_t i = 0; i < steps.count; ++i)
    state_.loss_mean =
        state_.step + i == 0 ? loss : kLossKeeps * state_.loss_mean + kLossTakes * loss;
  state_.loss_sum += steps.loss_sum;
  state_.right += steps.right;
  state_.images += steps.images;
  state_.steps += steps.count;
  state_.step += steps.count;
  state_.epoch = state_.step / steps_per_epoch_;
  state_.batch = state_.step % steps_per_epoch_;
  state_.training.images_seen += steps.images;
  lr_ = steps.lr;
  if (state_.steps == per_point_ || state_.step == total_steps_) end_point();
}

void TrainingRecord::end_point() {
  state_.training.curve.push_back(
      {static_cast<double>(state_.step) / static_cast<double>(steps_per_epoch_), lr_,
       state_.loss_sum / static_cast<double>(state_.steps),
       static_cast<double>(state_.right) / static_cast<double>(state_.images)});
  state_.loss_sum = 0;
  state_.steps = state_.images = state_.right = 0;
  if (span_.on_point) span_.on_point(state_.step, state_.training.curve.back());
}

void TrainingRecord::measure() {
  std::vector<EpochPoint>& epochs = state_.training.epochs;
  double measured = span_.group.leads() ? span_.measure(state_.epoch) : 0;
  measured = span_.group.sum(measured);
  epochs.push_back({state_.epoch, measured});
  if (span_.on_epoch) span_.on_epoch(state_.step, epochs.back());
  if (span_.on_best && best_of(epochs).epoch == state_.epoch) span_.on_best();
}

void TrainingRecord::report(const TrainingParts& parts, double wait_seconds) {
  Training& training = state_.training;
  training.seconds = before_.seconds + std::chrono::duration<double>(Clock::now() - start_).count();
  training.wait_seconds = before_.wait_seconds + wait_seconds;
  progress_.advance(span_.cost * static_cast<double>(training.images_seen - reported_), describe());
  reported_ = training.images_seen;
  const bool epoch_ended = state_.step % steps_per_epoch_ == 0;
  if (epoch_ended && span_.measure) measure();
  if (done() && state_.steps > 0) end_point();  // patience came to its end between two points
  keep(parts, epoch_ended);
}

bool TrainingRecord::should_report() const {
  return checkpoint_ != nullptr && (StopOnSignal::asked() != 0 || checkpoint_->due());
}

void TrainingRecord::keep(const TrainingParts& parts, bool epoch_ended) {
  if (checkpoint_ == nullptr) return;
  const int signal = this->signal();
  const bool ended = done();
  const bool wanted = signal != 0 || (!ended && (epoch_ended || checkpoint_->due()));
  if (!wanted) return;
  const bool saved = save(parts);
  if (signal == 0 || (ended && !saved)) return;  // then better the net than neither
  require(saved, "interrupted; this training is lost but for what was saved before");
  throw Interrupted(signal);
}

// That came to any rank.
int TrainingRecord::signal() const {
  const int mine = StopOnSignal::asked();
  if (span_.group.size() == 1) return mine;
  for (const std::string& theirs : span_.group.all_gather(std::to_string(mine)))
    if (theirs != "0") return std::stoi(theirs);
  return 0;
}

bool TrainingRecord::save(const TrainingParts& parts) {
  try {
    checkpoint_->save(parts, state_);
    return true;
  } catch (const Error& error) {
    progress_.clear();
    std::cerr << "warning: no checkpoint was written: " << error.what() << std::endl;
    return false;
  }
}

std::string TrainingRecord::describe() const {
  const std::int64_t epoch = (state_.step - 1) / steps_per_epoch_;
  return "epoch " + std::to_string(epoch + 1) + '/' + std::to_string(span_.epochs) + "  loss " +
         fixed(state_.loss_mean, 4) + "  " + fixed(state_.training.images_per_second(), 0) +
         " images/s";
}

}  // namespace pliant::kit
