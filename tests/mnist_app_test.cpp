#include <filesystem>
#include <fstream>

#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/experiment.h>
#include <pliant/apps/mnist/report.h>
#include <pliant/data/digits.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

const DigitSet& few_digits() {
  static const DigitSet digits = [] {
    MnistLookup lookup;
    lookup.environment_directory = "";
    lookup.cache = "";
    lookup.mirrors = {};
    lookup.synthetic_train = 320;
    lookup.synthetic_test = 40;
    return find_digits(lookup);
  }();
  return digits;
}

ExperimentOptions tiny(Deform deform, const std::string& rows) {
  ExperimentOptions options;
  options.preset = "tiny";
  options.epochs = options.finetune_epochs = 1;
  options.batch = 64;
  options.deform = deform;
  options.rows = rows_from(rows);
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
  for (const Deform deform : {Deform::dcn1, Deform::dcn2, Deform::offset_field}) {
    DigitNet twin(deform);
    twin.initialise(Rng(3));
    twin.load(regular.state(), {.may_lack = {"*.offset.*", "*.mask.*"}});
    CHECK(max_difference(expected, twin(images).value()) < 1e-5);
  }
}

TEST_CASE("experiment: every row of every kind, frozen tensors untouched, heads moved") {
  for (const Deform deform : {Deform::dcn1, Deform::dcn2, Deform::offset_field}) {
    const TemporaryFolder temporary;
    const std::filesystem::path& folder = temporary.path();
    ExperimentOptions options = tiny(deform, "none,bn,offsets,offsets+bn");
    options.save_to = folder;
    const std::vector<RowResult> rows = run_experiment(few_digits(), options, [](auto&) {});
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].trained_parameters == 242250);
    CHECK(rows[1].trained_parameters == 704);
    CHECK(rows[3].trained_parameters == rows[2].trained_parameters + 704);
    CHECK(rows[2].trained_parameters == DigitNet(deform).parameter_count() - 242250);
    CHECK(rows[2].frozen_tensors == 26);  // the regular net's, all of them
    CHECK(rows[3].frozen_tensors == 10);  // its convolutions and classifier
    for (const RowResult& row : rows) CHECK(row.images_seen == 320);

    const State base = load_digit_net(folder / "regular-none.safetensors").state();
    const DigitNet net =
        load_digit_net(folder / (std::string(name_of(deform)) + "-offsets.safetensors"));
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
  const auto run = [&] { return run_experiment(few_digits(), options, [](auto&) {}); };
  const std::vector<RowResult> first = run(), second = run();
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].mnist == second[i].mnist);
    CHECK(first[i].scaled == second[i].scaled);
    CHECK(first[i].frozen_tensors == 0);
  }
}

TEST_CASE("experiment: rows by name") {
  CHECK(rows_from("offsets,none").size() == 2);
  CHECK(contains(error_of([] { rows_from("offset"); }), "'offset' is none of none, bn, all"));
  CHECK(contains(error_of([] { rows_from(""); }), "names no row"));
  CHECK(contains(error_of([] { deform_from("dcn3"); }), "'dcn3' is none of"));
}

TEST_CASE("report: table and JSON") {
  RowResult row;
  row.model = "deformable";
  row.deform = "dcn2";
  row.finetune = "offsets";
  row.mnist = 0.9727;
  row.scaled = 0.9255;
  row.trained_parameters = 1234567;
  row.images_seen = 60000;
  row.seconds = 120;
  const std::string table = table_of({row}, {"not given", {}}, "mnist");
  CHECK(contains(table_of({row}, {"not given", {}}, "synthetic-digits"), "not MNIST"));
  CHECK(contains(table, "deformable (dcn2)"));
  CHECK(contains(table, "92.55 %  1,234,567"));
  CHECK(contains(table, "published weights, measured here: not given"));
  const auto json = json_of(row);
  CHECK(json["images_per_second"] == 500.0);
  CHECK(json["deform"] == "dcn2");
  row.model = "regular";
  CHECK_FALSE(json_of(row).contains("deform"));
  CHECK(percent(0.9874) == "98.74 %");
  CHECK(grouped(387072) == "387,072");
  CHECK(clock_time(3700) == "1:01:40");
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
