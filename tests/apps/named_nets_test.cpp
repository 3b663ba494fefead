// The nets that pliant-mnist --net names: made, trained, kept and measured.
#include <pliant/apps/mnist/named_nets.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <tuple>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/training.h>
#include <pliant/layers/safetensors.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

TEST_CASE("named nets: each is made, with its small stem for one channel and ten classes") {
  const std::vector<std::pair<const char*, std::int64_t>> counts = {
      {"digit", 242'250},       {"lenet5", 61'706},      {"vgg11", 9'229'962},
      {"vgg13", 9'414'858},     {"vgg16", 14'727'114},   {"resnet18", 11'172'810},
      {"resnet34", 21'280'970}, {"resnet50", 23'519'690}};
  REQUIRE(net_names().size() == counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    CHECK(net_names()[i] == counts[i].first);
    CHECK(make_net({.net = counts[i].first})->parameter_count() == counts[i].second);
  }
  CHECK(make_net({.net = "resnet18", .stages = "extra"})->parameter_count() ==
        11'172'810 + 2 * 9 * 512 * 530);
  CHECK(make_net({.net = "resnet18", .stages = "3,4"})->parameter_count() ==
        11'172'810 + 18 * 9 * (128 + 3 * 256 + 256 + 3 * 512) + 8 * 18);
}

TEST_CASE("named nets: trained, measured again, and a start for a deformable one") {
  const TemporaryFolder folder;
  const DigitSet digits = few_digits(300, 50);
  write_digits(folder, digits);
  const std::string data = folder.path(), net = folder.path() / "net.safetensors",
                    bent = folder.path() / "bent.safetensors";
  const Ended trained = run_mnist({"train", "--data", data, "--net", "lenet5", "--out", net,
                                   "--train-images", "200", "--epochs", "8", "--batch", "20"});
  REQUIRE(trained.status == 0);
  CHECK(contains(trained.out, "1,600 images"));
  const SafetensorsFile file = read_safetensors(net);
  CHECK(file.find("conv1.weight") != nullptr);
  CHECK(file.metadata.at("net") == "lenet5");
  const Ended measured = run_mnist({"eval", "--data", data, "--weights", net});
  CHECK(contains(measured.out, "(lenet5)"));
  const auto figures = [](const std::string& out) { return out.substr(out.rfind(": ")); };
  CHECK(figures(measured.out).substr(2) == trained.out.substr(trained.out.rfind("test set ") + 9));

  const std::string head = "P5 28 28 255\n";
  Bytes image(head.begin(), head.end());
  const std::uint8_t* const pixels = digits.test.images.data<std::uint8_t>();
  image.insert(image.end(), pixels, pixels + 784);
  const Ended labelled = run_mnist({"predict", "--weights", net, folder.write("digit.pgm", image)});
  CHECK(labelled.status == 0);
  CHECK(contains(labelled.out, "digit.pgm: "));

  const Ended deformed =
      run_mnist({"train", "--data", data, "--net", "lenet5", "--deform-stages", "2", "--start", net,
                 "--out", bent, "--epochs", "1", "--batch", "50"});
  REQUIRE(deformed.status == 0);
  CHECK(contains(run_mnist({"eval", "--data", data, "--weights", bent}).out, "(lenet5, stages 2)"));
  const LoadedNet loaded = load_net(bent);
  CHECK(loaded.named.stages == "2");
}

TEST_CASE("named nets: as many classes as the labels ask for, or as one says") {
  const TemporaryFolder folder;
  DigitSet digits = few_digits(60, 20);
  for (Tensor* const labels : {&digits.train.labels, &digits.test.labels})
    for (std::int64_t& label : labels->mutable_span<std::int64_t>()) label += label < 2 ? 10 : 0;
  write_digits(folder, digits);
  const std::string data = folder.path(), image = folder.path() / "digit.pgm";
  const std::string head = "P5 28 28 255\n";
  Bytes pgm(head.begin(), head.end());
  pgm.insert(pgm.end(), digits.test.images.data<std::uint8_t>(),
             digits.test.images.data<std::uint8_t>() + 784);
  folder.write("digit.pgm", pgm);
  for (const auto& each : {std::tuple{"digit", "", 12}, {"lenet5", "", 12}, {"lenet5", "15", 15}}) {
    const auto& [name, asked, classes] = each;
    CAPTURE(std::get<0>(each));
    const std::string net = folder.path() / "net.safetensors", json = folder.path() / "p.json";
    std::vector<std::string> words = {"train", "--data",   data, "--net",   name, "--out",
                                      net,     "--epochs", "1",  "--batch", "20"};
    if (*asked != 0) words.insert(words.end(), {"--classes", asked});
    REQUIRE(run_mnist(words).status == 0);
    CHECK(run_mnist({"eval", "--data", data, "--weights", net}).status == 0);
    const TestSets sets = make_test_sets(digits.test);
    CHECK(confusion(*load_net(net).net, sets.plain, {}).size() ==
          static_cast<std::size_t>(classes));

    // From a pipe.
    const std::string line = "cat '" + image +
                             "' | '" PLIANT_MNIST_PROGRAM "' predict --weights '" + net +
                             "' --json '" + json + "' - > '" + data + "/out'";
    CHECK(std::system(line.c_str()) == 0);
    const auto labelled = nlohmann::json::parse(std::ifstream(json));
    CHECK(labelled[0]["file"] == "-");
    CHECK(labelled[0]["probabilities"].size() == static_cast<std::size_t>(classes));
    CHECK(run_mnist({"predict", "--weights", net, image, "--json", json}).status == 0);
    CHECK(nlohmann::json::parse(std::ifstream(json))[0]["probabilities"] ==
          labelled[0]["probabilities"]);
  }
  const Ended few = run_mnist({"train", "--data", data, "--out", data + "/x", "--classes", "11"});
  CHECK(few.status == 1);
  CHECK(contains(few.err, "--classes: is 11, but the labels go up to 11"));
  const Ended table = run_mnist({"--data", data, "--rows", "none", "--epochs", "1"});
  CHECK(contains(table.err, "--data: has 12 classes; the table is of ten"));
  const Ended alien = run_mnist({"train", "--data", data, "--net", "lenet5", "--epochs", "1",
                                 "--out", data + "/y", "--train-images", "20"});
  REQUIRE(alien.status == 0);
  digits.test.labels.mutable_data<std::int64_t>()[3] = 40;
  write_digits(folder, digits);
  CHECK(contains(run_mnist({"eval", "--data", data, "--weights", data + "/y"}).err,
                 "an image has label 40, but the net knows 12 classes, 0 to 11"));
}

TEST_CASE("named nets: --net without a command trains that net") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(60, 20));
  const std::string data = folder.path(), save = folder.path() / "nets";
  const Ended trained = run_mnist({"--net", "lenet5", "--data", data, "--epochs", "1", "--batch",
                                   "20", "--seed", "3", "--save", save});
  REQUIRE(trained.status == 0);
  CHECK(contains(trained.out, "lenet5.safetensors: 60 images"));
  CHECK(read_safetensors(std::filesystem::path(save) / "lenet5.safetensors").metadata.at("seed") ==
        "3");
  struct Case {
    std::vector<std::string> words;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {{"--net", "resnet9"}, "resnet9"},
           {{"--net", "lenet5", "--rows", "bn"}, "--rows: is of the table, not of --net"},
           {{"--net", "lenet5", "--seeds", "1,2"}, "--net trains one net"},
           {{"train", "--net", "lenet5", "--deform", "dcn1", "--out", save}, "of the digit net"},
           {{"train", "--net", "lenet5", "--deform-stages", "3", "--out", save},
            "stage 3 deforms, but there are 1 to 2"},
           {{"train", "--net", "lenet5", "--deform-stages", "x", "--out", save}, "'x' is no stage"},
           {{"train", "--deform-stages", "2", "--out", save}, "is not of the digit net"}}) {
    std::vector<std::string> words = c.words;
    words.insert(words.end(), {"--data", data});
    const Ended ended = run_mnist(words);
    CAPTURE(c.message);
    CHECK(ended.status != 0);
    CHECK(contains(ended.err, c.message));
  }
}
