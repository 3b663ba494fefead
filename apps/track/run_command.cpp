#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/picture_pipe.h>
#include <pliant/apps/track/commands.h>
#include <pliant/apps/track/options.h>
#include <pliant/apps/track/results.h>
#include <pliant/data/image_file.h>

namespace pliant::track {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
VIDEO_FOLDER holds the frames of one video, pictures by name; - reads them from a pipe, PNG, JPEG or
PPM one behind the other. A box is x,y,w,h in the first of them, in pixels from its upper left corner;
several boxes are several targets. Into --out go boxes-1.txt .., a line x,y,w,h for each frame, and
the frames with the boxes drawn. A frame that cannot be read ends it; what was followed so far is kept.

examples:
  pliant-track run frames --box 120,80,40,60 --weights net.safetensors --out followed
  pliant-track run frames --box 120,80,40,60 --box 10,20,30,30 --weights net.safetensors --out both
  ffmpeg -i video.mp4 -f image2pipe -c:v ppm - |
    pliant-track run - --box 120,80,40,60 --weights net.safetensors --out followed)";

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

struct Frame {
  std::string name;  // in Errors
  Tensor picture;
};
using Frames = std::function<std::optional<Frame>()>;  // one after the other, then none

Frames frames_of(const std::string& folder) {
  if (folder == "-") {
    const auto pipe = std::make_shared<kit::PicturePipe>(std::cin, "standard input");
    return [pipe, count = 0]() mutable -> std::optional<Frame> {
      std::optional<Tensor> picture = pipe->next();
      if (!picture) return std::nullopt;
      std::string number = std::to_string(++count);
      number.insert(0, 6 - std::min<std::size_t>(6, number.size()), '0');
      return Frame{number, std::move(*picture)};
    };
  }
  return [files = frame_files(folder), at = std::size_t{0}]() mutable -> std::optional<Frame> {
    if (at == files.size()) return std::nullopt;
    const std::string& file = files[at++];
    return Frame{file, read_image(file, ImageColour::rgb)};
  };
}

// Targets of one video, each followed by a tracker of its own.
class Targets {
 public:
  Targets(const LoadedNet& net, const std::vector<std::string>& boxes, Device device) {
    for (const std::string& text : boxes) {
      boxes_.push_back({box_from(text)});
      scores_.push_back({1});
      trackers_.push_back(std::make_unique<NetTracker>(*net.net, net.recipe, device));
    }
  }

  std::int64_t frames() const { return frames_; }

  void follow(const Frame& frame) {
    const Tensor& picture = frame.picture;
    if (frames_ == 0) size_ = picture.shape();
    require(picture.shape() == size_, frame.name, ": is ", picture.dim(1), " x ", picture.dim(0),
            " pixels, expected ", size_[1], " x ", size_[0], ", as the first frame");
    for (std::size_t k = 0; k < trackers_.size(); ++k) {
      if (frames_ == 0) {
        const TrackedBox& box = boxes_[k].front();
        require(box[0] < static_cast<double>(picture.dim(1)) && box[0] + box[2] > 0 &&
                    box[1] < static_cast<double>(picture.dim(0)) && box[1] + box[3] > 0,
                "--box: ", box[0], ',', box[1], ',', box[2], ',', box[3], " lies outside ",
                frame.name, ", of ", picture.dim(1), " x ", picture.dim(0), " pixels");
        trackers_[k]->start(picture, box);
        continue;
      }
      boxes_[k].push_back(trackers_[k]->follow(picture));
      scores_[k].push_back(trackers_[k]->score());
    }
    ++frames_;
  }

  Tensor drawn(const Tensor& picture) const {
    Tensor all = picture.clone();
    for (std::size_t k = 0; k < boxes_.size(); ++k) draw_box(all, boxes_[k].back(), k);
    return all;
  }

  void write(const fs::path& folder, kit::JsonFile& json_file) const {
    Json json = Json::array();
    for (std::size_t k = 0; k < boxes_.size(); ++k) {
      const fs::path file = folder / text_from("boxes-", k + 1, ".txt");
      write_boxes(file, boxes_[k]);
      json.push_back({{"boxes", boxes_[k]}, {"scores", scores_[k]}});
      std::cout << printable(file.string()) << ": " << grouped(frames_) << " frames\n";
    }
    json_file.write(json);
  }

 private:
  std::vector<std::unique_ptr<NetTracker>> trackers_;
  std::vector<std::vector<TrackedBox>> boxes_;
  std::vector<std::vector<double>> scores_;
  Shape size_;
  std::int64_t frames_ = 0;
};

int run(const Options& options) {
  const Device device = options.compute.set_up();
  const Frames next = frames_of(options.folder);
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
  Targets targets(loaded, options.boxes, device);
  const kit::StopOnSignal stop;  // the frames so far are kept
  try {
    while (kit::StopOnSignal::asked() == 0) {
      const std::optional<Frame> frame = next();
      if (!frame) break;
      targets.follow(*frame);
      if (!options.no_frames)
        write_image(fs::path(options.out) / (fs::path(frame->name).stem().string() + ".png"),
                    targets.drawn(frame->picture));
    }
    require(targets.frames() > 0 || kit::StopOnSignal::asked() != 0,
            "standard input: has no picture, expected the frames of a video");
  } catch (const Error&) {
    if (targets.frames() > 0) targets.write(options.out, json_file);
    throw;
  }
  if (targets.frames() > 0) targets.write(options.out, json_file);
  const int signal = kit::StopOnSignal::asked();
  return signal == 0 ? 0 : 128 + signal;
}

}  // namespace

void add_run_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const run_app = app.add_subcommand("run", "follow targets through a video");
  run_app->footer(kExamples);
  run_app->add_option("VIDEO_FOLDER", options->folder, "the frames of a video; - for a pipe")
      ->required();
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
