#include <pliant/apps/segment/view_options.h>

#include <CLI/CLI.hpp>

#include <pliant/apps/kit/command_line.h>

namespace pliant::segment {

void ViewOptions::add_to(CLI::App& app) {
  app.add_flag("--flip", flip, "the mean with the mirrored picture");
  app.add_option("--scales", scales, "the mean over the picture in these sizes, as in 0.75,1,1.25")
      ->check(kit::some_items())
      ->capture_default_str();
  app.add_option(
         "--window", window,
         "side of the windows in which larger pictures are seen, half overlapping; 0: whole "
         "up to a million pixels, else 768")
      ->transform(kit::whole_number(0, 1 << 14))
      ->capture_default_str();
}

InferenceOptions ViewOptions::inference(Device device) const {
  InferenceOptions options{.device = device, .flip = flip, .scales = {}, .window = window};
  for (const std::string& item : kit::items_of("--scales", scales)) {
    const std::optional<double> scale = kit::number_in<double>(item);
    require(scale && *scale >= 0.1 && *scale <= 10, "--scales: '", item,
            "' is no scale, expected numbers from 0.1 to 10");
    options.scales.push_back(*scale);
  }
  require(window == 0 || window >= 16, "--window: is ", window, ", expected 0 or at least 16");
  return options;
}

}  // namespace pliant::segment
