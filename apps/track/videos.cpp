#include <pliant/apps/track/videos.h>

#include <algorithm>
#include <filesystem>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/track/shapes.h>
#include <pliant/core/text.h>
#include <pliant/data/loader.h>
#include <pliant/data/sequences.h>

namespace pliant::track {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayouts =
    "expected folders of frames, each with a groundtruth.txt (VOT) or a groundtruth_rect.txt (OTB)";

Video video_of(const Sequence& sequence) {
  Video video{.name = sequence.name,
              .read = [sequence](std::int64_t i) { return sequence.frame(i); },
              .boxes = {},
              .outlines = {}};
  const auto corners = sequence.boxes.span<float>();
  const auto present = sequence.present.span<std::uint8_t>();
  for (std::size_t i = 0; i < static_cast<std::size_t>(sequence.size()); ++i) {
    const auto at = [&](std::size_t k) { return static_cast<double>(corners[4 * i + k]); };
    video.boxes.push_back({at(0), at(1), at(2) - at(0), at(3) - at(1)});
    const Polygon& polygon = sequence.polygons[i];
    video.outlines.push_back(present[i] == 0   ? Polygon()
                             : polygon.empty() ? polygon_of(video.boxes.back())
                                               : polygon);
    if (present[i] != 0) video.present.push_back(static_cast<std::int64_t>(i));
  }
  return video;
}

Videos read_list(const fs::path& root, const std::string& split, BadFiles bad_files,
                 VideoSets& sets) {
  const Sequences all(root, split, bad_files);
  const std::string of = split.empty() ? "" : split + ": ";
  for (const BadFile& bad : all.skipped()) sets.notices.push_back("left out: " + bad.reason);
  if (all.absent() > 0)
    sets.notices.push_back(of + grouped(all.absent()) + " frames are without their target");
  if (all.without_truth() > 0)
    sets.notices.push_back(of + grouped(all.without_truth()) +
                           " frames come after the last line of truth and are left out");
  Videos videos;
  for (std::int64_t i = 0; i < all.size(); ++i) {
    Video video = video_of(all.at(i));
    if (video.present.empty())
      sets.notices.push_back("left out: " + video.name + " has no frame with its target");
    else
      videos.push_back(std::move(video));
  }
  return videos;
}

// A share of the videos, drawn by key, at least one.
Videos hold_out(Videos& videos, double share) {
  const auto count = static_cast<std::int64_t>(videos.size());
  const std::int64_t held =
      std::clamp<std::int64_t>(std::llround(share * static_cast<double>(count)), 1, count - 1);
  std::vector<std::int64_t> order = randperm(count, Rng(0).fork("val"));
  std::sort(order.begin(), order.begin() + held);
  Videos out, rest;
  for (std::int64_t i = 0; i < count; ++i)
    (std::binary_search(order.begin(), order.begin() + held, i) ? out : rest)
        .push_back(videos[static_cast<std::size_t>(i)]);
  videos = std::move(rest);
  return out;
}

}  // namespace

Polygon polygon_of(const TrackedBox& box) {
  const auto& [x, y, w, h] = box;
  return {{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}};
}

VideoSets open_videos(const std::string& data, const DataOptions& options) {
  const fs::path root = data;
  std::error_code error;
  require(fs::is_directory(root, error), data, ": there is no such folder; ", kLayouts);
  const auto listed = [&](const char* split) {
    return fs::is_regular_file(root / (std::string(split) + ".txt"), error);
  };
  VideoSets sets;
  const bool lists = listed("train");
  sets.train = read_list(root, lists ? "train" : "", options.bad_files, sets);
  require(!sets.train.empty(), data, ": holds no sequence; ", kLayouts);
  if (listed("val")) {
    sets.val = read_list(root, "val", options.bad_files, sets);
  } else {
    require(sets.train.size() > 1, data,
            ": has one sequence, expected at least 2, one to learn from and one to choose by");
    sets.val = hold_out(sets.train, options.val);
  }
  if (listed("test")) sets.test = read_list(root, "test", options.bad_files, sets);
  require(!sets.val.empty(), data, ": its val.txt names no sequence");
  sets.source = data;
  return sets;
}

VideoSets example_videos() {
  constexpr std::int64_t kTrain = 24, kVal = 3, kTest = 4, kFrames = 60;
  VideoSets sets{.source = "GENERATED shapes that move and bend, no real videos",
                 .is_example = true};
  const auto add = [](Videos& to, const char* name, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i)
      to.push_back(shape_video(text_from(name, i + 1), kFrames,
                               Rng(1).fork(name).fork(static_cast<std::uint64_t>(i))));
  };
  add(sets.train, "train", kTrain);
  add(sets.val, "val", kVal);
  add(sets.test, "test", kTest);
  return sets;
}

std::vector<std::string> frame_files(const std::string& folder) {
  std::error_code error;
  require(std::filesystem::is_directory(folder, error), folder,
          ": there is no such folder; expected the frames of a video");
  std::vector<std::string> frames;
  for (const std::string& file : kit::files_of({folder})) {
    std::string ending = fs::path(file).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".bmp" ||
        ending == ".ppm" || ending == ".pgm")
      frames.push_back(file);
  }
  require(!frames.empty(), folder, ": holds no picture; expected the frames of a video");
  return frames;
}

}  // namespace pliant::track
