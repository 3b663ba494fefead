// For the tests of pliant-track: the program, and sequences of generated shapes in files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/track/shapes.h>
#include <pliant/data/image_file.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/program.h>

namespace pliant::test {

inline Ended run_track(std::vector<std::string> words, int signal = 0, int milliseconds = 0) {
  words.insert(words.begin(), PLIANT_PROGRAMS "/pliant-track");
  return run_program(std::move(words), signal, milliseconds);
}

inline nlohmann::ordered_json json_in(const std::filesystem::path& file) {
  return nlohmann::ordered_json::parse(text_of(file));
}

inline track::Video shapes(std::uint64_t number, std::int64_t frames = 12) {
  return track::shape_video("shapes" + std::to_string(number), frames, Rng(3).fork(number));
}

// In the layout of VOT.
inline void write_video(const std::filesystem::path& root, std::uint64_t number,
                        std::int64_t frames = 12) {
  const track::Video video = shapes(number, frames);
  std::string lines;
  std::filesystem::create_directories(root / video.name);
  for (std::int64_t i = 0; i < frames; ++i) {
    write_image(root / video.name / text_from("0000", 1000 + i, ".png"), video.read(i));
    const TrackedBox& box = video.box(i);
    lines += text_from(box[0], ',', box[1], ',', box[2], ',', box[3], '\n');
  }
  write_text(root / video.name / "groundtruth.txt", lines);
}

// Three sequences to learn from, one to choose by, one to judge by.
inline void write_set(const std::filesystem::path& root) {
  for (std::uint64_t i = 0; i < 5; ++i) write_video(root, i);
  write_text(root / "train.txt", "shapes0\nshapes1\nshapes2\n");
  write_text(root / "val.txt", "shapes3\n");
  write_text(root / "test.txt", "shapes4\n");
}

inline std::vector<std::string> tiny(std::vector<std::string> words) {
  for (const char* word : {"--preset", "tiny", "--threads", "1", "--device", "cpu"})
    words.emplace_back(word);
  return words;
}

}  // namespace pliant::test
