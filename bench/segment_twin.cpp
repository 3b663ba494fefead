// Some steps of a training of pliant-segment, written out so that segment_twin.py can take the same
// ones in PyTorch: the first weights, every batch as the loader gives it, rates and losses. Without
// dropout, whose masks another program cannot draw.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/apps/segment/inputs.h>
#include <pliant/apps/segment/nets.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/core/program.h>
#include <pliant/data/loader.h>
#include <pliant/layers/nets/torchvision.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/optimizer.h>

namespace {

using namespace pliant;
using namespace pliant::segment;

constexpr double kPower = 0.9, kMomentum = 0.9, kWeightDecay = 5e-4, kBranchRate = 0.1;

struct Wanted {
  std::filesystem::path folder;
  std::string arm, data;  // data: empty for the example
  std::int64_t steps;
  DType dtype;
};

void run(const Wanted& wanted) {
  const PictureSets sets =
      wanted.data.empty() ? example_pictures({}) : open_pictures(wanted.data, {});
  const Preset& preset = preset_of("small");
  const NetRecipe recipe{.preset = preset.name,
                         .arm = wanted.arm,
                         .classes = sets.classes,
                         .colours = sets.colours,
                         .height = preset.height,
                         .width = preset.width_of_crop};
  const auto net = make_net(recipe, Dropouts::no);
  net->initialise(Rng(1).fork("net"));
  net->to(wanted.dtype);
  std::filesystem::create_directories(wanted.folder);
  write_safetensors(wanted.folder / "weights.safetensors",
                    {.tensors = to_torchvision(net->state())});

  kit::slow_branches(*net, kBranchRate);
  Sgd sgd(net->parameters(),
          {.lr = preset.lr, .momentum = kMomentum, .weight_decay = kWeightDecay});
  const Loader<Crops> loader(NetInput(sets.train, recipe, {}), crops_of,
                             {.size = preset.batch,
                              .shuffle = Rng(1).fork("shuffle"),
                              .augment = Rng(1).fork("augment"),
                              .drop_last = true});
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (std::int64_t step = 0, epoch = 0; step < wanted.steps; ++epoch)
    for (const Crops& crops : loader.epoch(epoch)) {
      if (step == wanted.steps) break;
      const Tape tape;
      const Var loss = softmax_cross_entropy((*net)(tape.input(crops.images.to(wanted.dtype))),
                                             crops.labels, {.ignore_index = kVoid});
      const double lr =
          polynomial_lr(step, {.base_lr = preset.lr, .total_steps = wanted.steps, .power = kPower});
      sgd.set_lr(lr);
      sgd.step(tape.gradients(loss));
      write_safetensors(wanted.folder / ("batch" + std::to_string(step) + ".safetensors"),
                        {.tensors = {{"images", crops.images}, {"labels", crops.labels}}});
      steps.push_back({{"lr", lr}, {"loss", loss.value().item()}});
      std::cerr << "step " << ++step << ": " << loss.value().item() << std::endl;
    }
  std::ofstream(wanted.folder / "steps.json") << nlohmann::ordered_json{
      {"arm", wanted.arm},
      {"classes", sets.classes.size()},
      {"width", preset.width},
      {"aspp", preset.aspp_channels},
      {"low", preset.low_channels},
      {"rates", preset.rates},
      {"momentum", kMomentum},
      {"weight_decay", kWeightDecay},
      {"branch_rate", kBranchRate},
      {"dtype", wanted.dtype == DType::float64 ? "float64" : "float32"},
      {"steps", steps}}.dump(1);
}

}  // namespace

int main(int count, char** arguments) {
  return pliant::run_program("segment_twin", [&] {
    const auto steps =
        count >= 5 ? pliant::kit::number_in<std::int64_t>(arguments[3]) : std::nullopt;
    pliant::require(steps.has_value() && *steps > 0,
                    "expected FOLDER ARM STEPS float64|float32 [DATA]");
    run({arguments[1], arguments[2], count > 5 ? arguments[5] : "", *steps,
         arguments[4] == std::string("float64") ? DType::float64 : DType::float32});
    return 0;
  });
}
