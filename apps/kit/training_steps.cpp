#include <pliant/apps/kit/training_steps.h>

namespace pliant::kit {

Training train(TrainingSteps& steps, const TrainingParts& parts, const TrainingSpan& span,
               Progress& progress, Checkpoint* checkpoint) {
  TrainingRecord record(span, steps.per_epoch(), progress, checkpoint);
  record.resume(parts);
  steps.start(record.step());
  while (record.step() < record.total_steps()) {
    record.add(steps.take(record.steps_to_report(), [&] { return record.should_report(); }));
    record.report(parts, steps.wait_seconds());
  }
  return record.take();
}

}  // namespace pliant::kit
