#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/track/commands.h>
#include <pliant/apps/track/options.h>
#include <pliant/apps/track/results.h>
#include <pliant/data/image_file.h>

namespace pliant::track {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
VIDEO_FOLDER holds the frames of one video, pictures by name. A box is x,y,w,h in the first of them,
in pixels from its upper left corner; several boxes are several targets. Into --out go boxes-1.txt ..,
a line x,y,w,h for each frame, and the frames with the boxes drawn.

examples:
  pliant-track run frames --box 120,80,40,60 --weights net.safetensors --out followed
  pliant-track run frames --box 120,80,40,60 --box 10,20,30,30 --weights net.safetensors --out both)";

struct Options {
  kit::ComputeOptions compute;
  std::string folder, weights, out;
  std::vector<std::string> boxes;
  bool no_frames = false;
};

TrackedBox box_from(const std::string& text) {
  const std::vector<std::string> words = kit::items_of("--box", text);
  TrackedBox box{};
  require(words.size() == box.size(), "--box: '", text, "' has ", words.size(),
          " numbers, expected x,y,w,h");
  for (std::size_t i = 0; i < box.size(); ++i) {
    const auto number = kit::number_in<double>(words[i]);
    require(number.has_value() && std::isfinite(*number), "--box: '", words[i],
            "' is no number, expected x,y,w,h");
    box[i] = *number;
  }
  require(box[2] > 0 && box[3] > 0, "--box: '", text, "' is ", box[2], " x ", box[3],
          ", expected sides above 0");
  return box;
}

// Two pixels wide, in one of a few colours that can be told apart.
void draw_box(Tensor& picture, const TrackedBox& box, std::size_t number) {
  constexpr std::uint8_t kColours[][3] = {
      {240, 228, 66}, {86, 180, 233}, {230, 159, 0}, {0, 158, 115}, {204, 121, 167}};
  const std::uint8_t* const colour = kColours[number % std::size(kColours)];
  const std::int64_t height = picture.dim(0), width = picture.dim(1);
  const std::int64_t left = std::lround(box[0]), top = std::lround(box[1]),
                     right = std::lround(box[0] + box[2]), bottom = std::lround(box[1] + box[3]);
  std::uint8_t* const pixels = picture.mutable_data<std::uint8_t>();
  for (std::int64_t r = std::max<std::int64_t>(0, top); r < std::min(bottom, height); ++r)
    for (std::int64_t c = std::max<std::int64_t>(0, left); c < std::min(right, width); ++c)
      if (r < top + 2 || r >= bottom - 2 || c < left + 2 || c >= right - 2)
        std::copy(colour, colour + 3, pixels + 3 * (r * width + c));
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  const std::vector<std::string> files = frame_files(options.folder);
  kit::require_files_of_their_own({{"--json", options.compute.json}},
                                  {{"--weights", options.weights}});
  std::error_code error;
  require(!fs::equivalent(options.out, options.folder, error),
          "--out: is the folder of the frames, expected another one");
  fs::create_directories(options.out, error);
  require(fs::is_directory(options.out, error), "--out: ", options.out,
          ": the folder cannot be made");
  kit::JsonFile json_file(options.compute.json);
  const LoadedNet loaded = load_net(options.weights);
  loaded.net->to(device);
  std::vector<std::unique_ptr<NetTracker>> trackers;
  std::vector<std::vector<TrackedBox>> boxes;
  std::vector<std::vector<double>> scores;
  for (const std::string& text : options.boxes) {
    boxes.push_back({box_from(text)});
    scores.push_back({1});
    trackers.push_back(std::make_unique<NetTracker>(*loaded.net, loaded.recipe, device));
  }
  Shape size;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Tensor picture = read_image(files[i], ImageColour::rgb);
    if (i == 0) size = picture.shape();
    require(picture.shape() == size, files[i], ": is ", picture.dim(1), " x ", picture.dim(0),
            " pixels, expected ", size[1], " x ", size[0], ", as the first frame");
    for (std::size_t k = 0; k < trackers.size(); ++k) {
      if (i == 0) {
        trackers[k]->start(picture, boxes[k].front());
        continue;
      }
      boxes[k].push_back(trackers[k]->follow(picture));
      scores[k].push_back(trackers[k]->score());
    }
    if (options.no_frames) continue;
    Tensor drawn = picture.clone();
    for (std::size_t k = 0; k < boxes.size(); ++k) draw_box(drawn, boxes[k].back(), k);
    write_image(fs::path(options.out) / (fs::path(files[i]).stem().string() + ".png"), drawn);
  }
  Json json = Json::array();
  for (std::size_t k = 0; k < boxes.size(); ++k) {
    const fs::path file = fs::path(options.out) / text_from("boxes-", k + 1, ".txt");
    write_boxes(file, boxes[k]);
    json.push_back({{"boxes", boxes[k]}, {"scores", scores[k]}});
    std::cout << printable(file.string()) << ": " << grouped(std::ssize(files)) << " frames\n";
  }
  json_file.write(json);
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const run_app = app.add_subcommand("run", "follow targets through a video");
  run_app->footer(kExamples);
  run_app->add_option("VIDEO_FOLDER", options->folder, "the frames of a video")->required();
  run_app->add_option("--box", options->boxes, "x,y,w,h of a target in the first frame")
      ->allow_extra_args(false)
      ->required();
  run_app->add_option("--weights", options->weights, "a file of pliant-track")->required();
  run_app->add_option("--out", options->out, "folder for boxes and frames")
      ->check(kit::some_path())
      ->required();
  run_app->add_flag("--no-frames", options->no_frames, "write boxes alone");
  options->compute.add_to(*run_app);
  run_app->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::track
