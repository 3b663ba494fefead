#include <pliant/apps/mnist/report/tables.h>

#include <algorithm>

#include <pliant/apps/mnist/report/row_nets.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/apps/page/confusion_table.h>
#include <pliant/apps/page/text.h>

namespace pliant::mnist {
namespace {

struct Published {
  const char *net, *finetune, *plain, *scaled;
};
// Per cent, as printed. The first table is that of the Keras implementation (weights released with
// it), the second a later one's best test epochs.
constexpr Published kScaledMnist[] = {{"regular", "none", "98.74", "57.01"},
                                      {"“deformable”", "as released", "97.27", "92.55"}};
constexpr Published kScaled56[] = {{"regular", "end to end", "", "97.22"},
                                   {"DCN, conv 4", "end to end", "", "98.60"},
                                   {"DCN, conv 3–4", "end to end", "", "98.95"},
                                   {"DCNv2, conv 3–4", "end to end", "", "99.21"}};
constexpr const char* kScaledMnistNote =
    "<p><small>The published “deformable” net deforms nothing: in the weights released with it, "
    "its "
    "offsets are all zero: only BatchNorm differs from the regular net. Compare it with the row "
    "bn.</small></p>\n";
constexpr const char* kScaled56Note =
    "<p><small>The published figures are each net’s best test epoch.</small></p>\n";

std::string cell(const std::string& content, const char* name = "num") {
  return std::string("<td class=\"") + name + "\">" + content + "</td>";
}

std::string percent_cell(const kit::Spread& spread) {
  if (spread.count == 0) return cell("–");
  std::string text = fixed(100 * spread.mean, 2);
  if (spread.count > 1) text += " <small>± " + fixed(100 * spread.deviation, 2) + "</small>";
  return cell(text);
}

// Which columns there is something for.
struct Columns {
  bool epochs = false, draws = false, plain = true;
};

Columns columns_of(const Results& results, const std::vector<RowSummary>& rows) {
  Columns columns;
  columns.plain = results.protocol != "scaled56";
  for (const RowSummary& row : rows) {
    columns.epochs |= row.best_epoch.count > 0;
    columns.draws |= row.draws.count > 1;
  }
  return columns;
}

std::string head(const Results& results, const Columns& columns) {
  const std::string plain = results.dataset == "mnist" ? "MNIST" : "plain";
  std::string html = "<thead><tr><th scope=\"col\">net, fine-tuned</th>";
  const auto add = [&](const std::string& name) {
    html += "<th scope=\"col\" class=\"num\">" + name + "</th>";
  };
  if (columns.plain) add(plain + ", %");
  add("scaled, %");
  if (columns.draws) add("scaled, over draws, %");
  if (columns.epochs) add("best epoch, %");
  add("trained parameters");
  add("training, min");
  add("seeds");
  return html + "</tr></thead>";
}

std::string row_head(const std::string& net, const std::string& finetune) {
  return "<tr><th scope=\"row\">" + page::escaped(net) + " <small>" + page::escaped(finetune) +
         "</small></th>";
}

std::string line(const RowSummary& row, const Columns& columns) {
  std::string html = row_head(row.deform.empty() ? row.model : row.deform, row.finetune);
  if (columns.plain) html += percent_cell(row.mnist);
  html += percent_cell(row.scaled);
  if (columns.draws) html += percent_cell(row.draws);
  if (columns.epochs) html += percent_cell(row.best_epoch);
  return html + cell(grouped(row.trained_parameters)) +
         cell(row.seconds > 0 ? fixed(row.seconds / 60, 1) : "–") +
         cell(std::to_string(std::max(row.mnist.count, row.scaled.count))) + "</tr>";
}

std::string published_lines(const Results& results, const Columns& columns) {
  const bool best = results.protocol == "scaled56" && columns.epochs;  // published are best epochs
  std::string html;
  const auto add = [&](const Published& entry) {
    html += row_head(entry.net, std::string(entry.finetune) + ", published");
    if (columns.plain) html += cell(entry.plain);
    html += cell(best ? "" : entry.scaled);
    if (columns.draws) html += cell("");
    if (columns.epochs) html += cell(best ? entry.scaled : "");
    html += cell("") + cell("") + cell("") + "</tr>";
  };
  if (results.protocol == "scaled56")
    for (const Published& entry : kScaled56) add(entry);
  else
    for (const Published& entry : kScaledMnist) add(entry);
  return html;
}

const RowSummary* summary_of(const std::vector<RowSummary>& rows, bool deformable,
                             const std::string& finetune) {
  const RowSummary* best = nullptr;
  for (const RowSummary& row : rows)
    if (!row.deform.empty() == deformable && row.finetune == finetune &&
        (best == nullptr || row.scaled.mean > best->scaled.mean))
      best = &row;
  return best;
}

}  // namespace

std::string title_of_dataset(const std::string& dataset) {
  if (dataset == "mnist") return "MNIST";
  if (dataset == "synthetic-digits") return "procedural stand-in digits";
  if (dataset == "custom") return "the user's own pictures";
  return dataset.empty() ? "a set without a name" : dataset;
}

std::string findings(const Results& results) {
  const std::vector<RowSummary> rows = summaries_of(results.rows);
  const RowSummary* const none = summary_of(rows, false, "none");
  const RowSummary* const norm = summary_of(rows, false, "bn");
  const RowSummary* const heads = summary_of(rows, true, "offsets");
  const RowSummary* const all = summary_of(rows, false, "all");
  if (none == nullptr || heads == nullptr) return "";
  std::string text = "Training the offset heads alone (" + heads->deform +
                     "), with everything else frozen, takes scaled digits from " +
                     kit::percent(none->scaled.mean) + " to " + kit::percent(heads->scaled.mean) +
                     ".";
  if (norm != nullptr)
    text += " Refitting BatchNorm alone, without any deformation, gives " +
            kit::percent(norm->scaled.mean) + ".";
  if (all != nullptr)
    text += " Retraining the whole regular net gives " + kit::percent(all->scaled.mean) + ".";
  return text;
}

std::string results_table(const Results& results) {
  const std::vector<RowSummary> rows = summaries_of(results.rows);
  const Columns columns = columns_of(results, rows);
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Results\">"
      "<table class=\"results\"><caption><span>Accuracies on the " +
      page::escaped(title_of_dataset(results.dataset)) +
      " test pictures, last epoch; several seeds: mean ± sample standard "
      "deviation</span></caption>" +
      head(results, columns) + "<tbody>";
  for (const RowSummary& row : rows) html += line(row, columns);
  if (rows.empty()) html += "<tr><td colspan=\"8\">No row is finished yet.</td></tr>";
  return html + "</tbody><tbody class=\"published\">" + published_lines(results, columns) +
         "</tbody></table></div>\n" +
         (results.protocol == "scaled56" ? kScaled56Note : kScaledMnistNote);
}

std::string confusion_tables(const std::vector<const RowResult*>& rows) {
  std::string html;
  const auto table = [](const kit::Confusion& counts, const char* caption) {
    std::vector<std::string> names;
    for (std::size_t label = 0; label < counts.size(); ++label)
      names.push_back(std::to_string(label));
    return page::confusion_table(counts.rows(), names, caption);
  };
  for (const RowResult* const row : rows) {
    html += "<h3>" + page::escaped(name_of_row(*row)) + " <small>seed " +
            std::to_string(row->seed) + "</small></h3>\n<div class=\"pair\">" +
            table(row->plain_confusion, "Plain digits") +
            table(row->scaled_confusion, "Scaled digits") + "</div>\n";
  }
  return html;
}

}  // namespace pliant::mnist
