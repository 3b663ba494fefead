#include <pliant/apps/segment/table.h>

#include <algorithm>
#include <functional>
#include <map>

#include <nlohmann/json.hpp>

#include <pliant/apps/page/section_table.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;
using kit::Cells;
using kit::points;
using kit::Section;

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

Section scores(const std::vector<Row>& rows, const Run& any) {
  Section section{.title = text_from("Scores on ", any.ids.size(), ' ', any.judged_on, " pictures"),
                  .lines = {{"net", "", "parameters", "step", "mIoU", "mIoU, large", "pixels right",
                             "offsets", "seeds"}}};
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

std::vector<Compared> comparisons_of(const std::vector<Row>& rows, std::int64_t block) {
  std::vector<Compared> all;
  for (const Row& with : rows)
    for (const Row& without : rows) {
      if (!compares(without, with)) continue;
      const std::vector<SeedPair> pairs = pairs_of(without, with);
      if (pairs.empty()) continue;
      all.push_back({with.preset, with.arm.name(), without.arm.name(),
                     difference_of(with.runs.front()->ids, pairs, block)});
    }
  return all;
}

Section differences(const std::vector<Compared>& comparisons, std::int64_t block) {
  std::vector<kit::Comparison> all;
  for (const Compared& of : comparisons)
    all.push_back({of.preset + ", " + of.arm, of.against, of.difference});
  return kit::differences_section(
      "mIoU", all, text_from("the test set in blocks of ", block, " neighbouring pictures"));
}

Section videos(const std::vector<Row>& rows, const Run& any) {
  std::map<std::string, std::int64_t> sizes;
  for (const std::string& id : any.ids) ++sizes[video_of(id)];
  Section section{.title = "mIoU by video", .lines = {{"net", ""}}, .note = {}};
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

Section robustness(const std::vector<Row>& rows, const Run& any) {
  Section section{.title = "mIoU on pictures that are moved, and the drop from the net's own",
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

Table::Table(const std::vector<Run>& runs, std::int64_t block) : runs_(runs) {
  require(!runs.empty(), "table: there is no run");
  const std::vector<Row> rows = rows_of(runs);
  comparisons_ = comparisons_of(rows, block);
  for (Section& section :
       std::vector<Section>{scores(rows, runs.front()), differences(comparisons_, block),
                            videos(rows, runs.front()), robustness(rows, runs.front())})
    if (section.lines.size() > 1) sections_.push_back(std::move(section));
}

std::string Table::html() const {
  std::string html;
  for (const Section& section : sections_)
    html += page::section_table(section.title, section.lines, section.note);
  return html;
}

Json Table::json() const {
  Json all = Json::array(), against = Json::array();
  for (const Run& run : runs_) {
    Json json = json_of(run);
    json.erase("pictures");
    all.push_back(std::move(json));
  }
  for (const Compared& of : comparisons_) {
    Json json = {{"preset", of.preset}, {"arm", of.arm}, {"against", of.against}};
    json.update(kit::json_of(of.difference));
    against.push_back(std::move(json));
  }
  return {{"runs", all}, {"differences", against}};
}

}  // namespace pliant::segment
