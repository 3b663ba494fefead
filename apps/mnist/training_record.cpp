#include <pliant/apps/mnist/training_record.h>

#include <algorithm>
#include <iostream>

#include <pliant/apps/mnist/interrupt.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

constexpr std::int64_t kCurvePoints = 60;  // of a training
constexpr double kLossKeeps = 0.98, kLossTakes = 0.02;

}  // namespace

TrainingRecord::TrainingRecord(const TrainingPlan& plan, std::int64_t steps_per_epoch, double cost,
                               Progress& progress, Checkpoint* checkpoint)
    : plan_(plan),
      steps_per_epoch_(steps_per_epoch),
      total_steps_(checked_product("training", {plan.epochs, steps_per_epoch})),
      per_point_(std::max<std::int64_t>(1, total_steps_ / kCurvePoints)),
      cost_(cost),
      progress_(progress),
      checkpoint_(checkpoint) {}

void TrainingRecord::resume(Classifier& net, Optimizer& optimizer) {
  if (checkpoint_ != nullptr && checkpoint_->load(net, optimizer, state_)) {
    require(state_.step <= total_steps_ && state_.steps < per_point_,
            "checkpoint: it stands at step ", state_.step, " of ", total_steps_, ", ", state_.steps,
            " steps after a point of the curve", "; delete it to start this training over");
    progress_.skip(cost_ * static_cast<double>(state_.training.images_seen));
  }
  before_ = state_.training;
  reported_ = state_.training.images_seen;
}

std::int64_t TrainingRecord::steps_to_point() const {
  return std::min(per_point_ - state_.steps, total_steps_ - state_.step);
}

void TrainingRecord::add(const Steps& steps) {
  const double loss = steps.loss_sum / static_cast<double>(steps.count);
  require(loss == loss, "training: the loss is not a number at step ", state_.step, "; lower --lr");
  for (std::int64_t i = 0; i < steps.count; ++i)
    state_.loss_mean =
        state_.step + i == 0 ? loss : kLossKeeps * state_.loss_mean + kLossTakes * loss;
  state_.loss_sum += steps.loss_sum;
  state_.right += steps.right;
  state_.images += steps.images;
  state_.steps += steps.count;
  state_.step += steps.count;
  state_.training.images_seen += steps.images;
  if (state_.steps == per_point_ || state_.step == total_steps_) end_point(steps.lr);
}

void TrainingRecord::end_point(double lr) {
  state_.training.curve.push_back(
      {static_cast<double>(state_.step) / static_cast<double>(steps_per_epoch_), lr,
       state_.loss_sum / static_cast<double>(state_.steps),
       static_cast<double>(state_.right) / static_cast<double>(state_.images)});
  state_.loss_sum = 0;
  state_.steps = state_.images = state_.right = 0;
}

void TrainingRecord::report(const Classifier& net, const Optimizer& optimizer,
                            double wait_seconds) {
  Training& training = state_.training;
  training.seconds = before_.seconds + std::chrono::duration<double>(Clock::now() - start_).count();
  training.wait_seconds = before_.wait_seconds + wait_seconds;
  progress_.advance(cost_ * static_cast<double>(training.images_seen - reported_), describe());
  reported_ = training.images_seen;
  const bool epoch_ended = state_.step % steps_per_epoch_ == 0;
  if (epoch_ended && plan_.measure)
    training.epochs.push_back(plan_.measure(state_.step / steps_per_epoch_));
  keep(net, optimizer, epoch_ended);
}

bool TrainingRecord::should_report() const {
  return checkpoint_ != nullptr && (StopOnSignal::asked() != 0 || checkpoint_->due());
}

void TrainingRecord::keep(const Classifier& net, const Optimizer& optimizer, bool epoch_ended) {
  if (checkpoint_ == nullptr) return;
  const int signal = StopOnSignal::asked();
  const bool done = state_.step == total_steps_;
  const bool wanted = signal != 0 || (!done && (epoch_ended || checkpoint_->due()));
  if (!wanted) return;
  const bool saved = save(net, optimizer);
  if (signal == 0 || (done && !saved)) return;  // then better the net than neither
  require(saved, "interrupted; this training is lost but for what was saved before");
  throw Interrupted(signal);
}

bool TrainingRecord::save(const Classifier& net, const Optimizer& optimizer) {
  try {
    checkpoint_->save(net, optimizer, state_);
    return true;
  } catch (const Error& error) {
    progress_.clear();
    std::cerr << "warning: no checkpoint was written: " << error.what() << std::endl;
    return false;
  }
}

std::string TrainingRecord::describe() const {
  const std::int64_t epoch = (state_.step - 1) / steps_per_epoch_;
  return "epoch " + std::to_string(epoch + 1) + '/' + std::to_string(plan_.epochs) + "  loss " +
         fixed(state_.loss_mean, 4) + "  " + fixed(state_.training.images_per_second(), 0) +
         " images/s";
}

}  // namespace pliant
