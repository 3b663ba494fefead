#include <fstream>

#include <pliant/apps/mnist/json_text.h>
#include <pliant/apps/mnist/progress.h>
#include <pliant/apps/mnist/report.h>
#include <pliant/apps/mnist/results.h>
#include <pliant/tests/comma_locale.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

RowResult row_of(const std::string& key, std::uint64_t seed, double mnist, double scaled) {
  RowResult row;
  row.key = key;
  row.model = key == "none" ? "regular" : "deformable";
  row.deform = key == "none" ? "" : "dcn2";
  row.finetune = key == "none" ? "none" : "offsets";
  row.seed = seed;
  row.mnist = mnist;
  row.scaled = scaled;
  row.scaled_draws = {scaled};
  row.trained_parameters = 1234567;
  row.images_seen = 60000;
  row.seconds = 120;
  return row;
}

Results results_of(std::vector<RowResult> rows) {
  Results results;
  results.dataset = "mnist";
  results.preset = "standard";
  results.recipe = {{"epochs", 3}, {"lr", 0.1}};
  results.rows = std::move(rows);
  return results;
}

}  // namespace

TEST_CASE("results: a file gives back every bit of what was written") {
  const TemporaryFolder folder;
  RowResult row = row_of("dcn2/offsets", 3, 1.0 / 3, 0.1 + 0.2);
  row.scaled_draws = {row.scaled, 0.7};
  row.curve = {{0.5, 1e-3, 0.123456789012345678, 0.9}, {1, 1e-4, 1.0 / 7, 0.95}};
  row.epochs = {{1, 0.25}};
  row.plain_confusion[3][5] = 17;
  row.scaled_confusion[9][0] = 4;
  row.frozen_tensors = 26;
  row.weights = "dcn2-offsets-seed3.safetensors";
  const Results written = results_of({row, row_of("none", 3, 0.99, 0.6)});
  write_results(folder.path() / "r.json", written);
  const Results read = read_results(folder.path() / "r.json");
  CHECK(json_of(read) == json_of(written));
  REQUIRE(read.find("dcn2/offsets", 3) != nullptr);
  CHECK(read.find("dcn2/offsets", 3)->mnist == row.mnist);
  CHECK(read.find("dcn2/offsets", 3)->curve[1].loss == 1.0 / 7);
  CHECK(read.find("dcn2/offsets", 1) == nullptr);
  CHECK(json_of(row)["images_per_second"] == 500.0);
  CHECK_FALSE(json_of(row_of("none", 1, 0, 0)).contains("deform"));

  // More classes than ten.
  row.plain_confusion = Confusion(12);
  row.plain_confusion[11][10] = 5;
  write_results(folder.path() / "r.json", results_of({row}));
  CHECK(read_results(folder.path() / "r.json").find("dcn2/offsets", 3)->plain_confusion ==
        row.plain_confusion);

  // No figure stands for plain digits that were not measured.
  row.mnist.reset();
  Results zoomed = results_of({row});
  zoomed.protocol = "scaled56";
  write_results(folder.path() / "z.json", zoomed);
  CHECK_FALSE(read_results(folder.path() / "z.json").find("dcn2/offsets", 3)->mnist.has_value());
  CHECK_FALSE(json_of(row).contains("mnist"));
  CHECK_FALSE(json_of(row).contains("plain_confusion"));
}

TEST_CASE("results: a row that stands there twice is an Error") {
  const Results twice = results_of({row_of("none", 3, 0.99, 0.6), row_of("none", 3, 0.98, 0.6)});
  const TemporaryFolder folder;
  write_results(folder.path() / "r.json", twice);
  CHECK(contains(error_of([&] { read_results(folder.path() / "r.json"); }),
                 "results: stands there twice with seed 3"));
}

TEST_CASE("results: a confusion has as many guesses as labels") {
  nlohmann::ordered_json json = json_of(row_of("none", 1, 0.5, 0.5));
  json["scaled_confusion"] = {{1, 2}, {3}};
  CHECK(contains(error_of([&] { row_from(json); }),
                 "a confusion of 2 labels has a row of 1 guesses"));
}

TEST_CASE("results: files that are none") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    std::ofstream(folder.path() / "r.json") << text;
    return error_of([&] { read_results(folder.path() / "r.json"); });
  };
  CHECK(contains(error_of([&] { read_results(folder.path() / "no.json"); }),
                 "no.json: cannot be opened"));
  CHECK(contains(error("{"), "r.json: is not JSON"));
  CHECK(contains(error("[]"), "'protocol' is missing"));
  std::string whole = json_of(results_of({row_of("none", 1, 0.5, 0.5)})).dump();
  CHECK(error(whole) == "");
  for (std::size_t length = 0; length < whole.size(); length += 7)
    CHECK(contains(error(whole.substr(0, length)), "r.json: "));
  for (const char* key : {"table", "recipe", "seed", "mnist", "images_seen"}) {
    std::string other = whole;
    other.replace(other.find('"' + std::string(key) + "\":") + 1, 3, "xyz");
    CHECK_MESSAGE(contains(error(other), "'" + std::string(key) + "' is missing"), key);
  }
  whole.replace(whole.find("\"mnist\":0.5") + 8, 3, "\"a\"");
  CHECK(contains(error(whole), "'mnist' is \"a\", expected a number"));

  nlohmann::ordered_json json = json_of(results_of({}));
  for (const char* recipe : {"[]", "3", "null", "\"epochs\""}) {
    json["recipe"] = nlohmann::ordered_json::parse(recipe);
    CHECK(contains(error(json.dump()),
                   "r.json: results: 'recipe' is " + std::string(recipe) + ", expected an object"));
  }
}

TEST_CASE("results: every number has a range, and what is outside is refused with its row") {
  const TemporaryFolder folder;
  RowResult row = row_of("bn", 2, 0.5, 0.5);
  row.curve = {{0.5, 1e-3, 0.1, 0.9}};
  row.epochs = {{1, 0.25}};
  const nlohmann::ordered_json good = json_of(results_of({row}));
  const auto error = [&](const std::string& place, const nlohmann::ordered_json& value) {
    nlohmann::ordered_json json = good;
    json[nlohmann::ordered_json::json_pointer("/table/0/" + place)] = value;
    std::ofstream(folder.path() / "r.json") << json.dump();
    return error_of([&] { read_results(folder.path() / "r.json"); });
  };
  CHECK(error("mnist", 0.25) == "");
  CHECK(contains(error("scaled", 0.25),
                 "'scaled_draws' is [0.5], expected a list that begins with 'scaled', 0.25"));
  CHECK(contains(error("scaled_draws", nlohmann::ordered_json::array()), "is [], expected a list"));
  CHECK(error("scaled_draws", {0.5, 0.25}) == "");
  CHECK(error("scaled", -7.5) == (folder.path() / "r.json").string() +
                                     ": row \"bn\" of seed 2: results: 'scaled' is -7.5, expected "
                                     "0 to 1");
  for (const char* share : {"mnist", "scaled", "scaled_draws/0", "curve/0/3", "epochs/0/scaled"}) {
    CHECK_MESSAGE(contains(error(share, -0.01), "expected 0 to 1"), share);
    CHECK_MESSAGE(contains(error(share, 1.5), "expected 0 to 1"), share);
  }
  for (const char* count : {"images_seen", "trained_parameters", "frozen_tensors", "epochs/0/epoch",
                            "plain_confusion/3/4", "scaled_confusion/0/0"}) {
    CHECK_MESSAGE(contains(error(count, -1), "expected 0 to "), count);
    CHECK_MESSAGE(contains(error(count, std::uint64_t{1} << 60), "expected 0 to "), count);
  }
  for (const char* number : {"seconds", "wait_seconds", "curve/0/0", "curve/0/1"})
    CHECK_MESSAGE(contains(error(number, -3), "is -3, expected "), number);
  CHECK(contains(error("images_seen", 1e30), "expected a whole number"));
  CHECK(contains(error("seed", -1),
                 "row \"bn\" of seed -1: results: 'seed' is -1, expected a whole"));
  CHECK(contains(error("key", "a\x1B[2J"), "expected at most 255 printable characters"));
  CHECK(contains(error("model", 3), "'model' is 3, expected a text"));
  for (const char* seconds : {"seconds", "wait_seconds"})
    CHECK(contains(error(seconds, 1e300), "is 1e+300, expected 0 to 1e+09"));
  CHECK(contains(error("images_per_second", -1), "is -1, expected 0 to 1e+12"));
  CHECK(contains(error("images_per_second", "fast"), "expected a number"));
  CHECK(contains(error("seconds", 1e-300), "'images_per_second' is 6e+304, expected 0 to 1e+12"));
  CHECK(contains(error("scaled_confusion/0/0", 1.5), "is 1.5, expected a whole number"));
  CHECK(contains(error("scaled_confusion/0", 1), "expected a list of counts for each label"));
  CHECK(contains(error("scaled_confusion/0", {kMostCount, 1, 0, 0, 0, 0, 0, 0, 0, 0}),
                 "is 1, expected 0 to 0"));  // their sum must be a count as well
  CHECK(contains(error("curve/0/4", 1), "expected epoch, rate, loss and accuracy"));
  CHECK(contains(error("curve", 1), "'curve' is 1, expected a list"));
}

TEST_CASE("results: what the whole file says has a type and a range too") {
  const TemporaryFolder folder;
  const nlohmann::ordered_json good = json_of(results_of({row_of("bn", 2, 0.5, 0.5)}));
  const auto error = [&](const std::string& place, const nlohmann::ordered_json& value) {
    nlohmann::ordered_json json = good;
    json[nlohmann::ordered_json::json_pointer("/" + place)] = value;
    std::ofstream(folder.path() / "r.json") << json.dump();
    return error_of([&] { read_results(folder.path() / "r.json"); });
  };
  CHECK(error("threads", 4) == "");
  for (const int count : {-1, 0, 1025})
    CHECK(contains(error("threads", count), "expected 1 to 1024"));
  CHECK(contains(error("threads", "all"), "'threads' is \"all\", expected a whole number"));
  CHECK(contains(error("protocol", "x"), "'protocol' is 'x', expected scaled-mnist or scaled56"));
  CHECK(contains(error("dataset", "x"), "expected mnist or synthetic-digits or custom"));
  CHECK(contains(error("table", "x"), "'table' is \"x\", expected a list"));
  CHECK(error("recipe/epochs", -1) == (folder.path() / "r.json").string() +
                                          ": recipe: results: 'epochs' is -1, expected 0 to "
                                          "9007199254740992");
  CHECK(contains(error("recipe/epochs", 2.5), "'epochs' is 2.5, expected a whole number"));
  CHECK(contains(error("recipe/lr", "x"), "'lr' is \"x\", expected a number"));
  CHECK(contains(error("recipe/validate", 1), "'validate' is 1, expected true or false"));
  CHECK(contains(error("recipe/device", "tpu"), "'device' is 'tpu', expected cpu or cuda"));
  CHECK(contains(error("recipe/precision", "f8"), "expected float32 or tf32 or bfloat16"));
  CHECK(contains(error("recipe/base_crc32", std::uint64_t{1} << 32), "expected 0 to 4294967295"));
  CHECK(contains(error("recipe/later", {1, 2}), "'later' is [1,2], expected a single value"));
  CHECK(contains(error("recipe/later", "a\nb"), "printable characters"));
  CHECK(error("recipe/later", "new") == "");
}

TEST_CASE("results: a file takes time by its length") {
  std::string members = "{";
  for (int i = 0; i < 100000; ++i) members += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":{}";
  CHECK(error_of([&] { parse_json(members + '}', "it"); }) ==
        "it has an object of more than 1000 members");
  std::string list = "[";
  for (int i = 0; i < 100000; ++i) list += i > 0 ? ",{}" : "{}";
  CHECK(parse_json(list + ']', "it").size() == 100000);
}

TEST_CASE("report: the same figures under any global locale") {
  const RowResult row = row_of("dcn2/offsets", 3, 0.98765, 1234.5 / 2000);
  const auto all = [&] {
    return table_of(results_of({row, row_of("bn", 3, 1, 0.5)}), {"none", {}}) +
           dump_json(json_of(row)) + clock_time(123456);
  };
  const std::string usual = all();
  const CommaLocale german;
  CHECK(all() == usual);
  CHECK(parse_json("[0.5, 1234567]", "it")[0] == 0.5);
}

TEST_CASE("results: JSON that is too deep or no text") {
  const TemporaryFolder folder;
  const std::string deep(3'000'000, '['), file = folder.path() / "r.json";
  for (const std::string& text :
       {deep, "{\"recipe\":" + deep + std::string(deep.size(), ']') + "}"}) {
    std::ofstream(file) << text;
    CHECK(error_of([&] { read_results(file); }) == file + ": is nested deeper than a results file");
  }
  CHECK(error_of([&] { parse_json(deep, "its recipe"); }) ==
        "its recipe is nested deeper than a results file");
  CHECK(contains(error_of([&] { parse_json("1e999", "it"); }), "it is not JSON"));
  CHECK(error_of([&] { parse_json(R"({"a":1,"b":[{"a":1},{"seed":1,"seed":1}]})", "it"); }) ==
        "it has 'seed' twice in one object");
  CHECK(parse_json(R"({"a":{"a":1},"b":[{"a":1},{"a":1}]})", "it").size() == 2);
  CHECK(parse_json("[[[[[[[[8]]]]]]]]", "it").dump() == "[[[[[[[[8]]]]]]]]");
  CHECK(dump_json("a\xFF") == "\"a\xEF\xBF\xBD\"");
  CHECK(as_written("a\xFF") == parse_json(dump_json("a\xFF"), "it"));
}

TEST_CASE("results: mean and deviation over seeds and draws") {
  const Spread none = spread_of({}), one = spread_of({0.5}), two = spread_of({0.1, 0.3});
  CHECK(none.count == 0);
  CHECK(one.mean == 0.5);
  CHECK(one.deviation == 0);
  CHECK(two.mean == doctest::Approx(0.2));
  CHECK(two.deviation == doctest::Approx(std::sqrt(0.02)));

  RowResult first = row_of("dcn2/offsets", 1, 0.9, 0.8),
            second = row_of("dcn2/offsets", 2, 0.7, 0.6);
  first.scaled_draws = {0.8, 0.9};
  second.scaled_draws = {0.6, 0.6};
  second.seconds = 60;
  first.epochs = {{1, 0.7}, {2, 0.9}, {3, 0.8}};
  second.epochs = {{1, 0.5}, {2, 0.4}};
  const auto rows = summaries_of({row_of("none", 1, 0.5, 0.5), first, second});
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].mnist.mean == doctest::Approx(0.8));
  CHECK(rows[1].scaled.mean == doctest::Approx(0.7));
  CHECK(rows[1].draws.mean == doctest::Approx(0.725));
  CHECK(rows[1].draws.deviation == doctest::Approx(spread_of({0.8, 0.9}).deviation / 2));
  CHECK(rows[1].seconds == 90);
  CHECK(rows[1].last_epoch.mean == doctest::Approx(0.6));
  CHECK(rows[1].best_epoch.mean == doctest::Approx(0.7));
}

TEST_CASE("report: the table") {
  const RowResult row = row_of("dcn2/offsets", 1, 0.9727, 0.9255);
  const std::string table = table_of(results_of({row}), {"not given", {}});
  CHECK(contains(table, "deformable (dcn2)  offsets"));
  CHECK(contains(table, "92.55 %  1,234,567"));
  CHECK(contains(table, "published weights, measured here: not given"));
  CHECK_FALSE(contains(table, "seeds"));
  Results synthetic = results_of({row});
  synthetic.dataset = "synthetic-digits";
  CHECK(contains(table_of(synthetic, {"not given", {}}), "not MNIST"));

  RowResult other = row_of("dcn2/offsets", 2, 0.9927, 0.9055);
  other.scaled_draws = {0.9055, 0.9155};
  const std::string both = table_of(results_of({row, other}), {"", {}});
  CHECK(contains(both, "98.27 ± 1.41 %"));
  CHECK(contains(both, "over draws"));
  CHECK(contains(both, "seeds"));

  CHECK(percent(0.9874) == "98.74 %");
  CHECK(grouped(387072) == "387,072");
  CHECK(clock_time(3700) == "1:01:40");
}

TEST_CASE("report: results of one recipe are put together, others stay apart") {
  const Results a = results_of({row_of("none", 1, 0.5, 0.5)});
  Results b = results_of({row_of("none", 2, 0.6, 0.6), row_of("none", 1, 0.7, 0.7)});
  Results c = b;
  c.recipe["epochs"] = 10;
  const auto all = merged({a, c, b});
  REQUIRE(all.size() == 2);
  CHECK(all[0].rows.size() == 2);
  CHECK(all[0].find("none", 1)->mnist == 0.7);
  CHECK(all[1].recipe["epochs"] == 10);
  CHECK(difference(a.recipe, b.recipe) == "");
  CHECK(difference(a.recipe, c.recipe) == "epochs is 3 there and 10 here");
  CHECK(difference({{"a", 1}}, {{"b", 1}}) == "b is not given there and 1 here");
}
