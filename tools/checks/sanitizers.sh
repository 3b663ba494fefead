# shellcheck shell=bash
# Sourced by tools/check-all: builds that look for what a correct result hides.

row asan "${programs[@]}"
asan() {  # overruns, leaks, undefined behaviour, integers that change their value, assertions
  cmake --preset asan && cmake --build build/asan || return 1
  counted_tests build/asan
  closing_line
}

row faults "${programs[@]}"
faults() {  # every allocation, write and limit, with leaks looked for; 200 stops of the program
  build asan pliant-faults && build release pliant-faults pliant-tests || return 1
  local job status=0 jobs=() options=(--no-skip --success=false)
  build/asan/pliant-faults "${options[@]}" >"$work/asan" 2>&1 & jobs+=($!)
  {
    build/release/pliant-faults "${options[@]}" &&
      build/release/pliant-tests --no-skip -tc='resume*all*'
  } >"$work/release" 2>&1 & jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job" || status=1; done
  cat "$work/asan" "$work/release"
  sed -nE 's/.*: ([0-9]+) failures, ([0-9]+) leaks?, ([0-9]+) change.*/\1 \2 \3/p' "$work/asan" "$work/release" |
    awk '{failed += $1; leaked += $2; changed += $3}
         END {printf "%d failures, %d leaks, %d changes; ", failed, leaked, changed}'
  grep -hoE '[0-9]+ stops by' "$work/release" | sed 's/ by$/ and starts anew/'
  return $status
}

row tsan "${programs[@]}"
tsan() {  # golden cases in one precision: both are cut among threads alike
  cmake --preset tsan && cmake --build build/tsan || return 1
  PLIANT_THREADS=4 counted_tests build/tsan -E '^conformance-f64$'
  closing_line
}

row fuzz "${programs[@]}" tools/fuzz
fuzz() {  # a minute a target
  tools/fuzz 60 >"$work/out" 2>&1
  local status=$?
  cat "$work/out"
  grep -E ' runs in .* s,|FOUND' "$work/out" | sed -E 's/ in [0-9]+ s, nothing found//' | paste -sd ';'
  return $status
}

row gpu_on_cpu "${programs[@]}" cuda bench tools/gpu tools/gpu-slot
gpu_on_cpu() {  # the CUDA half with the CPU in the place of a GPU, on AddressSanitizer
  if ! command -v nvcc >/dev/null; then
    echo "skipped: no CUDA headers"
    return 0
  fi
  local folder=build/gpu_on_cpu half
  # By g++, which can clear the padding of a closure.
  cmake -S . -B $folder -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPLIANT_NATIVE=ON -DPLIANT_WERROR=OFF \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO='-O1 -g1 -D_GLIBCXX_ASSERTIONS' -DPLIANT_SANITIZE=address \
    -DPLIANT_CUDA=ON -DPLIANT_GPU_ON_CPU=ON &&
    cmake --build $folder --target pliant-tests pliant-conformance pliant-mnist pliant-cuda-bench || return 1
  counted_tests $folder -R '^unit'
  # With the golden cases, and all that is done where a GPU is lent.
  for half in one two; do
    check "a rehearsal of gpu-slot $half" env PLIANT_DRY=1 PLIANT_GPU_STATE="$work/slot" tools/gpu-slot $half
  done
  closing_line
}
