// Boxes as the text files of OTB and VOT, which pysot's toolkit reads.
#pragma once

#include <filesystem>
#include <vector>

#include <pliant/apps/track/judge.h>

namespace pliant::track {

// A line x,y,w,h for each frame, counted from 0, four places.
void write_boxes(const std::filesystem::path& file, const std::vector<TrackedBox>& boxes);

// FOLDER/otb/NAME.txt, of one pass, and FOLDER/baseline/NAME/NAME_001.txt, with resets, as VOT has
// them: 1 for a start, 2 for a failure, 0 for a frame that was skipped.
void write_results(const std::filesystem::path& folder, const Judgement& judgement);

}  // namespace pliant::track
