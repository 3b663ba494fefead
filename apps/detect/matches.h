// What of a picture was found, what was not, and what was found that is not there.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/apps/detect/judge.h>

namespace pliant::detect {

struct PictureMatches {
  std::vector<FoundBox> right, wrong;
  std::vector<TrueBox> missed;
  std::int64_t to_find = 0;  // objects, those left out not counted

  std::int64_t mistakes() const { return static_cast<std::int64_t>(wrong.size() + missed.size()); }
};

// Of every picture, of boxes at least as sure as `score`: each, the surest first, takes the object of
// its class that it overlaps most, by at least half. What lies on an object that is left out is
// neither right nor wrong.
std::vector<PictureMatches> matches_of(const Judgement& judgement, double score);

}  // namespace pliant::detect
