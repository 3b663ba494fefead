// Nets from a JSON file of layers:
//
//   {"layers": [{"conv": {"out": 32, "padding": 1}}, "batch_norm", "relu",
//               {"deform_conv": {"out": 64, "stride": 2, "padding": 1, "modulated": true}}, "relu",
//               {"residual": [{"conv": {"out": 64, "padding": 1}}, "relu"]},
//               "global_avg_pool", {"dropout": {"rate": 0.2}}, "linear"]}
//
// A layer is a name, or an object of one name and its attributes; what is not said has the layer's
// own default. Channels in are those of the layer before; a "linear" without "out" gives the
// classes.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include <pliant/layers/sequential.h>

namespace pliant::train {

struct NetShape {
  std::int64_t height = 0, width = 0, channels = 0;  // of the images
  std::int64_t classes = 0;
};

// The net that `json` describes. What is unknown, misplaced or does not fit is an Error that names
// the layer by its place, and for a name the nearest known one.
Sequential net_from(const nlohmann::ordered_json& json, const NetShape& shape);

}  // namespace pliant::train
