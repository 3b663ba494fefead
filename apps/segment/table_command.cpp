#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/run_folder.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/segment/commands.h>
#include <pliant/apps/segment/report.h>
#include <pliant/apps/segment/table.h>
#include <pliant/apps/segment/table_run.h>

namespace pliant::segment {
namespace {

constexpr const char* kExamples = R"(
Trains every arm at every preset with every seed, all arms from the same first values and on the
same pictures in the same order, and says what deformation adds: scores on the test set,
differences paired by seed with intervals, and what is left of the score on pictures that are
scaled, turned and sheared. Each net is the one of its best epoch on val. Runs are kept one by one
in the folder of --checkpoint, a JSON file each with commit, command and seed; those that are there
are not made again. Without DATA the table of the runs there is printed.

arms: plain; replace (the last stage's 3x3 convolutions deform, by --deform or as in replace:dcn2);
replace-fixed:dcn2 (its offsets held at 0: the control); extra (three more layers that deform);
extra-fixed (the same held at 0); any with +warp (training pictures turned and sheared as well)

examples:
  pliant-segment table --example --presets tiny --arms plain,replace --checkpoint runs
  pliant-segment table camvid --seeds 1,2,3 --checkpoint runs --block 30 --report page
  pliant-segment table camvid --seeds 1,2,3 --checkpoint runs --block 30 --resume
  pliant-segment table camvid --on val --lr 0.02 --checkpoint trials/lr0.02     to choose by
  pliant-segment table --checkpoint runs --block 30 --json table.json)";

struct Options {
  TableOptions table;
  kit::RunFolder runs;
  std::string arms = "plain,replace,extra,extra-fixed", presets = "small";
  std::int64_t block = 1;
};

struct Planned {
  std::string preset;
  TableArm arm;
  std::uint64_t seed;
};

std::vector<Planned> planned(const Options& options) {
  std::vector<TableArm> arms;
  for (const std::string& item : kit::items_of("--arms", options.arms))
    arms.push_back(arm_from(item, options.table.common.deform));
  std::vector<Planned> all;
  for (const std::string& preset : kit::items_of("--presets", options.presets)) {
    static_cast<void>(preset_of(preset));
    for (const std::uint64_t seed : kit::numbers_of("--seeds", options.runs.seeds))
      for (const TableArm& arm : arms) all.push_back({preset, arm, seed});
  }
  return all;
}

void write_page(const Options& options, const TableRuns& table, const PictureSets& sets,
                const std::vector<Run>& runs, const std::string& html, Device device) {
  std::vector<LoadedNet> nets;
  std::vector<const Run*> shown;  // of the first preset and seed
  for (const Run& run : runs)
    if (run.preset == runs.front().preset && run.seed == runs.front().seed) {
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
                       .confusion = shown[i]->confusion,
                       .pictures = shown[i]->seen});
  write_report(
      options.runs.report,
      {.sets = sets, .judged = table.judged(), .nets = columns, .device = device, .tables = html});
  std::cout << "page: " << printable(options.runs.report) << "/index.html\n";
}

void tell(const Options& options, const Table& table, kit::JsonFile& json) {
  std::cout << table.text();
  auto summary = table.json();
  summary["transforms"] = json_of(transforms(options.table.draws));
  json.write(summary);
}

// Without DATA: the runs that there are.
int print_runs(const Options& options) {
  require(options.runs.report.empty(), "--report: needs DATA, whose pictures it shows");
  kit::JsonFile json(options.table.common.compute.json);
  const std::vector<Run> runs = read_runs(options.runs.checkpoint);
  tell(options, Table(runs, options.block), json);
  return 0;
}

int run(Options options) {
  const TrainOptions& common = options.table.common;
  if (common.data.empty() && !common.example) return print_runs(options);
  options.table.folder = options.runs.checkpoint;
  options.table.on_val = options.runs.on_val();
  options.table.commit = options.runs.commit;
  const Device device = common.compute.set_up();
  const std::vector<Planned> plan = planned(options);
  kit::JsonFile json(common.compute.json);
  if (!options.runs.report.empty()) page::prepare_page("--report", options.runs.report);
  const FileLock lock = options.runs.open();
  options.runs.require_resume_if(!read_runs(options.runs.checkpoint).empty());
  const PictureSets sets = common.open_sets();
  const TableRuns table(options.table, sets, device);
  double cost = 0;
  for (const Planned& each : plan) cost += table.cost_of(each.preset, each.arm);
  kit::Progress progress(cost);
  std::vector<Run> runs;
  {
    const kit::StopOnSignal stop;
    for (const Planned& each : plan)
      runs.push_back(table.run(each.preset, each.arm, each.seed, progress));
  }
  progress.clear();
  const Table figures(runs, options.block);
  tell(options, figures, json);
  if (!options.runs.report.empty()) write_page(options, table, sets, runs, figures.html(), device);
  return 0;
}

}  // namespace

void add_table_command(CLI::App& app, Command& chosen, const std::string& words) {
  const auto options = std::make_shared<Options>();
  options->table.command = words;
  CLI::App* const table =
      app.add_subcommand("table", "plain against deformable: arms x presets x seeds");
  table->footer(kExamples);
  table->add_option("--arms", options->arms, "rows")
      ->check(kit::some_items())
      ->capture_default_str();
  table->add_option("--presets", options->presets)->check(kit::some_items())->capture_default_str();
  options->runs.add_to(*table, "of first values, order and augmentation", "tools/segment");
  options->table.common.add_to(*table);
  table
      ->add_option("--block", options->block,
                   "neighbouring pictures that are resampled as one; of videos 30")
      ->transform(kit::positive_count())
      ->capture_default_str();
  table
      ->add_option("--draws", options->table.draws,
                   "of each transform of the test pictures; 0: none")
      ->transform(kit::whole_number(0, 100))
      ->capture_default_str();
  table->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::segment
