#include <pliant/apps/track/table.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/page/section_table.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;
using kit::Cells;

std::string shown(const kit::Spread& spread, int places = 3) {
  return fixed(spread.mean, places) +
         (spread.count > 1 ? " ± " + fixed(spread.deviation, places) : "");
}

std::vector<double> aucs(const Run& run) {
  std::vector<double> all;
  for (const VideoScore& video : run.judgement.videos) all.push_back(video.auc);
  return all;
}

// An arm stands against plain, and extra against its control.
bool compares(const std::string& without, const std::string& with) {
  return (without == "plain" && with != "plain") || (without == "extra-fixed" && with == "extra");
}

}  // namespace

Table::Table(const std::vector<Run>& runs, std::int64_t resamples) : runs_(runs) {
  require(!runs.empty(), "table: there is no run");
  const auto same_videos = [&](const Run& run) {
    return std::ranges::equal(run.judgement.videos, runs.front().judgement.videos, {},
                              &VideoScore::name, &VideoScore::name);
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    require(same_videos(runs[i]), runs[i].name(), ": was judged on other sequences than ",
            runs.front().name());
    auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) {
      return other.preset == runs[i].preset && other.arm == runs[i].arm;
    });
    if (row == rows_.end()) row = rows_.insert(rows_.end(), {runs[i].preset, runs[i].arm, {}});
    row->runs.push_back(i);
  }
  for (const Row& with : rows_)
    for (const Row& without : rows_) {
      if (with.preset != without.preset || !compares(without.arm, with.arm)) continue;
      std::vector<SeedPair> pairs;
      for (const std::size_t i : with.runs)
        for (const std::size_t k : without.runs)
          if (runs[i].seed == runs[k].seed)
            pairs.push_back({.without = aucs(runs[k]), .with = aucs(runs[i])});
      if (!pairs.empty() && with.preset != kNoNet)
        comparisons_.push_back({with.name(), without.arm, difference_of(pairs, resamples)});
    }
}

template <class Figure>
kit::Spread Table::spread(const Row& row, const Figure& figure) const {
  std::vector<double> numbers;
  for (const std::size_t i : row.runs) numbers.push_back(figure(runs_[i]));
  return kit::spread_of(numbers);
}

Table::Section Table::scores() const {
  const Judgement& first = runs_.front().judgement;
  const Judgement::Lengths lengths = first.lengths();
  Section section{.title = text_from("Scores on ", first.videos.size(), ' ',
                                     runs_.front().judged_on, " sequences"),
                  .lines = {{"tracker", "", "parameters", "step", "AUC", "precision", "accuracy",
                             "failures", "expected overlap", "frames/s", "seeds"}}};
  for (const Row& row : rows_) {
    const auto of = [&](const auto& figure, int places = 3) {
      return shown(spread(row, figure), places);
    };
    const bool net = row.preset != kNoNet;
    const kit::Spread step = spread(row, [](const Run& run) { return run.step_seconds; });
    section.lines.push_back(
        {row.name(), "", net ? grouped(runs_[row.runs.front()].parameters) : "",
         net ? fixed(step.mean * 1000, 0) + " ms" : "",
         of([](const Run& run) { return run.judgement.auc(); }),
         of([](const Run& run) { return run.judgement.precision(); }),
         of([](const Run& run) { return run.judgement.accuracy(); }),
         of([](const Run& run) { return static_cast<double>(run.judgement.failures()); }, 1),
         of([](const Run& run) { return run.judgement.expected_overlap(); }),
         of([](const Run& run) { return run.judgement.frames_per_second(); }, 0),
         net ? std::to_string(row.runs.size()) : ""});
  }
  section.note =
      text_from("AUC and precision (20 pixels): one pass; accuracy, failures, expected overlap (",
                lengths.low, " to ", lengths.high,
                " frames): with resets, the frames of starts left out of the accuracy");
  return section;
}

Table::Section Table::by_video() const {
  Section section{.title = "AUC by sequence", .lines = {{"tracker", ""}}};
  const auto& videos = runs_.front().judgement.videos;
  for (const VideoScore& video : videos) section.lines.front().push_back(printable(video.name, 20));
  for (const Row& row : rows_) {
    Cells cells = {row.name(), ""};
    for (std::size_t i = 0; i < videos.size(); ++i)
      cells.push_back(
          shown(spread(row, [i](const Run& run) { return run.judgement.videos[i].auc; })));
    section.lines.push_back(std::move(cells));
  }
  return section;
}

Table::Section Table::differences() const {
  return kit::differences_section("AUC", comparisons_, "the judged sequences");
}

std::vector<Table::Section> Table::sections() const {
  std::vector<Section> all;
  for (Section& section : std::vector<Section>{scores(), by_video(), differences()})
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
    json.erase("videos");
    all.push_back(std::move(json));
  }
  for (const kit::Comparison& of : comparisons_) {
    Json json = {{"net", of.name}, {"against", of.against}};
    json.update(kit::json_of(of.difference));
    against.push_back(std::move(json));
  }
  return {{"runs", all}, {"differences", against}};
}

}  // namespace pliant::track
