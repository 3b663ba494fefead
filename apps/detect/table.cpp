#include <pliant/apps/detect/table.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/page/section_table.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;
using kit::Cells;

std::string shown(const kit::Spread& spread) {
  return fixed(spread.mean, 3) + (spread.count > 1 ? " ± " + fixed(spread.deviation, 3) : "");
}

// An arm stands against RoIAlign, deformable pooling against the same with its offsets at 0, and an
// arm with a deformable stage against the one without.
bool compares(const TableArm& without, const TableArm& with) {
  if (without == with) return false;
  if (without == TableArm{}) return true;
  if (without.pyramid || with.pyramid || without.warped != with.warped) return false;
  return (without.arm == "fixed" && with.arm == "pool") || without.arm + "-stage" == with.arm;
}

}  // namespace

Table::Table(const std::vector<Run>& runs, std::int64_t resamples) : runs_(runs) {
  require(!runs.empty(), "table: there is no run");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    require(runs[i].ids == runs.front().ids && runs[i].classes == runs.front().classes,
            runs[i].name(), ": was judged on other pictures or classes than ", runs.front().name());
    auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) {
      return other.preset == runs[i].preset && other.arm == runs[i].arm;
    });
    if (row == rows_.end()) row = rows_.insert(rows_.end(), {runs[i].preset, runs[i].arm, {}});
    row->runs.push_back(i);
  }
  std::vector<std::vector<double>> aps;
  for (const Run& run : runs)
    aps.push_back(resampled_ap(run.judgement, run.classes.size(), resamples));
  for (const Row& with : rows_)
    for (const Row& without : rows_) {
      if (!compares(without.arm, with.arm)) continue;
      std::vector<SeedPair> pairs;
      for (const std::size_t i : with.runs)
        for (const std::size_t k : without.runs)
          if (runs[i].seed == runs[k].seed) pairs.push_back({.without = aps[k], .with = aps[i]});
      if (!pairs.empty())
        comparisons_.push_back({with.name(), without.name(), difference_of(pairs)});
    }
}

template <class Figure>
kit::Spread Table::spread(const Row& row, const Figure& figure) const {
  std::vector<double> numbers;
  for (const std::size_t i : row.runs) numbers.push_back(figure(runs_[i]));
  return kit::spread_of(numbers);
}

Table::Section Table::scores() const {
  Section section{.title = text_from("Scores on ", runs_.front().ids.size(), ' ',
                                     runs_.front().judged_on, " pictures"),
                  .lines = {{"net", "", "parameters", "step", "AP", "AP50", "AP75", "VOC .5",
                             "VOC .7", "bins moved", "seeds"}}};
  for (const Row& row : rows_) {
    const kit::Spread step = spread(row, [](const Run& run) { return run.step_seconds; });
    const auto of = [&](const auto& figure) { return shown(spread(row, figure)); };
    section.lines.push_back(
        {row.name(), "", grouped(runs_[row.runs.front()].parameters),
         fixed(step.mean * 1000, 0) + " ms", of([](const Run& run) { return run.judgement.ap(); }),
         of([](const Run& run) { return run.judgement.coco.ap50; }),
         of([](const Run& run) { return run.judgement.coco.ap75; }),
         of([](const Run& run) { return run.judgement.voc_mean.ap50; }),
         of([](const Run& run) { return run.judgement.voc_mean.ap70; }),
         pools_deformably(row.arm.arm)
             ? fixed(spread(row, [](const Run& run) { return run.moved_mean; }).mean, 3)
             : "",
         std::to_string(row.runs.size())});
  }
  section.note =
      "AP: COCO's, the mean over IoU .50 to .95; VOC: the mean over classes of the area under "
      "precision; bins moved: their mean way in shares of the region's sides";
  return section;
}

Table::Section Table::by_class() const {
  Section section{.title = "AP at IoU .5 (VOC) by class", .lines = {{"net", ""}}};
  for (const std::string& name : runs_.front().classes)
    section.lines.front().push_back(printable(name, 20));
  for (const Row& row : rows_) {
    Cells cells = {row.name(), ""};
    for (std::size_t label = 0; label < runs_.front().classes.size(); ++label)
      cells.push_back(
          shown(spread(row, [label](const Run& run) { return run.judgement.voc[label].ap50; })));
    section.lines.push_back(std::move(cells));
  }
  return section;
}

Table::Section Table::differences() const {
  return kit::differences_section("AP", comparisons_, "the judged pictures");
}

Table::Section Table::robustness() const {
  Section section{
      .title = "AP on pictures that are moved, and the drop from the net's own",
      .lines = {{"pictures", ""}},
      .note = "*: training pictures were moved so, too; draws are the same for every net"};
  for (const Row& row : rows_) section.lines.front().push_back(row.name());
  const std::vector<MovedScore>& all = runs_.front().moved;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string unit = all[i].kind == "rotate" ? "°" : "";
    Cells cells = {all[i].kind + ' ' + general(all[i].level, 3) + unit, ""};
    for (const Row& row : rows_) {
      const bool there = std::all_of(row.runs.begin(), row.runs.end(), [&](std::size_t k) {
        return i < runs_[k].moved.size() && runs_[k].moved[i].kind == all[i].kind &&
               runs_[k].moved[i].level == all[i].level;
      });
      if (!there) {
        cells.emplace_back("–");
        continue;
      }
      const kit::Spread score = spread(row, [i](const Run& run) { return run.moved[i].ap; });
      const kit::Spread drop =
          spread(row, [i](const Run& run) { return run.moved[i].ap - run.judgement.ap(); });
      cells.push_back(fixed(score.mean, 3) + " (" + kit::points(drop.mean) + ")" +
                      (runs_[row.runs.front()].moved[i].trained ? " *" : ""));
    }
    section.lines.push_back(std::move(cells));
  }
  return section;
}

std::vector<Table::Section> Table::sections() const {
  std::vector<Section> all;
  for (Section& section : std::vector<Section>{scores(), by_class(), differences(), robustness()})
    if (section.lines.size() > 1) all.push_back(std::move(section));
  return all;
}

std::string Table::text() const { return kit::text_of(sections()); }

std::string Table::html() const {
  std::string html;
  for (const Section& section : sections())
    html += page::section_table(section.title, section.lines, section.note);
  return html;
}

Json Table::json() const {
  Json all = Json::array(), against = Json::array();
  for (const Run& run : runs_) {
    Json json = json_of(run);
    for (const char* boxes : {"pictures", "truth", "found"}) json.erase(boxes);
    all.push_back(std::move(json));
  }
  for (const kit::Comparison& of : comparisons_) {
    Json json = {{"net", of.name}, {"against", of.against}};
    json.update(kit::json_of(of.difference));
    against.push_back(std::move(json));
  }
  return {{"runs", all}, {"differences", against}};
}

}  // namespace pliant::detect
