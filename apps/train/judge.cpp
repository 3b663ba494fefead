#include <pliant/apps/train/judge.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/sort.h>

namespace pliant::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kTop = 5;
constexpr std::size_t kMistakes = 24;

void add(const LabelledImages& batch, const Tensor& logits, const PictureSet& set,
         std::int64_t first, Judgement& to) {
  const std::vector<std::vector<Guess>> guesses = guesses_of(logits, kTop);
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    const std::int64_t label = batch.labels.span<std::int64_t>()[i];
    const std::int64_t picture = first + static_cast<std::int64_t>(i);
    const Guess& best = guesses[i].front();
    require(std::isfinite(best.probability), printable(set.name(picture)),
            ": the net's logits are not numbers");
    ++to.confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(best.label)];
    to.right += best.label == label ? 1 : 0;
    to.right_of_5 += std::any_of(guesses[i].begin(), guesses[i].end(),
                                 [label](const Guess& guess) { return guess.label == label; })
                         ? 1
                         : 0;
    if (best.label != label) to.mistakes.push_back({picture, label, best});
  }
  to.pictures += static_cast<std::int64_t>(guesses.size());
}

void keep_surest(std::vector<Mistake>& mistakes) {
  std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) {
    return a.guess.probability > b.guess.probability;
  });
  if (mistakes.size() > kMistakes) mistakes.resize(kMistakes);
}

struct OfClass {
  std::int64_t right, labelled, guessed;

  double precision() const { return guessed > 0 ? share(right, guessed) : 0; }
  double recall() const { return labelled > 0 ? share(right, labelled) : 0; }
  double f1() const { return share(2 * right, std::max<std::int64_t>(1, labelled + guessed)); }

 private:
  static double share(std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  }
};

OfClass of_class(const Judgement& judgement, std::size_t label) {
  const auto& rows = judgement.confusion;
  OfClass of{rows[label][label], 0, 0};
  for (std::size_t other = 0; other < rows.size(); ++other) {
    of.labelled += rows[label][other];
    of.guessed += rows[other][label];
  }
  return of;
}

}  // namespace

std::vector<std::vector<Guess>> guesses_of(const Tensor& logits, std::int64_t count) {
  const Var probabilities = softmax(logits.to(Device::cpu()).to(DType::float64), 1);
  const std::int64_t kept = std::min(count, logits.dim(1));
  const ValuesAndIndices best = topk(probabilities, kept, 1);
  const double* probability = best.values.value().data<double>();
  const std::int64_t* label = best.indices.data<std::int64_t>();
  std::vector<std::vector<Guess>> all(static_cast<std::size_t>(logits.dim(0)));
  for (std::vector<Guess>& guesses : all)
    for (std::int64_t i = 0; i < kept; ++i) guesses.push_back({*label++, *probability++});
  return all;
}

Judgement judge(const kit::Classifier& net, const PictureSet& set, const NetRecipe& recipe,
                const JudgeOptions& options) {
  const std::size_t classes = recipe.classes.size();
  Judgement judgement;
  judgement.confusion = kit::Confusion(classes);
  const Loader<LabelledImages> loader(NetInput(set, recipe, Augment::none), stack_images,
                                      {.size = options.batch, .threads = options.threads});
  std::int64_t first = 0;
  for (const LabelledImages& batch : loader.epoch(0)) {
    add(batch, net(batch.images.to(options.device)).value(), set, first, judgement);
    first += batch.size();
  }
  keep_surest(judgement.mistakes);
  return judgement;
}

Json json_of(const Judgement& judgement, const NetRecipe& recipe) {
  Json json = {{"pictures", judgement.pictures}, {"accuracy", judgement.accuracy()}};
  if (recipe.classes.size() > static_cast<std::size_t>(kTop)) json["top5"] = judgement.top5();
  json["confusion"] = judgement.confusion;
  Json classes = Json::array();
  for (std::size_t label = 0; label < recipe.classes.size(); ++label) {
    const OfClass of = of_class(judgement, label);
    classes.push_back({{"class", recipe.classes[label]},
                       {"pictures", of.labelled},
                       {"precision", of.precision()},
                       {"recall", of.recall()},
                       {"f1", of.f1()}});
  }
  json["classes"] = classes;
  return json;
}

std::string table_of(const Judgement& judgement, const NetRecipe& recipe) {
  std::vector<kit::Cells> lines = {{"class", "", "pictures", "precision", "recall", "F1"}};
  for (std::size_t label = 0; label < recipe.classes.size(); ++label) {
    const OfClass of = of_class(judgement, label);
    lines.push_back({printable(recipe.classes[label], 40), "", grouped(of.labelled),
                     kit::percent(of.precision()), kit::percent(of.recall()), fixed(of.f1(), 4)});
  }
  std::string last = text_from(grouped(judgement.right), " of ", grouped(judgement.pictures),
                               " right: ", kit::percent(judgement.accuracy()));
  if (recipe.classes.size() > static_cast<std::size_t>(kTop))
    last += text_from(", ", kit::percent(judgement.top5()), " among the first five");
  lines.push_back({last});
  return kit::aligned(lines);
}

}  // namespace pliant::train
