// pliant-train: its nets, its pictures, and the program itself.
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include <pliant/apps/train/example.h>
#include <pliant/apps/train/net_json.h>
#include <pliant/apps/train/nets.h>
#include <pliant/apps/train/pictures.h>
#include <pliant/data/image_file.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>
#include <pliant/tests/program.h>

using namespace pliant;
using namespace pliant::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kSmallNet =
    R"({"layers": [{"conv": {"out": 8, "stride": 2, "padding": 1}}, "batch_norm", "relu",
                   {"deform_conv": {"out": 16, "stride": 2, "padding": 1}}, "relu",
                   "global_avg_pool", "linear"]})";

Ended run_train(std::vector<std::string> words, int signal = 0, int milliseconds = 0) {
  words.insert(words.begin(), PLIANT_PROGRAMS "/pliant-train");
  return run_program(std::move(words), signal, milliseconds);
}

// A folder of two classes of so many 12 x 10 pictures, dark and bright.
void write_pictures(const fs::path& root, int count) {
  for (const bool bright : {false, true})
    for (int i = 0; i < count; ++i) {
      fs::create_directories(root / (bright ? "day" : "night"));
      Tensor picture = Tensor::full({10, 12, 3}, bright ? 200 : 40, DType::uint8);
      picture.mutable_data<std::uint8_t>()[0] = static_cast<std::uint8_t>(i);
      write_image(root / (bright ? "day" : "night") / (std::to_string(i) + ".png"), picture);
    }
}

std::string error_of_net(const char* json) {
  return error_of([&] {
    train::net_from(nlohmann::ordered_json::parse(json),
                    {.height = 8, .width = 8, .channels = 3, .classes = 4});
  });
}

}  // namespace

TEST_CASE("pliant-train: nets by name, and the nearest name of one that there is not") {
  for (const std::string& name : train::net_names()) {
    CAPTURE(name);
    const train::NetRecipe recipe{.net = name, .classes = {"a", "b", "c"}, .size = 32};
    CHECK(train::make_net(recipe)->parameter_count() > 10000);
  }
  train::NetRecipe misspelled{.net = "reznet18", .classes = {"a", "b"}};
  CHECK(contains(error_of([&] { train::complete(misspelled); }), "did you mean resnet18?"));
  const train::NetRecipe wrong{.net = "resnet18", .deformable = "7", .classes = {"a", "b"}};
  CHECK(contains(error_of([&] { train::make_net(wrong); }), "stage 7 deforms"));
}

TEST_CASE("pliant-train: a net of a JSON file, and what is wrong with one") {
  Sequential net = train::net_from(nlohmann::ordered_json::parse(kSmallNet),
                                   {.height = 8, .width = 8, .channels = 3, .classes = 4});
  net.initialise(Rng(1));
  CHECK(net(Tensor::zeros({2, 8, 8, 3})).shape() == Shape{2, 4});
  CHECK(contains(error_of_net(R"({"layers": ["relo"]})"),
                 "layer 0: there is no layer \"relo\"; did you mean \"relu\"?"));
  CHECK(contains(error_of_net(R"({"layers": [{"conv": {"out": 8, "strid": 2}}]})"),
                 "layer 0: conv knows no \"strid\"; did you mean \"stride\"?"));
  CHECK(contains(error_of_net(R"({"layers": [{"conv": {}}]})"), "conv needs \"out\""));
  CHECK(contains(error_of_net(R"({"layers": [{"relu": {"slope": 1}}]})"), "takes no attributes"));
  CHECK(contains(error_of_net(R"({"layers": [{"conv": {"out": 8, "kernel": 9}}]})"),
                 "a window of 9 pixels does not fit"));
  CHECK(contains(error_of_net(R"({"layers": [{"residual": [{"conv": {"out": 8}}]}]})"),
                 "but a residual keeps the shape"));
  CHECK(
      contains(error_of_net(R"({"layers": ["relu"]})"), "the net gives [1 8 8 3], expected [1 4]"));
  CHECK(contains(error_of_net(R"({"layer": []})"), "expected {\"layers\": [..]}"));
}

TEST_CASE("pliant-train: the example's shapes are a pure function of their key") {
  const LabelledImages a = train::make_shapes(40, 24, Rng(1)),
                       b = train::make_shapes(50, 24, Rng(1));
  CHECK(max_difference(a.images, b.images.slice(0, 40)) == 0);
  for (const std::int64_t label : a.labels.span<std::int64_t>())
    CHECK((label >= 0 && label < static_cast<std::int64_t>(train::shape_names().size())));
}

TEST_CASE("pliant-train: a held out share of each class, by key") {
  const TemporaryFolder folder;
  write_pictures(folder.path(), 10);
  const train::PictureSets sets = train::open_pictures(folder.path(), {.val = 0.2});
  CHECK(sets.classes == std::vector<std::string>{"day", "night"});
  CHECK(sets.train.counts(2) == std::vector<std::int64_t>{8, 8});
  CHECK(sets.val.counts(2) == std::vector<std::int64_t>{2, 2});
  CHECK(sets.train.read(0).shape() == Shape{10, 12, 3});
  const train::PictureSets again = train::open_pictures(folder.path(), {.val = 0.2});
  CHECK(again.val.name(0) == sets.val.name(0));
}

TEST_CASE("pliant-train: pictures that make no set are one line each") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  const auto said = [&](const fs::path& data) {
    const Ended ended = run_train({data.string(), "--out", (root / "net.safetensors").string()});
    CHECK(ended.status == 1);
    CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(root / "net.safetensors"));
    return ended.err;
  };
  CHECK(contains(said(root / "none"), "there is no such folder"));
  fs::create_directories(root / "empty");
  CHECK(contains(said(root / "empty"), "has no folders"));
  fs::create_directories(root / "bare/cat");
  CHECK(contains(said(root / "bare"), "no images in the folder of this class"));
  write_pictures(root / "both", 3);
  fs::create_directories(root / "one");
  fs::rename(root / "both/day", root / "one/day");
  CHECK(contains(said(root / "one"), "has one class, 'day', expected at least two"));
  CHECK(contains(said(root / "both/night/0.png"), "is a file, expected a folder of pictures"));
}

TEST_CASE("pliant-train: files that are no files of its own, and options of nothing") {
  const TemporaryFolder folder;
  const std::string out = folder.path() / "n.st";
  const auto train = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {
        "--example", "--train-images", "20", "--net", "lenet5", "--epochs", "1", "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    return run_train(words);
  };
  const std::string pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& log : {std::string("/dev/full"), std::string("/dev/zero"), pipe}) {
    CAPTURE(log);
    const Ended run = train({"--log", log});
    CHECK(run.status == 1);
    CHECK(contains(run.err, "--log: "));
  }
  CHECK(contains(train({"--log", out + ".lock"}).err, "the lock beside --out"));
  std::ofstream(out + ".lock") << "precious";
  CHECK(train({}).status == 1);
  CHECK(text_of(out + ".lock") == "precious");
  fs::remove(out + ".lock");
  CHECK(train({"--batch", "2147483648"}).status == 0);  // in the memory of twenty pictures
  CHECK(run_train({"summary", "--weights", ""}).status != 0);
  const Ended stride = run_program(
      {PLIANT_PROGRAMS "/pliant-segment", "train", "--example", "--out", out, "--stride", ""});
  CHECK(stride.status != 0);
  CHECK(contains(stride.err, "--stride"));
}

TEST_CASE("pliant-train: trains, is stopped, goes on, judges and labels") {
  const TemporaryFolder folder;
  const fs::path root = folder.path(), net = root / "net.json";
  write_pictures(root / "data", 12);
  std::ofstream(net) << kSmallNet;
  const auto words = [&](const std::string& out) -> std::vector<std::string> {
    return {(root / "data").string(),
            "--net",
            net.string(),
            "--size",
            "12",
            "--epochs",
            "40",
            "--batch",
            "8",
            "--val",
            "0.25",
            "--threads",
            "1",
            "--device",
            "cpu",
            "--average",
            "0.9",
            "--log",
            out + ".jsonl",
            "--json",
            out + ".json",
            "--report",
            out + "-page",
            "--out",
            out + ".safetensors",
            "--checkpoint-seconds",
            "0",
            "--resume"};
  };
  const std::string calm = (root / "calm").string(), rough = (root / "rough").string();
  const Ended ended = run_train(words(calm));
  REQUIRE_MESSAGE(ended.status == 0, ended.err);
  CHECK(contains(ended.out, "of val right"));
  CHECK(contains(text_of(calm + "-page/index.html"), "Where the net reads"));
  CHECK(contains(text_of(calm + ".jsonl"), "\"val/accuracy\""));

  int stops = 0;
  for (int life = 30;; life += 3 + life / 12) {
    REQUIRE(life < 100000);
    if (run_train(words(rough), SIGKILL, life).status == 0) break;
    stops += fs::exists(rough + ".safetensors.checkpoint") ? 1 : 0;
  }
  CHECK(stops >= 1);
  CHECK(text_of(rough + ".safetensors") == text_of(calm + ".safetensors"));
  CHECK(text_of(rough + ".jsonl") == text_of(calm + ".jsonl"));

  const Ended eval =
      run_train({"eval", (root / "data").string(), "--weights", calm + ".safetensors"});
  CHECK(eval.status == 0);
  CHECK(contains(eval.out, "all its pictures; it has neither test nor val"));
  CHECK(contains(eval.out, " of 24 right: "));
  const Ended csv = run_train({"predict", "--weights", calm + ".safetensors", "--csv", "--top", "2",
                               (root / "data/day").string()});
  CHECK(csv.status == 0);
  CHECK(std::count(csv.out.begin(), csv.out.end(), '\n') == 12);
  CHECK(std::count(csv.out.begin(), csv.out.end(), ',') == 12 * 4);
  CHECK(contains(run_train({"summary", "--weights", calm + ".safetensors"}).out, "DeformConv2d"));
}
