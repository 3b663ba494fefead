#include <pliant/apps/mnist/report.h>

#include <cstdio>
#include <iomanip>
#include <sstream>

namespace pliant {
namespace {

void line(std::ostringstream& out, const std::string& model, const std::string& finetune,
          const std::string& mnist, const std::string& scaled, const std::string& trained = "",
          const std::string& images = "", const std::string& time = "") {
  std::ostringstream text;
  text << std::left << std::setw(26) << model << std::setw(14) << finetune << std::right
       << std::setw(9) << mnist << std::setw(10) << scaled << std::setw(11) << trained
       << std::setw(12) << images << std::setw(9) << time;
  const std::string all = text.str();
  out << all.substr(0, all.find_last_not_of(' ') + 1) << '\n';
}

std::string model_name(const RowResult& row) {
  return row.model == "regular" ? "regular" : "deformable (" + row.deform + ")";
}

}  // namespace

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", fraction * 100);
  return text;
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string table_of(const std::vector<RowResult>& rows, const PublishedWeights& published,
                     const std::string& digits) {
  std::ostringstream out;
  line(out, "net", "fine-tuned", digits == "mnist" ? "MNIST" : "not MNIST", "scaled", "trained",
       "images", "time");
  for (const RowResult& row : rows)
    line(out, model_name(row), row.finetune, percent(row.mnist), percent(row.scaled),
         grouped(row.trained_parameters), grouped(row.images_seen), clock_time(row.seconds));
  out << "\npublished, as printed (its deformable net has zero offsets: only BatchNorm differs)\n";
  line(out, "regular", "none", "98.74 %", "57.01 %");
  line(out, "\"deformable\"", "bn", "97.27 %", "92.55 %");
  out << "published weights, measured here: " << published.source << '\n';
  for (const auto& [name, accuracies] : published.nets)
    line(out, name, "", percent(accuracies.mnist), percent(accuracies.scaled));
  return out.str();
}

nlohmann::ordered_json json_of(const RowResult& row) {
  nlohmann::ordered_json json;
  json["model"] = row.model;
  if (row.model == "deformable") json["deform"] = row.deform;
  json["finetune"] = row.finetune;
  json["mnist"] = row.mnist;
  json["scaled"] = row.scaled;
  json["trained_parameters"] = row.trained_parameters;
  json["images_seen"] = row.images_seen;
  json["seconds"] = row.seconds;
  json["images_per_second"] = row.images_per_second();
  return json;
}

}  // namespace pliant
