#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/run_folder.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/track/commands.h>
#include <pliant/apps/track/report.h>
#include <pliant/apps/track/table.h>
#include <pliant/apps/track/table_run.h>
#include <pliant/core/nearest.h>

namespace pliant::track {
namespace {

constexpr const char* kExamples = R"(
Trains every arm with every seed, all arms from the same first values and on the same pairs in the same
order, and says what deformation adds, beside the trackers that need no net: scores on the test
sequences and differences paired by seed with intervals. Runs are kept one by one in the folder of
--checkpoint, a JSON file each with commit, command and seed; those that are there are not made again.
Without DATA the table of the runs there is printed.

examples:
  pliant-track table --example --preset tiny --arms plain,replace --checkpoint runs --report page
  pliant-track table vot --seeds 1,2,3 --checkpoint runs
  pliant-track table vot --seeds 1,2,3 --checkpoint runs --resume
  pliant-track table vot --on val --lr 0.01 --checkpoint trials/lr0.01      to choose by
  pliant-track table --checkpoint runs --json table.json)";

struct Options {
  TableOptions table;
  kit::RunFolder runs;
  std::string arms = "plain,replace,extra,extra-fixed";
  std::int64_t resamples = 1000;
};

std::vector<std::string> arms_in(const Options& options) {
  const std::vector<std::string> arms = kit::items_of("--arms", options.arms);
  for (const std::string& arm : arms)
    require(std::find(arm_names().begin(), arm_names().end(), arm) != arm_names().end(),
            "--arms: there is no arm '", arm, "'; did you mean ", nearest_name(arm, arm_names()),
            '?');
  return arms;
}

// Of the last seed.
void write_page(const Options& options, const TableRuns& table, const VideoSets& sets,
                const std::vector<Run>& runs, const std::string& html, Device device) {
  std::vector<LoadedNet> nets;
  std::vector<const Run*> shown;
  for (const Run& run : runs)
    if (run.preset != kNoNet && run.seed == runs.back().seed) {
      nets.push_back(load_net(table.weights_of(run)));
      nets.back().net->to(device);
      shown.push_back(&run);
    }
  std::vector<ReportNet> columns;
  for (std::size_t i = 0; i < nets.size(); ++i)
    columns.push_back({.name = shown[i]->arm,
                       .net = *nets[i].net,
                       .recipe = nets[i].recipe,
                       .training = shown[i]->training,
                       .judgement = shown[i]->judgement});
  write_report(
      options.runs.report,
      {.sets = sets, .judged = table.judged(), .nets = columns, .device = device, .table = html});
  std::cout << "page: " << printable(options.runs.report) << "/index.html\n";
}

// Without DATA: the runs that there are.
int print_runs(const Options& options) {
  require(options.runs.report.empty(), "--report: needs DATA, whose videos it shows");
  kit::JsonFile json(options.table.common.compute.json);
  const std::vector<Run> runs = read_runs(options.runs.checkpoint);
  const Table table(runs, options.resamples);
  std::cout << table.text();
  json.write(table.json());
  return 0;
}

int run(Options options) {
  const TrainOptions& common = options.table.common;
  const Device device = common.compute.set_up();
  if (common.sets.data.empty() && !common.sets.example) return print_runs(options);
  options.table.folder = options.runs.checkpoint;
  options.table.on_val = options.runs.on_val();
  options.table.commit = options.runs.commit;
  const std::vector<std::string> arms = arms_in(options);
  const std::vector<std::uint64_t> seeds = kit::numbers_of("--seeds", options.runs.seeds);
  kit::JsonFile json(common.compute.json);
  if (!options.runs.report.empty()) page::prepare_page("--report", options.runs.report);
  const FileLock lock = options.runs.open();
  options.runs.require_resume_if(!read_runs(options.runs.checkpoint).empty());
  const VideoSets sets = common.open();
  const TableRuns runs_of(options.table, sets, device);
  kit::Progress progress(runs_of.cost() * static_cast<double>(arms.size() * seeds.size()));
  std::vector<Run> runs;
  {
    const kit::StopOnSignal stop;
    for (const std::string& name : trivial_names()) runs.push_back(runs_of.trivial(name));
    for (const std::uint64_t seed : seeds)
      for (const std::string& arm : arms) runs.push_back(runs_of.run(arm, seed, progress));
  }
  progress.clear();
  const Table table(runs, options.resamples);
  std::cout << table.text();
  json.write(table.json());
  if (!options.runs.report.empty()) write_page(options, runs_of, sets, runs, table.html(), device);
  return 0;
}

}  // namespace

void add_table_command(CLI::App& app, Command& chosen, const std::string& words) {
  const auto options = std::make_shared<Options>();
  options->table.command = words;
  CLI::App* const table = app.add_subcommand("table", "plain against deformable: arms x seeds");
  table->footer(kExamples);
  table->add_option("--arms", options->arms, "rows")
      ->check(kit::some_items())
      ->capture_default_str();
  options->runs.add_to(*table, "of first values and pairs", "tools/track");
  options->table.common.add_to(*table);
  table->add_option("--resamples", options->resamples, "of the judged sequences, for intervals")
      ->transform(kit::whole_number(1, 1 << 20))
      ->capture_default_str();
  table->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::track
