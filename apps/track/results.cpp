#include <pliant/apps/track/results.h>

#include <algorithm>
#include <cmath>

#include <pliant/core/atomic_file.h>
#include <pliant/core/text.h>

namespace pliant::track {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& file, const std::string& text) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  AtomicFile to("boxes", file);
  to.write(text);
  to.commit();
}

std::string line_of(const TrackedBox& box) {
  constexpr int kPlaces = 4;
  return fixed(box[0], kPlaces) + ',' + fixed(box[1], kPlaces) + ',' + fixed(box[2], kPlaces) +
         ',' + fixed(box[3], kPlaces) + '\n';
}

std::string lines_of(const ResetRun& run, const std::vector<TrackedBox>& boxes) {
  std::string lines;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto frame = static_cast<std::int64_t>(i);
    const bool starts = std::binary_search(run.starts.begin(), run.starts.end(), frame);
    if (starts)
      lines += "1\n";
    else if (boxes[i][2] <= 0)
      lines += "0\n";
    else
      lines += std::isnan(run.overlaps[i]) ? "2\n" : line_of(boxes[i]);
  }
  return lines;
}

}  // namespace

void write_boxes(const fs::path& file, const std::vector<TrackedBox>& boxes) {
  std::string lines;
  for (const TrackedBox& box : boxes) lines += line_of(box);
  write_text(file, lines);
}

void write_results(const fs::path& folder, const Judgement& judgement) {
  for (const VideoScore& video : judgement.videos) {
    write_boxes(folder / "otb" / (video.name + ".txt"), video.boxes);
    if (!video.resets_boxes.empty())
      write_text(folder / "baseline" / video.name / (video.name + "_001.txt"),
                 lines_of(video.resets, video.resets_boxes));
  }
}

}  // namespace pliant::track
