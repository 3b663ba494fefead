// What the fuzzer starts from must get past the readers' first checks.
#include <filesystem>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/mnist/results.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/tape.h>
#include <pliant/data/image_file.h>
#include <pliant/data/internal/coco_json.h>
#include <pliant/data/internal/ground_truth.h>
#include <pliant/data/internal/voc_xml.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/safetensors.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::kit;
using namespace pliant::mnist;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

const fs::path kSeeds = fs::path(PLIANT_SOURCE_DIR) / "tests/fuzz/seeds";
constexpr std::uintmax_t kLongest = 4096;  // tools/fuzz gives libFuzzer no more

// As in fuzz_checkpoint.cpp.
struct TinyNet : Module {
  Linear head = own("head", Linear(3, 2));
  Var operator()(const Var& images) const { return head(images); }
};

std::vector<std::string> names_of(const State& state) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(text_from(name, ' ', tensor.shape()));
  return names;
}

}  // namespace

TEST_CASE("fuzz seeds: results are read, with all that a row can say") {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kSeeds / "results")) {
    CAPTURE(entry.path().string());
    CHECK(entry.file_size() <= kLongest);
    const Results results = read_results(entry.path());
    CHECK_FALSE(results.rows.empty());
    CHECK_FALSE(results.recipe.empty());
    CHECK_FALSE(results.rows[0].curve.empty());
    ++files;
  }
  CHECK(files >= 2);  // of both protocols
}

TEST_CASE("fuzz seeds: the checkpoint is loaded, and holds what one holds that is saved now") {
  const fs::path seed = kSeeds / "checkpoint/linear.safetensors";
  CHECK(fs::file_size(seed) <= kLongest);
  const TemporaryFolder folder;
  const fs::path saved = folder.path() / "saved.checkpoint";
  const TrainingRecipe recipe = {{"epochs", "1"}};
  TinyNet net;
  net.initialise(Rng(1));
  Adam adam(net.parameters(), {});
  const Tape tape;
  const Tensor x = Tensor::full({1, 3}, 1.0, DType::float32);
  adam.step(tape.gradients(sum(net(tape.input(x)))));
  const TrainingParts parts{.net = net, .optimizers = {{"adam", adam}}};
  TrainingState state;
  state.step = state.steps = 1;
  state.batch = 1;
  state.loss_mean = state.loss_sum = 0.7;
  state.images = 2;
  state.right = 1;
  state.training.images_seen = 2;
  state.training.seconds = 0.5;
  state.training.curve = {{0.5, 1e-3, 0.7, 0.5}};
  Checkpoint(saved, recipe, 60).save(parts, state);
  CHECK(names_of(read_safetensors(saved).tensors) == names_of(read_safetensors(seed).tensors));

  fs::copy_file(seed, folder.path() / "seed.checkpoint");
  TrainingState loaded;
  CHECK(Checkpoint(folder.path() / "seed.checkpoint", recipe, 60).load(parts, loaded));
  CHECK(loaded.training.curve.size() == 1);
}

TEST_CASE("fuzz seeds: annotations of every kind are read") {
  const fs::path folder = kSeeds / "annotations";
  const std::vector<std::string> classes = {"cat", "dog"};
  CHECK(read_voc_xml(folder / "voc.xml", classes).objects.size() == 1);
  CHECK(read_coco_json(folder / "coco.json").pictures.at(0).objects.size() == 3);
  CHECK(read_ground_truth(folder / "truth.txt", 1).size() == 3);
  CHECK(read_mask(folder / "palette.png").rank() == 2);
  CHECK(read_mask(folder / "bits.png").rank() == 2);
}
