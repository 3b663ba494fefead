// pliant-mnist as people start it: its commands, what they print and how they end.
#include <sched.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

#include <pliant/apps/mnist/nets.h>
#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::test;

namespace {

namespace fs = std::filesystem;

// An image of the test set as a PGM file.
fs::path write_image(const TemporaryFolder& folder, const DigitSet& digits, std::int64_t index) {
  const std::string head = "P5 28 28 255\n";
  Bytes bytes(head.begin(), head.end());
  const std::uint8_t* const pixels = digits.test.images.data<std::uint8_t>() + index * 784;
  bytes.insert(bytes.end(), pixels, pixels + 784);
  return folder.write("digit" + std::to_string(index) + ".pgm", bytes);
}

// The file of a digit net whose parameters are all `value`.
std::string write_net(const TemporaryFolder& folder, Deform deform, double value) {
  DigitNet net(deform);
  net.initialise(Rng(1));
  for (Parameter parameter : net.parameters())
    parameter.set(Tensor::full(parameter.value().shape(), value, DType::float32));
  const fs::path file = folder.path() / (std::isnan(value) ? "broken" : "bent");
  net.save(file);
  return file;
}

// What the program says of its threads where it may run on one processor.
std::string threads_on_one_processor(const TemporaryFolder& data, std::vector<std::string> words) {
  cpu_set_t before, one;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  CPU_ZERO(&one);
  std::size_t first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_SET(first, &one);
  words.insert(words.end(), {"--data", data.path(), "--rows", "none", "--epochs", "1"});
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);  // of this thread, and what it starts
  const Ended ended = run_mnist(words);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
  const std::size_t end = ended.out.find(" threads"), begin = ended.out.rfind(' ', end - 1) + 1;
  REQUIRE(end != std::string::npos);
  return ended.out.substr(begin, end - begin);
}

nlohmann::json json_in(const fs::path& file) {
  std::ifstream in(file);
  return nlohmann::json::parse(in);
}

}  // namespace

TEST_CASE("commands: train, eval and predict by themselves, on any IDX set") {
  const TemporaryFolder folder;
  const DigitSet digits = few_digits(400, 60);
  write_digits(folder, digits);
  const std::string data = folder.path(), net = folder.path() / "net.safetensors",
                    bent = folder.path() / "bent.safetensors", json = folder.path() / "r.json";
  const Ended trained = run_mnist({"train", "--data", data, "--out", net, "--epochs", "6",
                                   "--batch", "20", "--threads", "1", "--json", json});
  CHECK(trained.status == 0);
  CHECK(contains(trained.out, "net.safetensors: 2,400 images"));
  const auto figures = json_in(json);
  CHECK(figures["images_seen"] == 2400);
  CHECK(figures["mnist"].get<double>() > 0.5);
  CHECK_FALSE(fs::exists(net + ".checkpoint"));

  const Ended measured = run_mnist({"eval", "--data", data, "--weights", net, "--json", json});
  CHECK(measured.status == 0);
  CHECK(json_in(json)["mnist"] == figures["mnist"]);

  const Ended deformed =
      run_mnist({"train", "--data", data, "--out", bent, "--start", net, "--deform",
                 "offset-field-context", "--scaled", "--epochs", "1", "--batch", "50"});
  CHECK(deformed.status == 0);
  CHECK(contains(run_mnist({"eval", "--data", data, "--weights", bent}).out,
                 "(offset-field-context)"));

  const std::string good = write_image(folder, digits, 0), bad = folder.write("bad.png", {1, 2});
  const Ended labelled = run_mnist({"predict", "--weights", net, good, bad, "--json", json});
  CHECK(labelled.status == 1);
  CHECK(contains(labelled.out, "digit0.pgm: "));
  CHECK(contains(labelled.out, "light on dark"));
  CHECK(contains(labelled.err, "bad.png"));
  REQUIRE(json_in(json).size() == 2);
  CHECK(json_in(json)[0]["probabilities"].size() == 10);
  CHECK(run_mnist({"predict", "--weights", bent, good}).status == 0);
}

TEST_CASE("commands: the table, its results file and its page") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(100, 30));
  const std::string data = folder.path(), run = folder.path() / "run",
                    page = folder.path() / "page";
  const std::vector<std::string> words = {"--data",
                                          data,
                                          "--epochs",
                                          "1",
                                          "--finetune-epochs",
                                          "1",
                                          "--rows",
                                          "none,offsets",
                                          "--deform",
                                          "dcn1,offset-field",
                                          "--as-published",
                                          "--seeds",
                                          "1,2",
                                          "--checkpoint",
                                          run,
                                          "--report",
                                          page};
  const Ended made = run_mnist(words);
  REQUIRE(made.status == 0);
  for (const char* text : {"deformable (dcn1)", "deformable (offset-field-as-published)", " ± ",
                           "26 frozen tensors unchanged", "57.01 %", "page/index.html"})
    CHECK_MESSAGE(contains(made.out, text), text);
  CHECK(fs::file_size(fs::path(page) / "index.html") > 10000);
  const Ended table = run_mnist({"table", (fs::path(run) / "results.json").string()});
  CHECK(table.status == 0);
  CHECK(contains(table.out, "deformable (dcn1)"));
  // As published, the field cannot leave zero: the row is the base net's, to the digit.
  const auto rows = json_in(fs::path(run) / "results.json")["table"];
  REQUIRE(rows.size() == 6);
  CHECK(rows[2]["key"] == "offset-field-as-published/offsets");
  CHECK(rows[2]["scaled"] == rows[0]["scaled"]);
}

TEST_CASE("commands: results of two folders become one, from which a run goes on") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(60, 20));
  const auto run = [&](const std::string& seeds, const std::string& name, const std::string& epochs,
                       const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {
        "--data",   folder.path(), "--train-images", "60",  "--rows",       "none",
        "--epochs", epochs,        "--seeds",        seeds, "--checkpoint", folder.path() / name};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run_mnist(words);
    REQUIRE(ended.status == 0);
    return ended.out;
  };
  const auto results = [&](const std::string& name) {
    return (folder.path() / name / "results.json").string();
  };
  run("1", "here", "1");
  run("2", "there", "1");
  run("2", "longer", "2");
  fs::create_directory(folder.path() / "both");
  const Ended put =
      run_mnist({"table", results("here"), results("there"), "--json", results("both")});
  REQUIRE(put.status == 0);
  CHECK(contains(put.out, " ± "));
  const auto rows = json_in(results("both"))["table"];
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == json_in(results("here"))["table"][0]);
  CHECK(rows[1] == json_in(results("there"))["table"][0]);
  CHECK(contains(run("1,2", "both", "1", {"--resume"}), "done earlier"));

  const Ended mixed =
      run_mnist({"table", results("here"), results("longer"), "--json", results("both")});
  CHECK(mixed.status == 1);
  CHECK(contains(mixed.err, "--json: expected results of one recipe, got 2 recipes: epochs is 1"));
  CHECK(json_in(results("both"))["table"].size() == 2);  // what was there is kept
}

TEST_CASE(
    "commands: the long preset trains deformable rows, and them alone, at 0.3 of their rate") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(60, 20));
  const auto made_with = [&](const std::string& preset, const std::string& finetune_lr = "") {
    const std::string json = folder.path() / (preset + finetune_lr + ".json");
    std::vector<std::string> words = {
        "--data", folder.path(),       "--preset", preset,    "--epochs",
        "1",      "--finetune-epochs", "1",        "--batch", "20",
        "--rows", "none,bn,offsets",   "--json",   json};
    if (!finetune_lr.empty()) words.insert(words.end(), {"--finetune-lr", finetune_lr});
    const Ended made = run_mnist(words);
    REQUIRE(made.status == 0);
    return json_in(json);
  };
  const auto standard = made_with("standard"), full = made_with("full");
  const auto rate = [](const auto& results, std::size_t row) {
    return results["table"].at(row)["curve"].back()[1].template get<double>();
  };
  CHECK(rate(full, 0) == rate(standard, 0));
  CHECK(rate(full, 1) == rate(standard, 1));
  CHECK(rate(full, 2) == doctest::Approx(0.3 * rate(standard, 2)));
  // The recipe says it, so that no run goes on at another rate and no table mixes the two.
  CHECK(full["recipe"]["deformable_lr_factor"] == 0.3);
  CHECK_FALSE(standard["recipe"].contains("deformable_lr_factor"));
  const auto given = made_with("full", "1e-3");
  CHECK(rate(given, 2) == rate(given, 1));
  CHECK_FALSE(given["recipe"].contains("deformable_lr_factor"));
}

TEST_CASE("commands: one clear line for what cannot work") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(20, 10));
  const std::string data = folder.path(), file = folder.write("f", {1}),
                    page = folder.path() / "page";
  fs::create_directories(fs::path(page) / "index.html");
  folder.write("net.checkpoint", {1});
  fs::create_directory(folder.path() / "map.checkpoint");
  const std::string bent = write_net(folder, Deform::dcn2, 0.1),
                    broken = write_net(folder, Deform::none, std::nan(""));
  struct Case {
    std::vector<std::string> words;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {{"--rows", "offset"}, "'offset' is none of every, none"},
           {{"--deform", "dcn3"}, "'dcn3' is none of dcn1"},
           {{"--protocol", "scaled56", "--rows", "all"},
            "'all' is none of every, none, dcn1@conv4"},
           {{"--protocol", "scaled56", "--report", "x"}, "--report: is of the scaled-mnist"},
           {{"--protocol", "scaled56", "--deform", "dcn2"}, "--deform: is of the scaled-mnist"},
           {{"--protocol", "scaled56", "--test-draws", "1"},
            "--test-draws: is of the scaled-mnist"},
           {{"--protocol", "scaled56", "--finetune-lr", "1"}, "--finetune-lr: is of the"},
           {{"--protocol", "scaled56", "--scrambled"}, "--scrambled: is of the scaled-mnist"},
           {{"--resume"}, "--resume: expected --checkpoint with it, the folder to go on with"},
           {{"--as-published"}, "--as-published: is of offset-field, which --deform does not name"},
           {{"--scrambled", "--deform", "dcn1"}, "--scrambled: is of offset-field"},
           {{"--base", bent}, "bent is a deformable net (dcn2), expected a regular one"},
           {{"--report", page}, "page/index.html: is a folder, expected a file"},
           {{"--report", file}, "--report: cannot make the folder"},
           {{"--json", data}, ": is a folder, expected a file"},
           {{"--save", "a", "--checkpoint", "b"}, "--save"},
           {{"--as-published", "--scrambled"}, "--as-published"},
           {{"--json", (folder.path() / "no" / "r.json").string()}, "no/r.json: cannot be written"},
           {{"--checkpoint", file}, "cannot be made a folder"},
           {{"table", file}, "f: is not JSON"},
           {{"table", "none.json"}, "none.json: cannot be opened"},
           {{"eval", "--weights", file}, "f: it is too short"},
           {{"eval", "--weights", broken}, "broken: the net's logits are not numbers"},
           {{"train"}, "--out is required"},
           {{"train", "--out", data}, ": is a folder, expected a file"},
           {{"train", "--out", (folder.path() / "no" / "net").string()}, "net: cannot be written"},
           {{"train", "--out", (folder.path() / "net").string()},
            "net.checkpoint: is where the checkpoint of this training goes, but no checkpoint "},
           {{"train", "--out", (folder.path() / "net").string(), "--resume"}, "but no checkpoint "},
           {{"train", "--out", (folder.path() / "map").string()}, "checkpoint (it is a folder); "},
           {{"train", "--out", "-"}, "'-' names no stream here, expected a path"},
           {{"--json", "-"}, "'-' names no stream here, expected a path"},
           {{"--seeds", "3,1,3"}, "--seeds: 3 is given twice"},
           {{"table", data}, ": is a folder, expected a results file"}}) {
    std::vector<std::string> words = c.words;
    if (words[0] != "table") words.insert(words.end(), {"--data", data});
    const Ended ended = run_mnist(words);
    CAPTURE(c.message);
    CHECK(ended.status != 0);
    CHECK(contains(ended.err, c.message));
    CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') <= 2);
  }
}

TEST_CASE("commands: as many threads as there are processors for them, unless told otherwise") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(20, 10));
  const char* const found = std::getenv("PLIANT_THREADS");
  const std::string before = found != nullptr ? found : "";
  ::unsetenv("PLIANT_THREADS");
  CHECK(threads_on_one_processor(folder, {}) == "1");
  ::setenv("PLIANT_THREADS", "3", 1);
  CHECK(threads_on_one_processor(folder, {}) == "3");
  CHECK(threads_on_one_processor(folder, {"--threads", "2"}) == "2");
  if (found != nullptr)
    ::setenv("PLIANT_THREADS", before.c_str(), 1);
  else
    ::unsetenv("PLIANT_THREADS");
}

TEST_CASE("commands: what is wrong with the environment is said before anything is looked for") {
  for (const char* const name : {"PLIANT_THREADS", "PLIANT_INSTRUCTIONS"}) {
    const char* const found = std::getenv(name);
    const std::string before = found != nullptr ? found : "";
    ::setenv(name, "many", 1);
    for (const char* const command : {"eval", "train", "predict", ""}) {
      std::vector<std::string> words = {"--data", "none"};
      if (command[0] != 0) words.insert(words.begin(), command);
      if (words[0] == "train") words.insert(words.end(), {"--out", "none/net"});
      if (words[0] == "eval") words.insert(words.end(), {"--weights", "none"});
      if (words[0] == "predict") words = {"predict", "--weights", "none", "none.png"};
      const Ended ended = run_mnist(words);
      CHECK(ended.status == 1);
      CHECK(contains(ended.err, std::string(name) + ": expected "));
    }
    CHECK(run_mnist({"--help"}).status == 0);
    found != nullptr ? ::setenv(name, before.c_str(), 1) : ::unsetenv(name);
  }
}

TEST_CASE("commands: a table of a recipe that somebody has edited") {
  const TemporaryFolder folder;
  write_digits(folder, few_digits(20, 10));
  const std::string file = folder.path() / "r.json", page = folder.path() / "a\x1B[2J\xFF";
  const Ended run = run_mnist({"--data", folder.path(), "--rows", "none", "--epochs", "1", "--json",
                               file, "--report", page});
  REQUIRE(run.status == 0);
  CHECK(contains(run.out, "report: " + (folder.path() / "a?[2J?/index.html").string()));
  CHECK_FALSE(contains(run.out + run.err, "\x1B"));  // no name steers the terminal
  for (const bool held_out : {false, true}) {
    nlohmann::ordered_json json;
    std::ifstream(file) >> json;
    json["recipe"]["validate"] = held_out ? nlohmann::ordered_json(true) : "yes";
    std::ofstream(file) << json;
    const Ended table = run_mnist({"table", file});
    CHECK(table.status == (held_out ? 0 : 1));
    CHECK(contains(table.out, "held-out") == held_out);
    CHECK(contains(table.err, "'validate' is \"yes\", expected true or false") != held_out);
  }
}

TEST_CASE("commands: nothing is written over what is read, or over another result") {
  const TemporaryFolder data, folder;
  write_digits(data, few_digits(40, 10));
  const std::string net = write_net(folder, Deform::none, 0.1);
  std::ifstream in(net, std::ios::binary);
  const std::string before((std::istreambuf_iterator<char>(in)), {});
  const std::string link = (folder.path() / "link").string(),
                    out = (folder.path() / "out").string(),
                    images = (data.path() / "train-images-idx3-ubyte").string();
  fs::create_symlink(net, link);
  const std::string image = write_image(folder, few_digits(1, 1), 0);
  const std::vector<std::vector<std::string>> refused = {
      {"eval", "--data", data.path(), "--weights", net, "--json", link},
      {"eval", "--data", data.path(), "--weights", net, "--json", images},
      {"predict", "--weights", net, image, "--json", net},
      {"predict", "--weights", net, image, "--json", image},
      {"train", "--data", data.path(), "--out", out, "--json", out},
      {"train", "--data", data.path(), "--out", out, "--json", out + ".checkpoint"},
      {"train", "--data", data.path(), "--out", out, "--start", net, "--json", net},
      {"train", "--data", data.path(), "--out", images},
      {"--data", data.path(), "--base", net, "--json", net}};
  for (const std::vector<std::string>& words : refused) {
    const Ended ended = run_mnist(words);
    CHECK(ended.status == 1);
    CHECK(contains(ended.err, " would be written over it; name another"));
  }
  std::ifstream again(net, std::ios::binary);
  CHECK(std::string((std::istreambuf_iterator<char>(again)), {}) == before);
}

TEST_CASE("commands: published nets that are not there cost no training") {
  const TemporaryFolder data;
  write_digits(data, few_digits(40, 10));
  ::setenv("PLIANT_PUBLISHED", data.path().c_str(), 1);
  const Ended ended = run_mnist({"--data", data.path(), "--rows", "none", "--epochs", "1"});
  ::unsetenv("PLIANT_PUBLISHED");
  CHECK(ended.status == 1);
  CHECK(contains(ended.err, "has no cnn.safetensors"));
  CHECK_FALSE(contains(ended.out, "preset"));
}
