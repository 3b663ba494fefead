#include <pliant/data/sequences.h>

#include <algorithm>
#include <numeric>

#include <pliant/data/image_file.h>
#include <pliant/data/internal/checked.h>
#include <pliant/data/internal/files.h>
#include <pliant/data/internal/ground_truth.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVot = "groundtruth";
constexpr const char* kOtb = "groundtruth_rect";

struct Item {
  std::string name;
  fs::path folder, truth_file;
  std::vector<fs::path> frames;
  std::vector<FrameTruth> truth;
  std::int64_t without_truth = 0;
};

bool is_truth(const fs::path& path) {
  return path.extension() == ".txt" && path.filename().string().starts_with(kVot);
}

std::vector<fs::path> truths_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::path& entry : entries_of(folder))
    if (is_truth(entry)) found.push_back(entry);
  return found;
}

// The sequences of a folder: as many as it has truths, and one to complain of if it has none.
void add_items(const fs::path& folder, std::vector<Item>& items) {
  const std::vector<fs::path> truths =
      is_folder(folder) ? truths_in(folder) : std::vector<fs::path>();
  const std::string name = folder.filename().string();
  if (truths.empty()) items.push_back({name, folder, {}, {}, {}});
  for (std::size_t i = 0; i < truths.size(); ++i)
    items.push_back({truths.size() == 1 ? name : name + '-' + std::to_string(i + 1),
                     folder,
                     truths[i],
                     {},
                     {}});
}

std::vector<Item> list_items(const fs::path& root, const std::string& split) {
  std::vector<Item> items;
  if (!split.empty()) {
    for (const std::string& line : read_lines(root / (split + ".txt")))
      if (!line.empty()) add_items(root / line, items);
  } else {
    for (const fs::path& entry : entries_of(root))
      if (is_folder(entry) && !truths_in(entry).empty()) add_items(entry, items);
  }
  require(!items.empty(), split.empty() ? root.string() : (root / (split + ".txt")).string(),
          ": has no sequences, expected folders with a groundtruth.txt or a groundtruth_rect.txt");
  return items;
}

// By number, with leading zeros or without.
bool comes_before(const fs::path& a, const fs::path& b) {
  const std::string first = a.stem().string(), second = b.stem().string();
  return first.size() != second.size() ? first.size() < second.size() : first < second;
}

std::vector<fs::path> frames_in(const fs::path& folder) {
  std::vector<fs::path> frames;
  for (const fs::path& place : {folder / "img", folder / "color", folder}) {
    if (!is_folder(place)) continue;
    for (const fs::path& entry : entries_of(place))
      if (is_image(entry)) frames.push_back(entry);
    if (!frames.empty()) break;
  }
  require(!frames.empty(), folder.string(),
          ": no frames, expected images in it, in img or in color");
  std::sort(frames.begin(), frames.end(), comes_before);
  return frames;
}

void read_item(Item& item) {
  require(is_folder(item.folder), item.folder.string(), ": there is no such sequence");
  require(!item.truth_file.empty(), item.folder.string(),
          ": has no truth, expected a groundtruth.txt or a groundtruth_rect.txt");
  item.frames = frames_in(item.folder);
  const bool otb = item.truth_file.filename().string().starts_with(kOtb);
  item.truth = read_ground_truth(item.truth_file, otb ? 1 : 0);
  require(!item.truth.empty(), item.truth_file.string(), ": is empty");
  require(item.truth.size() <= item.frames.size(), item.truth_file.string(), ": has ",
          item.truth.size(), " lines for ", item.frames.size(), " frames");
  item.without_truth = static_cast<std::int64_t>(item.frames.size() - item.truth.size());
  item.frames.resize(item.truth.size());
}

}  // namespace

struct Sequences::List {
  std::vector<Item> items;
  std::vector<BadFile> skipped;
};

Sequences::Sequences(const fs::path& root, const std::string& split, BadFiles bad_files) {
  auto list = std::make_shared<List>();
  list->items = list_items(root, split);
  list->skipped = check_items(
      list->items, bad_files, [](const Item& item) { return item.name; },
      [bad_files](Item& item) {
        read_item(item);
        if (bad_files == BadFiles::skip)
          for (const fs::path& frame : item.frames) read_image(frame);
      });
  list_ = std::move(list);
}

std::int64_t Sequences::size() const { return static_cast<std::int64_t>(list_->items.size()); }

Sequence Sequences::at(std::int64_t i, const Rng&) const {
  const Item& item = item_at("Sequences: sequence", list_->items, i);
  const auto count = static_cast<std::int64_t>(item.frames.size());
  Sequence sequence{
      item.name, item.frames, Tensor::empty({count, 4}), Tensor::empty({count}, DType::uint8), {}};
  float* box = sequence.boxes.mutable_data<float>();
  std::uint8_t* present = sequence.present.mutable_data<std::uint8_t>();
  for (const FrameTruth& truth : item.truth) {
    for (const double v : {truth.x1, truth.y1, truth.x2, truth.y2}) *box++ = static_cast<float>(v);
    *present++ = truth.present ? 1 : 0;
    sequence.polygons.push_back(truth.polygon);
  }
  return sequence;
}

std::int64_t Sequences::frames() const {
  return std::accumulate(list_->items.begin(), list_->items.end(), std::int64_t{0},
                         [](std::int64_t sum, const Item& item) {
                           return sum + static_cast<std::int64_t>(item.frames.size());
                         });
}

std::int64_t Sequences::absent() const {
  std::int64_t sum = 0;
  for (const Item& item : list_->items)
    sum += std::count_if(item.truth.begin(), item.truth.end(),
                         [](const FrameTruth& truth) { return !truth.present; });
  return sum;
}

std::int64_t Sequences::without_truth() const {
  return std::accumulate(
      list_->items.begin(), list_->items.end(), std::int64_t{0},
      [](std::int64_t sum, const Item& item) { return sum + item.without_truth; });
}

const std::vector<BadFile>& Sequences::skipped() const& { return list_->skipped; }

}  // namespace pliant
