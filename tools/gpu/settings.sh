# shellcheck shell=bash
# Sourced by tools/gpu-check, tools/gpu-slot and what they start: where programs, results and
# libraries lie, and what the machine is.
#
#   PLIANT_GPU_BUILD     build folder (build/cuda; in a rehearsal build/gpu_on_cpu)
#   PLIANT_GPU_RESULTS   where tables, figures and logs go ($OUT, else bench/results)
#   PLIANT_GPU_STATE     what steps have found so far (build/gpu-steps)
#   PLIANT_DEPS          folder with the libraries that the system lacks (.deps)
#   PLIANT_DATA          folder with the files of MNIST (of the archive, where it has them)
#   PLIANT_COMMIT        what the sources are, where there is no repository
#   PLIANT_DRY=1         a rehearsal with the CPU in the place of a GPU
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"
cd "$root"

dry=${PLIANT_DRY:+yes}
folder=${PLIANT_GPU_BUILD:-build/${dry:+gpu_on_cpu}}
[[ $folder != build/ ]] || folder=build/cuda
results=${PLIANT_GPU_RESULTS:-${OUT:-bench/results}}
state=${PLIANT_GPU_STATE:-build/gpu-steps${dry:+-rehearsed}}
carry=.carry
deps=${PLIANT_DEPS:-.deps}
[[ -d $deps || ! -d $carry/deps ]] || deps=$carry/deps
skipped=3  # exit status of a step that has nothing to run
export PLIANT_NEEDS_GPU=1  # a test that finds no GPU fails

# nvcc may lie where no PATH leads, and cuDNN, cuBLASLt and NVRTC in the Python environment.
cuda_home=${CUDA_HOME:-/usr/local/cuda}
PATH=$PATH:$cuda_home/bin
python_libraries() {
  python3 - <<'END' 2>/dev/null || true
import importlib.util, os
cudnn = importlib.util.find_spec("nvidia.cudnn").submodule_search_locations[0]
beside = os.path.dirname(cudnn)
folders = [cudnn] + [os.path.join(beside, name) for name in sorted(os.listdir(beside))]
print(":".join(os.path.join(f, "lib") for f in folders if os.path.isdir(os.path.join(f, "lib"))))
END
}
libraries() {
  LD_LIBRARY_PATH=$root/$carry/bin:$cuda_home/lib64:$(python_libraries):${LD_LIBRARY_PATH:-}
  export LD_LIBRARY_PATH
}

# Why a carried program does not start here: the libraries that are not found.
not_found() { { ldd "$1" 2>&1 || true; } | sed -n 's/^[ \t]*\(.*not found.*\)/\1/p' | tr '\n' ' '; }

# The folder of the programs: of the build folder where they were built, else carried ones.
program_folder() {
  if [[ -z $dry && ! -x $folder/pliant-tests && -x $carry/bin/pliant-tests ]]; then
    echo "$carry/bin"
  else
    echo "$folder"
  fi
}

gpu_name() {
  if [[ -n $dry ]]; then
    echo "the CPU in the place of a GPU"
  else
    nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 || true
  fi
}
driver_version() {
  nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1 || true
}
commit_name() {
  local carried
  carried=$(cat $carry/commit 2>/dev/null || echo unknown)
  echo "${PLIANT_COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || echo "$carried")}"
}
