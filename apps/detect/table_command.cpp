#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/detect/commands.h>
#include <pliant/apps/detect/report.h>
#include <pliant/apps/detect/table.h>
#include <pliant/apps/detect/table_run.h>
#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/run_folder.h>
#include <pliant/apps/page/page.h>

namespace pliant::detect {
namespace {

constexpr const char* kExamples = R"(
Trains every arm with every seed, all arms from the same first values and on the same pictures in the
same order, and says what deformation adds: scores on the test set, differences paired by seed with
intervals, and what is left of the score on pictures that are scaled, turned and sheared. Runs are
kept one by one in the folder of --checkpoint, a JSON file each with commit, command and seed; those
that are there are not made again. Without DATA the table of the runs there is printed.

arms: align (RoIAlign), align-stage (and a deformable last stage), fixed (deformable pooling with its
offsets held at 0: the control), pool (deformable pooling), pool-stage (both), fpn (a feature pyramid,
RoIAlign); any with +warp (training pictures turned and sheared as well)

examples:
  pliant-detect table --example --preset tiny --arms align,pool --checkpoint runs --report page
  pliant-detect table cells --seeds 1,2,3 --checkpoint runs --report page
  pliant-detect table cells --seeds 1,2,3 --checkpoint runs --resume
  pliant-detect table cells --on val --lr 2e-3 --checkpoint trials/lr2e-3      to choose by
  pliant-detect table --checkpoint runs --json table.json)";

struct Options {
  TableOptions table;
  kit::RunFolder runs;
  std::string arms = "align,align-stage,fixed,pool,pool-stage";
  std::int64_t resamples = 1000;
};

struct Planned {
  TableArm arm;
  std::uint64_t seed;
};

std::vector<Planned> planned(const Options& options) {
  std::vector<Planned> all;
  for (const std::uint64_t seed : kit::numbers_of("--seeds", options.runs.seeds))
    for (const std::string& item : kit::items_of("--arms", options.arms))
      all.push_back({arm_from(item), seed});
  return all;
}

// Of the first seed.
void write_page(const Options& options, const TableRuns& table, const PictureSets& sets,
                const std::vector<Run>& runs, const std::string& html, Device device) {
  std::vector<LoadedNet> nets;
  std::vector<const Run*> shown;
  for (const Run& run : runs)
    if (run.seed == runs.front().seed) {
      nets.push_back(load_net(table.weights_of(run)));
      nets.back().net->to(device);
      shown.push_back(&run);
    }
  std::vector<ReportNet> columns;
  for (std::size_t i = 0; i < nets.size(); ++i)
    columns.push_back({.name = shown[i]->arm.name(),
                       .net = *nets[i].net,
                       .recipe = nets[i].recipe,
                       .training = shown[i]->training,
                       .judgement = shown[i]->judgement});
  write_report(
      options.runs.report,
      {.sets = sets, .judged = table.judged(), .nets = columns, .device = device, .table = html});
  std::cout << "page: " << printable(options.runs.report) << "/index.html\n";
}

nlohmann::ordered_json json_of_all(const Options& options, const Table& table) {
  auto json = table.json();
  json["transforms"] = json_of(transforms(options.table.draws));
  return json;
}

// Without DATA: the runs that there are.
int print_runs(const Options& options) {
  require(options.runs.report.empty(), "--report: needs DATA, whose pictures it shows");
  kit::JsonFile json(options.table.common.compute.json);
  const std::vector<Run> runs = read_runs(options.runs.checkpoint);
  const Table table(runs, options.resamples);
  std::cout << table.text();
  json.write(json_of_all(options, table));
  return 0;
}

int run(Options options) {
  const TrainOptions& common = options.table.common;
  const Device device = common.compute.set_up();
  if (common.sets.data.empty() && !common.sets.example) return print_runs(options);
  options.table.folder = options.runs.checkpoint;
  options.table.on_val = options.runs.on_val();
  options.table.commit = options.runs.commit;
  const std::vector<Planned> plan = planned(options);
  kit::JsonFile json(common.compute.json);
  if (!options.runs.report.empty()) page::prepare_page("--report", options.runs.report);
  const FileLock lock = options.runs.open();
  options.runs.require_resume_if(!read_runs(options.runs.checkpoint).empty());
  const PictureSets sets = common.sets.open();
  const TableRuns runs_of(options.table, sets, device);
  kit::Progress progress(runs_of.cost() * static_cast<double>(plan.size()));
  std::vector<Run> runs;
  {
    const kit::StopOnSignal stop;
    for (const Planned& each : plan) runs.push_back(runs_of.run(each.arm, each.seed, progress));
  }
  progress.clear();
  const Table table(runs, options.resamples);
  std::cout << table.text();
  json.write(json_of_all(options, table));
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
  options->runs.add_to(*table, "of first values, order and augmentation", "tools/detect");
  options->table.common.add_to(*table);
  table
      ->add_option("--draws", options->table.draws,
                   "of each transform of the judged pictures; 0: none")
      ->transform(kit::whole_number(0, 100))
      ->capture_default_str();
  table->add_option("--resamples", options->resamples, "of the judged pictures, for intervals")
      ->transform(kit::whole_number(1, 1 << 20))
      ->capture_default_str();
  table->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::detect
