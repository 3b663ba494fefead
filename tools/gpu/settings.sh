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
programs=(pliant-tests pliant-conformance pliant-mnist pliant-cuda-bench)
deps=${PLIANT_DEPS:-.deps}
[[ -d $deps || ! -d $carry/deps ]] || deps=$carry/deps
skipped=3  # exit status of a step that has nothing to run
export PLIANT_NEEDS_GPU=1  # a test that finds no GPU fails

# CUDA's programs may lie where no PATH leads, and cuDNN, cuBLASLt and NVRTC in the Python
# environment.
cuda_home=${CUDA_HOME:-/usr/local/cuda}
for tools_of_cuda in "$cuda_home"/{bin,compute-sanitizer} /opt/nvidia/nsight-compute/*; do
  [[ ! -d $tools_of_cuda ]] || PATH=$PATH:$tools_of_cuda
done
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
  local others
  others=$(python_libraries)
  export LD_LIBRARY_PATH=$cuda_home/lib64${others:+:$others}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# Why programs in a folder do not start here: the libraries that are not found.
not_found() {  # FOLDER
  { ldd "${programs[@]/#/$1/}" 2>&1 || true; } | sed -n 's/^[ \t]*\(.*not found.*\)/\1/p' | sort -u | tr '\n' ' '
}

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
    timeout 20 nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 || true
  fi
}
driver_version() {
  timeout 20 nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1 || true
}
source_name() { echo "${PLIANT_COMMIT:-$(git describe --always --dirty 2>/dev/null || echo unknown)}"; }
# Of what the programs were built.
commit_name() {
  if [[ $(program_folder) == "$carry/bin" ]]; then cat $carry/commit; else source_name; fi
}
