#include <pliant/apps/figures/figures.h>

#include <ostream>
#include <system_error>

#include <pliant/core/atomic_file.h>
#include <pliant/core/error.h>

namespace pliant::figures {

std::vector<Figure> all_figures() {
  return {deform_conv_v1(),
          deform_conv_v2(),
          boundaries(),
          map_offsets_field(),
          roi_align_points(),
          ps_roi_align_points(),
          roi_pool_cells(),
          ps_roi_pool_cells(),
          deform_roi_pool_v1(),
          deform_roi_pool_v2(),
          deform_kernel_scope(),
          deform_kernel_conv_scope(),
          global_deform_kernel_scope(),
          cond_conv_experts(),
          dcn_v3_groups(),
          dcn_v4_groups()};
}

void write_figures(const std::filesystem::path& folder, std::ostream& out) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  require(!failure, "--out: cannot make the folder ", folder.string(), ": ",
          reason_of(failure.value()));
  for (const Figure& figure : all_figures()) {
    AtomicFile file("--out", folder / (figure.name + ".svg"));
    file.write(figure.svg);
    file.commit();
    out << figure.name << ": " << figure.summary << '\n';
  }
}

}  // namespace pliant::figures
