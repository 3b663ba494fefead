// Training as train() does, with steps that are captured and replayed: the set lives on the device,
// batches are picked and scaled there, and losses are read a few times an epoch.
#pragma once

#include <pliant/apps/mnist/training.h>

namespace pliant {

// As train(), on any device. Batches and learning rates are the same; what random layers drop is
// not, because captured steps fork their keys last (TapeOptions::step).
Training train_captured(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                        double cost, Progress& progress, Checkpoint* checkpoint = nullptr);

}  // namespace pliant
