#include <pliant/apps/mnist/report/mistakes.h>

#include <algorithm>

#include <pliant/apps/page/text.h>

namespace pliant::mnist {
namespace {

constexpr std::size_t kShown = 12;

std::string per_cent(double probability) {
  return probability >= 0.9995 ? "> 99.9 %" : fixed(100 * probability, 1) + " %";
}

std::string card(const LabelledImages& set, const Mistake& mistake) {
  const std::int64_t pixels = set.images.dim(1) * set.images.dim(2);
  const auto picture = set.images.span<float>().subspan(
      static_cast<std::size_t>(mistake.index * pixels), static_cast<std::size_t>(pixels));
  const std::string label = std::to_string(mistake.label),
                    guess = std::to_string(mistake.guess.label);
  return "<li><img width=\"56\" height=\"56\" alt=\"test picture " + std::to_string(mistake.index) +
         ": a " + label + " taken for a " + guess + "\" src=\"" +
         page::png_address(picture, set.images.dim(2)) + "\"><span><b>" + label + "</b> → <b>" +
         guess + "</b><br><small>" + page::escaped(per_cent(mistake.guess.probability)) +
         "</small></span></li>";
}

std::string gallery(const RowNet& net, const LabelledImages& set, const std::string& title,
                    Device device) {
  const std::vector<Mistake> wrong =
      surest_mistakes(guesses_of(net.net, set.images, device), set.labels, kShown);
  std::string html = "<div><h4>" + title + "</h4>";
  if (wrong.empty()) return html + "<p>No mistake at all.</p></div>";
  html += "<ul class=\"mistakes\">";
  for (const Mistake& mistake : wrong) html += card(set, mistake);
  return html + "</ul></div>";
}

}  // namespace

std::vector<Mistake> surest_mistakes(const std::vector<Guess>& guesses, const Tensor& labels,
                                     std::size_t count) {
  std::vector<Mistake> wrong;
  const auto label = labels.span<std::int64_t>();
  for (std::size_t i = 0; i < guesses.size(); ++i)
    if (guesses[i].label != label[i])
      wrong.push_back({static_cast<std::int64_t>(i), label[i], guesses[i]});
  std::stable_sort(wrong.begin(), wrong.end(), [](const Mistake& a, const Mistake& b) {
    return a.guess.probability > b.guess.probability;
  });
  if (wrong.size() > count) wrong.resize(count);
  return wrong;
}

std::string mistakes(const std::vector<const RowNet*>& nets, const TestSets& test, Device device) {
  std::string html;
  for (const RowNet* const net : nets)
    html += "<h3>" + page::escaped(net->name) + " <small>seed " + std::to_string(net->row->seed) +
            "</small></h3>\n<div class=\"pair\">" +
            gallery(*net, test.plain, "Plain digits", device) +
            gallery(*net, test.scaled, "Scaled digits", device) + "</div>\n";
  return html;
}

}  // namespace pliant::mnist
