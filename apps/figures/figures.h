// The figures of docs/operators.md: each is drawn from what an operator gave, with the sampling
// points that its kernel computes. Most show offsets that were learned through the operator itself.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace pliant::figures {

struct Figure {
  std::string name;     // of its file, without ".svg"
  std::string svg;      // the file
  std::string summary;  // one line: what was learned, the loss before and after
};

Figure deform_conv_v1();
Figure deform_conv_v2();
Figure boundaries();
Figure map_offsets_field();
Figure roi_align_points();
Figure roi_pool_cells();
Figure ps_roi_align_points();
Figure ps_roi_pool_cells();
Figure deform_roi_pool_v1();
Figure deform_roi_pool_v2();
Figure deform_kernel_scope();
Figure deform_kernel_conv_scope();
Figure global_deform_kernel_scope();
Figure cond_conv_experts();
Figure dcn_v3_groups();
Figure dcn_v4_groups();

// All of them, in the order of the document.
std::vector<Figure> all_figures();

// Writes them into a folder, which is made if there is none, with a line to `out` for each. An
// Error names what cannot be written.
void write_figures(const std::filesystem::path& folder, std::ostream& out);

}  // namespace pliant::figures
