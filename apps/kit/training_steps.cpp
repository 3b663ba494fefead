#include <pliant/apps/kit/training_steps.h>

#include <pliant/autograd/anomaly.h>

namespace pliant::kit {

Training train(TrainingSteps& steps, const TrainingParts& parts, const TrainingSpan& span,
               Progress& progress, Checkpoint* checkpoint) {
  TrainingRecord record(span, steps.per_epoch(), progress, checkpoint);
  record.resume(parts);
  steps.start(record.step());
  while (!record.done()) {
    record.add(steps.take(record.steps_to_report(), [&] { return record.should_report(); }));
    record.report(parts, steps.wait_seconds());
  }
  return record.take();
}

void fail_not_finite(std::int64_t step, double loss, const std::function<void()>& again) {
  std::string why;
  try {
    const AnomalyMode guard;
    again();
  } catch (const Error& error) {
    why = text_from(": ", error.what());
  }
  fail("training: the loss is ", loss, " at step ", step, "; lower the learning rate", why);
}

}  // namespace pliant::kit
