# shellcheck shell=bash
# Sourced by tools/check-all: other compilers and other processors.

row clang "${programs[@]}" bench
clang() {  # warnings are errors here too
  cmake -S . -B build/clang -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DPLIANT_BENCH=ON \
    $(kernels_for_here) &&
    cmake --build build/clang || return 1
  counted_tests build/clang
  closing_line
}

tidied() {  # [OPTION] FILE...
  local options=()
  [[ $1 != --* ]] || { options=("$1"); shift; }
  printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/tidy --quiet \
    --warnings-as-errors='*' "${options[@]}" 2>/dev/null
}

row tidy "${programs[@]}" bench .clang-tidy
tidy() {
  cmake -S . -B build/tidy -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DPLIANT_BENCH=ON -DPLIANT_NATIVE=ON ||
    return 1
  local files status=0
  mapfile -t files < <(git ls-files 'core/*.cpp' 'autograd/*.cpp' 'layers/*.cpp' 'data/*.cpp')
  tidied "${files[@]}" >"$work/out" || status=$?
  local others
  mapfile -t others < <(git ls-files 'apps/*.cpp' 'bench/*.cpp' 'tests/*.cpp' ':!tests/consumer' \
    ':!tests/gpu_on_cpu')
  # What walks all paths through a function takes half of the time, and tests run most of them.
  tidied --checks='-clang-analyzer-*' "${others[@]}" >>"$work/out" || status=$?
  files+=("${others[@]}")
  grep -E ': (error|warning):' "$work/out" | sed "s#$clone/##" | sort -u >"$work/findings" || true
  cat "$work/findings"
  echo "${#files[@]} files, $(wc -l <"$work/findings") findings"
  return $status
}

# Libraries for another processor, unpacked into a folder: neither the system's packages nor its
# architectures change. aarch64_libraries FOLDER PACKAGE...
aarch64_libraries() {
  local folder=$1 apt deb
  shift
  mkdir -p "$folder"/{lists,cache/archives}/partial && : >"$folder/status" || return 1
  apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64
    -o Dir::State::Lists="$folder/lists" -o Dir::State::status="$folder/status"
    -o Dir::Cache="$folder/cache")
  "${apt[@]}" update || say "not every package list could be read"
  (cd "$folder" && "${apt[@]}" download "$@") || return 1
  for deb in "$folder"/*.deb; do dpkg-deb -x "$deb" "$folder" || return 1; done
}

row aarch64 "${library[@]}" tests/golden tests/conformance
aarch64() {  # another kind of processor, emulated: no SIMD of ours, weakly ordered memory
  if ! command -v apt-get >/dev/null; then
    echo "skipped: no apt-get to bring the libraries"
    return 0
  fi
  setup_packages "${aarch64_packages[@]}" || return 1
  local libraries=$work/aarch64 kind
  aarch64_libraries "$libraries" zlib1g zlib1g-dev libeigen3-dev nlohmann-json3-dev libcli11-dev \
    doctest-dev || return 1
  local options=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64
    -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_FIND_ROOT_PATH="$libraries")
  for kind in LIBRARY INCLUDE PACKAGE; do options+=(-DCMAKE_FIND_ROOT_PATH_MODE_$kind=ONLY); done
  cmake -S . -B build/aarch64 -G Ninja "${options[@]}" -DPLIANT_APPS=OFF &&
    cmake --build build/aarch64 --target pliant-conformance || return 1
  # Each precision and each number of threads once.
  aarch64_cases 1 f64 >"$work/f64" 2>&1 &
  aarch64_cases 2 f32 >"$work/f32" 2>&1 || { cat "$work/f32"; return 1; }
  wait $! || { cat "$work/f64"; return 1; }
  echo "golden cases, emulated: f64 on 1 thread: $(tail -n 1 "$work/f64"); f32 on 2: $(tail -n 1 "$work/f32")"
}
aarch64_cases() {  # THREADS DTYPE
  PLIANT_THREADS=$1 timeout 900 qemu-aarch64 -L /usr/aarch64-linux-gnu \
    build/aarch64/pliant-conformance --dtype "$2" --strict tests/golden
}

row cuda "${library[@]}" cuda apps bench tests/conformance
cuda() {  # .ci/run builds the tests too, for one of the two, and code for the host is of no matter here
  if ! command -v nvcc >/dev/null || ! compgen -G 'cuda/*.cu' >/dev/null; then
    echo "skipped: no nvcc, or no cuda/*.cu"
    return 0
  fi
  cmake --preset cuda -DCMAKE_CUDA_ARCHITECTURES='80;90' -DPLIANT_INSTRUCTION_SETS=baseline \
    -DPLIANT_HARDEN=OFF -DCMAKE_CXX_FLAGS_RELEASE='-O0 -DNDEBUG' &&
    cmake --build build/cuda --target pliant-mnist pliant-conformance pliant-cuda-bench &&
    echo "builds and links for sm_80 and sm_90"
}
