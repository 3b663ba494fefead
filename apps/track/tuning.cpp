#include <pliant/apps/track/tuning.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/core/text.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "pliant-track tries 1";
constexpr double kMostPenalty = 0.5, kMostWindow = 0.7, kLeastRate = 0.05;  // that are drawn
constexpr int kPlaces = 3;  // of what is drawn: as it is printed, so it is

double rounded(double value) { return std::round(value * 1000) / 1000; }

Try try_from(const Json& json) {
  return {.penalty = kit::take_number(json, "penalty", 0, kLargestPenalty),
          .window = kit::take_share(json, "window"),
          .rate = kit::take_share(json, "rate"),
          .auc = kit::take_share(json, "auc"),
          .precision = kit::take_share(json, "precision")};
}

}  // namespace

Try drawn_try(std::int64_t number, const NetRecipe& recipe, const Rng& rng) {
  if (number == 0) return {.penalty = recipe.penalty, .window = recipe.window, .rate = recipe.rate};
  const Rng own = rng.fork(static_cast<std::uint64_t>(number));
  return {.penalty = rounded(own.uniform(0, 0, kMostPenalty)),
          .window = rounded(own.uniform(1, 0, kMostWindow)),
          .rate = rounded(own.uniform(2, kLeastRate, 1))};
}

NetRecipe with(NetRecipe recipe, const Try& tried) {
  recipe.penalty = tried.penalty;
  recipe.window = tried.window;
  recipe.rate = tried.rate;
  return recipe;
}

const Try& best_of(const std::vector<Try>& tries) {
  return *std::max_element(tries.begin(), tries.end(),
                           [](const Try& a, const Try& b) { return a.auc < b.auc; });
}

TryFile::TryFile(std::filesystem::path file, std::string recipe)
    : file_(std::move(file)), recipe_(std::move(recipe)) {}

std::vector<Try> TryFile::read() const {
  std::error_code ignored;
  if (!std::filesystem::exists(file_, ignored)) return {};
  return kit::naming(file_, [&] {
    const Json json = kit::read_json(file_, "tries of pliant-track tune");
    require(kit::take_text(json, "format") == kFormat, "format is ", kit::take_text(json, "format"),
            ", expected ", kFormat);
    kit::require_same_recipe(file_, kit::dump_json(kit::take_object(json, "recipe")), recipe_);
    std::vector<Try> tries;
    for (const Json& one : kit::take_list(json, "tries")) tries.push_back(try_from(one));
    return tries;
  });
}

void TryFile::write(const std::vector<Try>& tries) const {
  Json all = Json::array();
  for (const Try& one : tries) all.push_back(json_of(one));
  kit::write_json("tries", file_,
                  {{"format", kFormat}, {"recipe", Json::parse(recipe_)}, {"tries", all}});
}

void TryFile::remove() const {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

void tune(const SiamRPN& net, const NetRecipe& recipe, const Videos& videos, std::int64_t count,
          const Rng& rng, Device device, std::vector<Try>& done, const TryFile& file,
          kit::Progress& progress) {
  while (std::ssize(done) < count) {
    Try tried = drawn_try(std::ssize(done), recipe, rng);
    const NetRecipe of = with(recipe, tried);
    NetTracker tracker(net, of, device);
    progress.stage(text_from("try ", done.size() + 1));
    const std::string best = done.empty() ? "" : "best AUC " + fixed(best_of(done).auc, kPlaces);
    const Judgement judgement =
        judge(tracker, videos, {.resets = false, .on_video = [&](std::int64_t frames) {
                                  kit::stop_if_asked();
                                  progress.advance(static_cast<double>(frames), best);
                                }});
    tried.auc = judgement.auc();
    tried.precision = judgement.precision();
    done.push_back(tried);
    file.write(done);
  }
}

Json json_of(const Try& tried) {
  return {{"penalty", tried.penalty},
          {"window", tried.window},
          {"rate", tried.rate},
          {"auc", tried.auc},
          {"precision", tried.precision}};
}

std::string table_of(const std::vector<Try>& tries) {
  std::vector<std::size_t> order(tries.size());
  std::iota(order.rbegin(), order.rend(), 0);  // of equals the first comes last
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return tries[a].auc < tries[b].auc; });
  std::vector<kit::Cells> lines = {{"try", "", "penalty", "window", "rate", "AUC", "precision"}};
  for (const std::size_t i : order) {
    const Try& one = tries[i];
    lines.push_back({std::to_string(i + 1), i == 0 ? "as it was" : "", fixed(one.penalty, kPlaces),
                     fixed(one.window, kPlaces), fixed(one.rate, kPlaces), fixed(one.auc, kPlaces),
                     fixed(one.precision, kPlaces)});
  }
  return kit::aligned(lines);
}

}  // namespace pliant::track
