// The nets that pliant-mnist --net names: made, trained, kept and measured.
#include <pliant/apps/mnist/named_nets.h>

#include <algorithm>
#include <filesystem>

#include <pliant/layers/train/safetensors.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
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
  Bytes picture(head.begin(), head.end());
  const std::uint8_t* const pixels = digits.test_images.data<std::uint8_t>();
  picture.insert(picture.end(), pixels, pixels + 784);
  const Ended labelled =
      run_mnist({"predict", "--weights", net, folder.write("digit.pgm", picture)});
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
