#include <pliant/apps/segment/table.h>

#include <algorithm>
#include <functional>
#include <map>

#include <nlohmann/json.hpp>

#include <pliant/apps/page/text.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;
using kit::Cells;

constexpr std::int64_t kLeastOfVideo = 10;  // pictures

// The runs of a preset and an arm.
struct Row {
  std::string preset;
  TableArm arm;
  std::vector<const Run*> runs;

  std::string name() const { return preset + ", " + arm.name(); }
  kit::Spread spread(const std::function<double(const Run&)>& figure) const {
    std::vector<double> numbers;
    for (const Run* const run : runs) numbers.push_back(figure(*run));
    return kit::spread_of(numbers);
  }
};

std::vector<Row> rows_of(const std::vector<Run>& runs) {
  std::vector<Row> rows;
  for (const Run& run : runs) {
    require(run.ids == runs.front().ids && run.classes == runs.front().classes, run.name(),
            ": was judged on other pictures or classes than ", runs.front().name());
    auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& other) {
      return other.preset == run.preset && other.arm == run.arm;
    });
    if (row == rows.end()) row = rows.insert(rows.end(), {run.preset, run.arm, {}});
    row->runs.push_back(&run);
  }
  return rows;
}

TableSection scores(const std::vector<Row>& rows, const Run& any) {
  TableSection section{
      .title = text_from("Scores on ", any.ids.size(), ' ', any.judged_on, " pictures"),
      .lines = {{"net", "", "parameters", "step", "mIoU", "mIoU, large", "pixels right", "offsets",
                 "seeds"}}};
  for (const Row& row : rows) {
    const kit::Spread step = row.spread([](const Run& run) { return run.step_seconds; });
    const bool bends = row.runs.front()->moved_largest > 0;
    section.lines.push_back(
        {row.name(), "", grouped(row.runs.front()->parameters), fixed(step.mean * 1000, 0) + " ms",
         kit::percent(row.spread([](const Run& run) { return run.total().mean_iou(); })),
         kit::percent(
             row.spread([](const Run& run) { return run.total().mean_iou(run.large_classes()); })),
         kit::percent(row.spread([](const Run& run) { return run.total().accuracy(); })),
         bends ? fixed(row.spread([](const Run& run) { return run.moved_mean; }).mean, 2) + " px"
               : "",
         std::to_string(row.runs.size())});
  }
  std::string large;
  for (const std::size_t label : any.large_classes())
    large += (large.empty() ? "" : ", ") + printable(any.classes[label]);
  section.note = "large: classes of at least 3 % of the training pixels (" + large +
                 "); offsets: their mean length on the map that they read";
  return section;
}

// Of two rows by the seeds that both have.
std::vector<SeedPair> pairs_of(const Row& without, const Row& with) {
  std::vector<SeedPair> pairs;
  for (const Run* const run : with.runs)
    for (const Run* const other : without.runs)
      if (run->seed == other->seed) pairs.push_back({other->seen, run->seen});
  return pairs;
}

// An arm stands against plain, and what deforms against the same with offsets at 0.
bool compares(const Row& without, const Row& with) {
  if (without.preset != with.preset || without.arm == with.arm) return false;
  if (without.arm == TableArm{}) return true;
  return without.arm.arm == with.arm.arm + "-fixed" && without.arm.deform == with.arm.deform &&
         without.arm.warped == with.arm.warped;
}

void for_each_comparison(
    const std::vector<Row>& rows, std::int64_t block,
    const std::function<void(const Row& without, const Row& with, const Difference&)>& tell) {
  for (const Row& with : rows)
    for (const Row& without : rows) {
      if (!compares(without, with)) continue;
      const std::vector<SeedPair> pairs = pairs_of(without, with);
      if (pairs.empty()) continue;
      tell(without, with, difference_of(with.runs.front()->ids, pairs, block));
    }
}

std::string points(double share) { return (share < 0 ? "" : "+") + fixed(100 * share, 2); }

TableSection differences(const std::vector<Row>& rows, std::int64_t block) {
  TableSection section{.title = "Differences of the mIoU, in points, paired by seed",
                       .lines = {{"net", "against", "by seed", "mean", "95 % interval", ""}}};
  for_each_comparison(
      rows, block, [&](const Row& without, const Row& with, const Difference& difference) {
        std::string by_seed;
        for (const double by : difference.by_seed)
          by_seed += (by_seed.empty() ? "" : " ") + points(by);
        section.lines.push_back({with.name(), without.arm.name(), by_seed, points(difference.mean),
                                 points(difference.low) + " to " + points(difference.high),
                                 difference.verdict()});
      });
  section.note = text_from("intervals by resampling the test set in blocks of ", block,
                           " neighbouring pictures; better or worse only if every seed has that "
                           "sign and the interval leaves 0 out");
  return section;
}

TableSection videos(const std::vector<Row>& rows, const Run& any) {
  std::map<std::string, std::int64_t> sizes;
  for (const std::string& id : any.ids) ++sizes[video_of(id)];
  TableSection section{.title = "mIoU by video", .lines = {{"net", ""}}, .note = {}};
  if (sizes.size() < 2) return section;
  for (const auto& [video, size] : sizes)
    if (size < kLeastOfVideo || video.empty()) return section;
  for (const auto& [video, size] : sizes)
    section.lines.front().push_back(text_from(printable(video), " (", size, ')'));
  for (const Row& row : rows) {
    Cells cells = {row.name(), ""};
    for (const auto& [video, size] : sizes)
      cells.push_back(kit::percent(row.spread([&, name = video](const Run& run) {
        ClassCounts sum(run.classes.size());
        for (std::size_t i = 0; i < run.ids.size(); ++i)
          if (video_of(run.ids[i]) == name) sum += run.seen[i];
        return sum.mean_iou();
      })));
    section.lines.push_back(std::move(cells));
  }
  return section;
}

TableSection robustness(const std::vector<Row>& rows, const Run& any) {
  TableSection section{.title = "mIoU on pictures that are moved, and the drop from the net's own",
                       .lines = {{"pictures", ""}},
                       .note =
                           "*: training pictures were moved so, too; 3 draws of each, the same "
                           "for every net"};
  for (const Row& row : rows) section.lines.front().push_back(row.name());
  for (std::size_t i = 0; i < any.moved.size(); ++i) {
    const MovedScore& of = any.moved[i];
    const std::string unit = of.kind == "rotate" ? "°" : "";
    Cells cells = {of.kind + ' ' + general(of.level, 3) + unit + (of.trained ? " *" : ""), ""};
    for (const Row& row : rows) {
      const auto has = [&](const Run* run) {
        return i < run->moved.size() && run->moved[i].kind == of.kind &&
               run->moved[i].level == of.level;
      };
      if (!std::all_of(row.runs.begin(), row.runs.end(), has)) {
        cells.emplace_back("–");
        continue;
      }
      const auto score = row.spread([&](const Run& run) { return run.moved[i].mean_iou; });
      const auto drop = row.spread(
          [&](const Run& run) { return run.moved[i].mean_iou - run.total().mean_iou(); });
      cells.push_back(fixed(100 * score.mean, 2) + " (" + points(drop.mean) + ")");
    }
    section.lines.push_back(std::move(cells));
  }
  return section;
}

}  // namespace

std::vector<TableSection> sections_of(const std::vector<Run>& runs, std::int64_t block) {
  require(!runs.empty(), "table: there is no run");
  const std::vector<Row> rows = rows_of(runs);
  std::vector<TableSection> sections;
  for (TableSection& section :
       std::vector<TableSection>{scores(rows, runs.front()), differences(rows, block),
                                 videos(rows, runs.front()), robustness(rows, runs.front())})
    if (section.lines.size() > 1) sections.push_back(std::move(section));
  return sections;
}

std::string text_of(const std::vector<TableSection>& sections) {
  std::string text;
  for (const TableSection& section : sections)
    text += (text.empty() ? "" : "\n") + section.title + '\n' + kit::aligned(section.lines) +
            (section.note.empty() ? "" : section.note + '\n');
  return text;
}

std::string html_of(const std::vector<TableSection>& sections) {
  std::string html;
  for (const TableSection& section : sections) {
    html += "<div class=\"scroll\"><table class=\"results\"><caption><span>" +
            page::escaped(section.title) + "</span></caption>";
    for (std::size_t line = 0; line < section.lines.size(); ++line) {
      html += line == 0 ? "<thead><tr>" : "<tr>";
      for (std::size_t i = 0; i < section.lines[line].size(); ++i) {
        const std::string cell = page::escaped(section.lines[line][i]);
        if (line == 0)
          html += "<th scope=\"col\"" + std::string(i > 1 ? " class=\"num\"" : "") + '>' + cell +
                  "</th>";
        else if (i == 0)
          html += "<th scope=\"row\">" + cell + "</th>";
        else
          html += "<td" + std::string(i > 1 ? " class=\"num\"" : "") + '>' + cell + "</td>";
      }
      html += line == 0 ? "</tr></thead><tbody>" : "</tr>";
    }
    html += "</tbody></table></div>\n";
    if (!section.note.empty())
      html += "<p><small>" + page::escaped(section.note) + "</small></p>\n";
  }
  return html;
}

Json summary_of(const std::vector<Run>& runs, std::int64_t block) {
  Json all = Json::array(), against = Json::array();
  for (const Run& run : runs) {
    Json json = json_of(run);
    json.erase("pictures");
    all.push_back(std::move(json));
  }
  for_each_comparison(rows_of(runs), block,
                      [&](const Row& without, const Row& with, const Difference& difference) {
                        against.push_back({{"preset", with.preset},
                                           {"arm", with.arm.name()},
                                           {"against", without.arm.name()},
                                           {"by_seed", difference.by_seed},
                                           {"mean", difference.mean},
                                           {"interval", {difference.low, difference.high}},
                                           {"verdict", difference.verdict()}});
                      });
  return {{"runs", all}, {"differences", against}};
}

}  // namespace pliant::segment
