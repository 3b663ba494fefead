#include <filesystem>
#include <fstream>

#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/experiment.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

const DigitSet& few_digits() {
  static const DigitSet digits = test::few_digits(320, 40);
  return digits;
}

ExperimentOptions tiny(Deform deform, const std::string& rows) {
  ExperimentOptions options;
  options.preset = "tiny";
  options.epochs = options.finetune_epochs = 1;
  options.batch = 64;
  options.rows = rows_from(rows, {deform});
  return options;
}

}  // namespace

TEST_CASE("digit net: parameters as published, and the twin's heads besides") {
  CHECK(DigitNet().parameter_count() == 242250);
  CHECK(DigitNet(Deform::offset_field).parameter_count() == 242250 + 387072);
  CHECK(DigitNet(Deform::dcn2).parameter_count() > DigitNet(Deform::dcn1).parameter_count());
}

TEST_CASE("digit net: a deformable twin gives the same outputs before any step") {
  DigitNet regular;
  regular.initialise(Rng(1));
  const Tensor images = random({5, 28, 28, 1}, 2, 0.0, 1.0, DType::float32);
  const Tensor expected = regular(images).value();
  for (const Deform deform : {Deform::dcn1, Deform::dcn2, Deform::dcn2_context,
                              Deform::offset_field, Deform::offset_field_context}) {
    DigitNet twin(deform);
    twin.initialise(Rng(3));
    twin.load(regular.state(), {.may_lack = head_patterns()});
    CHECK(max_difference(expected, twin(images).value()) < 1e-5);
  }
}

TEST_CASE("experiment: every row of every kind, frozen tensors untouched, heads moved") {
  for (const Deform deform : {Deform::dcn1, Deform::dcn2, Deform::dcn2_context,
                              Deform::offset_field, Deform::offset_field_context}) {
    const TemporaryFolder temporary;
    const std::filesystem::path& folder = temporary.path();
    ExperimentOptions options = tiny(deform, "none,bn,offsets,offsets+bn,bn-statistics");
    options.ledger.folder = folder;
    const std::vector<RowResult> rows = run_experiment(few_digits(), options).rows;
    REQUIRE(rows.size() == 5);
    CHECK(rows[0].trained_parameters == 242250);
    CHECK(rows[1].trained_parameters == 704);
    CHECK(rows[2].trained_parameters == 0);
    CHECK(rows[2].frozen_tensors == 18);  // all but the statistics
    CHECK(rows[4].trained_parameters == rows[3].trained_parameters + 704);
    CHECK(rows[3].trained_parameters == DigitNet(deform).parameter_count() - 242250);
    CHECK(rows[3].frozen_tensors == 26);  // the regular net's, all of them
    CHECK(rows[4].frozen_tensors == 10);  // its convolutions and classifier
    CHECK(rows[4].key == std::string(name_of(deform)) + "/offsets+bn");
    for (const RowResult& row : rows) {
      CHECK(row.images_seen == 320);
      CHECK(row.curve.size() == (row.key == "bn-statistics" ? 0 : 5));
      CHECK(accuracy(row.scaled_confusion) == row.scaled);
    }

    const State base = load_digit_net(folder / "regular-none-seed1.safetensors").state();
    const DigitNet net =
        load_digit_net(folder / (std::string(name_of(deform)) + "-offsets-seed1.safetensors"));
    CHECK(net.deform() == deform);
    for (const auto& entry : net.state()) {
      const std::string& path = entry.first;
      const Tensor& tensor = entry.second;
      const auto old = std::find_if(base.begin(), base.end(),
                                    [&](const auto& other) { return other.first == path; });
      if (old != base.end())
        CHECK_MESSAGE(max_difference(old->second, tensor) == 0, path);
      else if (path.ends_with(".offset.weight"))
        CHECK_MESSAGE(max_difference(tensor, Tensor::zeros(tensor.shape())) > 0, path);
    }
  }
}

TEST_CASE("experiment: the same seed gives the same table") {
  const ExperimentOptions options = tiny(Deform::dcn2, "none,all,deform-all");
  const auto run = [&] { return run_experiment(few_digits(), options).rows; };
  const std::vector<RowResult> first = run(), second = run();
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].mnist == second[i].mnist);
    CHECK(first[i].scaled == second[i].scaled);
    CHECK(first[i].frozen_tensors == 0);
  }
}

TEST_CASE("experiment: rows by name") {
  const std::vector<Deform> two = {Deform::dcn1, Deform::offset_field};
  const auto keys = [&](const char* names) {
    std::string text;
    for (const RowKind& row : rows_from(names, two)) text += row.key() + " ";
    return text;
  };
  CHECK(keys("offsets,none") == "none dcn1/offsets offset-field/offsets ");
  CHECK(keys("every") ==
        "none bn-statistics bn all dcn1/offsets dcn1/offsets+bn dcn1/all "
        "offset-field/offsets offset-field/offsets+bn offset-field/all ");
  CHECK(contains(error_of([&] { keys("offset"); }),
                 "'offset' is none of every, none, bn-statistics, bn, all"));
  CHECK(contains(error_of([&] { keys(""); }), "--rows: '' has an empty item"));
  CHECK(deforms_from("dcn2,dcn1") == std::vector<Deform>{Deform::dcn2, Deform::dcn1});
  CHECK(contains(error_of([] { deform_from("dcn3"); }), "'dcn3' is none of"));
}

TEST_CASE("experiment: seeds and draws of the scaled test set") {
  ExperimentOptions options = tiny(Deform::dcn2, "none,bn");
  options.seeds = {1, 2};
  options.test_draws = 3;
  const Results results = run_experiment(few_digits(), options);
  REQUIRE(results.rows.size() == 4);
  for (const RowResult& row : results.rows) {
    REQUIRE(row.scaled_draws.size() == 3);
    CHECK(row.scaled_draws[0] == row.scaled);
  }
  CHECK(results.find("bn", 2) != nullptr);
  CHECK(results.find("bn", 3) == nullptr);
  options.seeds = {2};
  options.test_draws = 1;
  const Results alone = run_experiment(few_digits(), options);
  CHECK(alone.find("bn", 2)->scaled == results.find("bn", 2)->scaled);
  CHECK(max_difference(scaled_test_set(few_digits().test, 0).images,
                       scaled_test_set(few_digits().test, 1).images) > 0.5);
}

TEST_CASE("experiment: a base net from a file") {
  const TemporaryFolder folder;
  ExperimentOptions options = tiny(Deform::dcn2, "none,bn");
  options.ledger.folder = folder.path();
  const Results trained = run_experiment(few_digits(), options);
  options.base = folder.path() / "regular-none-seed1.safetensors";
  options.ledger.folder.clear();
  const Results loaded = run_experiment(few_digits(), options);
  CHECK(loaded.find("none", 1)->images_seen == 0);
  for (const char* key : {"none", "bn"})
    CHECK(loaded.find(key, 1)->scaled == trained.find(key, 1)->scaled);
}

TEST_CASE("eval: files that hold no digit net") {
  const TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  CHECK(
      contains(error_of([&] { load_digit_net(folder / "none.safetensors"); }), "none.safetensors"));
  write_safetensors(folder / "other.safetensors", {{{"a", Tensor::zeros({2})}}, {}});
  CHECK(
      contains(error_of([&] { load_digit_net(folder / "other.safetensors"); }), "not a digit net"));
}
