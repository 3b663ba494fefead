// How the commands that use a net are told to see a picture.
#pragma once

#include <string>

#include <pliant/apps/segment/inference.h>

namespace CLI {
class App;
}

namespace pliant::segment {

struct ViewOptions {
  bool flip = false;
  std::string scales = "1";
  std::int64_t window = 0;

  void add_to(CLI::App& app);  // --flip, --scales, --window
  InferenceOptions inference(Device device) const;
};

}  // namespace pliant::segment
