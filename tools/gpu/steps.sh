# shellcheck shell=bash
# The steps of tools/gpu-check and tools/gpu-slot. A step is a function that prints its finding as the
# last line; its exit status judges it. One runs as `step.sh NAME`, under a time limit.

# ---- programs ----

deps() {  # headers and static libraries, unpacked and not installed
  local package downloads packages=(libeigen3-dev zlib1g-dev doctest-dev nlohmann-json3-dev
                                    libcli11-dev libpng-dev libjpeg62-turbo-dev)
  mkdir -p "$deps"
  downloads=$(mktemp -d)
  (cd "$downloads" && apt-get download -qq "${packages[@]}")
  for package in "$downloads"/*.deb; do dpkg -x "$package" "$deps"; done
  rm -rf "$downloads" "$deps/usr/share/doc"
  find "$deps" \( -xtype l -o -lname '/*' \) -delete  # links to what other packages hold
  echo "${#packages[@]} libraries in $deps, $(du -sh "$deps" | cut -f 1)"
}
build() {
  cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPLIANT_CUDA=ON \
    -DPLIANT_WERROR=OFF -DPLIANT_DEPS="$(realpath -m "$deps")" &&
    cmake --build "$folder" --target "${programs[@]}" &&
    echo "nvcc $(nvcc --version | sed -n 's/.*release \([^,]*\).*/\1/p'), $(cxx_of_build)"
}
cxx_of_build() {
  "$(sed -n 's/^CMAKE_CXX_COMPILER:.*=//p' "$folder/CMakeCache.txt")" --version | head -n 1
}

# What the machine is, and that the programs start there. Without them none of the rest has a point.
facts() {
  nvidia-smi || true
  local tool lacking
  for tool in nvcc ncu compute-sanitizer python3; do
    printf '%s: ' "$tool"
    { command -v "$tool" && "$tool" --version | tail -n 1; } || echo no
  done
  python3 -c 'from importlib.metadata import distributions
print(*sorted(d.name + " " + d.version for d in distributions() if d.name.startswith(("torch", "nvidia-"))))' || true
  lacking=$(not_found "$bin")
  if [[ -n $lacking ]]; then
    echo "$bin: the programs do not start: $lacking"
    return 1
  fi
  "$bin/pliant-tests" -ltc -tc='cuda*' >/dev/null || return 1
  echo "$(gpu_name), driver $(driver_version), $(nproc) cores, programs of $bin"
}

# ---- tests ----

smoke() {
  "$bin/pliant-cuda-bench" --cases copy --samples 5 &&
    "$bin/pliant-cuda-bench" --cases "${smoke_case}" --samples 1 && return
  CUDA_LAUNCH_BLOCKING=1 "$bin/pliant-cuda-bench" --cases "${smoke_case}" --samples 1 || true
  has compute-sanitizer &&
    compute-sanitizer "$bin/pliant-cuda-bench" --cases "${smoke_case}" --samples 1 || true
  return 1
}

# Every test case that needs a GPU in a process of its own, in memory that is NaN at first. Those that
# fail run again when all have run, as long as there is time: first all that can be known of the rest.
tests() {
  local summary=$logs/tests.txt
  empty "$logs/tests"
  names_of "$tests" | one_by_one once | tee "$summary"
  judge "$summary" && return
  sed -n 's/^FAILED //p' "$summary" | one_by_one again >"$logs/tests-again.txt"
  cat "$logs/tests-again.txt"
  judge "$summary"
}
names_of() {
  "$bin/pliant-tests" -ltc -tc="$1" | sed '/^\[doctest\]/d;/^=*$/d'
}
one_by_one() {  # once|again, of the names in the input
  tr '\n' '\0' | PLIANT_GPU_POISON=1 PLIANT_TEST_SECONDS=$test_seconds \
    xargs -0 -P "$jobs" -I{} "$tools/one_test.sh" "$1" "$bin/pliant-tests" {} "$logs/tests"
}
empty() { rm -rf "$1" && mkdir -p "$1"; }  # an earlier call's logs would be taken for this one's
# The sums of a list of "passed NAME" and "FAILED NAME", with some of the latter; nothing passed is a
# failure too.
judge() {
  awk '
    /^passed / { passed++ }
    /^FAILED / { if (++failed <= 5) names = names "; " substr($0, 8) }
    END {
      printf "%d passed, %d failed%s%s\n", passed, failed, names, (failed > 5 ? "; ..." : "")
      exit (failed > 0 || passed == 0)
    }' "$1"
}

# Golden cases in both precisions, side by side.
conformance() {
  mkdir -p "$logs"
  local dtype running=() status=0 process
  for dtype in f64 f32; do
    "$bin/pliant-conformance" --device cuda --strict --dtype $dtype tests/golden \
      >"$logs/conformance-$dtype.log" 2>&1 &
    running+=($!)
  done
  for process in "${running[@]}"; do wait "$process" || status=1; done
  local found=
  for dtype in f64 f32; do
    head -n 20 "$logs/conformance-$dtype.log"  # behind a fault the rest fails too
    found+="${found:+; }$dtype: $(tail -n 1 "$logs/conformance-$dtype.log")"
    grep -qE '(^|[^0-9])[1-9][0-9]* passed' "$logs/conformance-$dtype.log" || status=1
  done
  echo "$found"
  return $status
}

# ---- sanitizers ----

# TOOL, then "TEST|CASE" lines: our own kernels alone, four processes at a time.
sanitizer() {
  local tool=$1 summary=$logs/$1.txt around=(env)  # nothing, in a rehearsal
  empty "$logs/$tool"
  if [[ -z $dry ]]; then
    local probe refusals='device not supported|unable to attach|not permitted'
    has compute-sanitizer || { echo "no compute-sanitizer here" && return $skipped; }
    probe=$(compute-sanitizer "$bin/pliant-cuda-bench" --cases copy --samples 1 2>&1 || true)
    grep -iE -m 1 "$refusals" <<<"$probe" && return $skipped
    around=(compute-sanitizer --tool "$tool" --error-exitcode 9)
    # Not cuDNN's kernels and cuBLASLt's, where this version can choose.
    ! compute-sanitizer --help 2>&1 | grep -q -e --kernel-name || around+=(--kernel-name kns=run_)
  fi
  tr '\n' '\0' | xargs -0 -P "$jobs" -I{} bash -c '
    test=${1%%|*} PLIANT_CASES=${1#*|}
    export PLIANT_CASES
    log=$3/$(printf %s "$1" | tr -c a-zA-Z0-9 _ | cut -c 1-90).log
    if timeout "$5" "${@:6}" "$4" -tc="${test//,/\\,}" >"$log" 2>&1 &&
        grep -qE "assertions: +[1-9]" "$log"; then
      echo "passed $1"
    else
      echo "FAILED $1"
    fi' one {} "$tool" "$logs/$tool" "$bin/pliant-tests" "$sanitizer_seconds" "${around[@]}" |
    tee "$summary"
  judge "$summary"
}
memcheck() { sanitizer memcheck <"$tools/sanitized_cases.txt"; }
initcheck() { sanitizer initcheck <"$tools/sanitized_cases.txt"; }
racecheck() { grep -E '\|(sum along many|argmax|cumsum|deform_conv2d: 3x3)' "$tools/sanitized_cases.txt" | sanitizer racecheck; }

# ---- training ----

determinism() {
  local name
  for name in one two; do
    "$bin/pliant-mnist" train --device cuda --out "$state/$name.safetensors" --deform dcn2 --scaled \
      --train-images "$images" --epochs 1 || return 1
  done
  cmp "$state/one.safetensors" "$state/two.safetensors" && echo "two runs, the same weights bit for bit"
}
mnist() {  # the whole table of the standard preset, from the start of the process
  local started=$SECONDS
  "$bin/pliant-mnist" --preset standard --device cuda --json "$state/mnist.json" &&
    echo "preset standard in $((SECONDS - started)) s"
}
to_99() {  # one process, the pictures read from their files and the net written
  local json=$state/to_99.json said=$state/to_99.said started=$EPOCHREALTIME ended
  "$bin/pliant-mnist" train --device cuda --precision tf32 --epochs "$epochs" --batch "$batch" \
    --out "$state/to_99.safetensors" --json "$json" | tee "$said" || return 1
  ended=$EPOCHREALTIME
  if [[ -z $dry ]] && grep -q 'NOT MNIST' "$said"; then
    echo "no MNIST here (PLIANT_DATA)"
    return $skipped
  fi
  awk -v begin="$started" -v end="$ended" -v dry="$dry" -v figures="$state/training.json" -F '[:,]' '
    /"mnist":/ { right = $2 }
    END {
      printf "{\"cases\": [\n {\n  \"case\": \"%d epochs on MNIST, whole process\",\n  \"s\": %.2f,\n  \"accuracy\": %s\n }\n]}\n",
             '"$epochs"', end - begin, right >figures
      printf "%.2f %% of the test set, %.2f s from the start of the process to its end\n", 100 * right, end - begin
      exit !(right >= 0.99 || dry)
    }' "$json"
}
# Pictures of nothing, in MNIST's files: a rehearsal needs no more.
make_digits() {  # FOLDER
  mkdir -p "$1"
  local part i
  for part in train t10k; do
    { printf '\0\0\010\003\0\0\0\040\0\0\0\034\0\0\0\034' && printf '%08d' {1..3136}; } \
      >"$1/$part-images-idx3-ubyte"
    { printf '\0\0\010\001\0\0\0\040' && for i in {0..31}; do printf "\\x$((i % 10))"; done; } \
      >"$1/$part-labels-idx1-ubyte"
  done
}

# ---- speed ----

bench() { measure bench "$bench_cases"; }
bench_tf32() { measure bench_tf32 "$bench_cases" --precision tf32; }
bench_bfloat16() { measure bench_bfloat16 "$bench_cases" --precision bfloat16; }
# float32 convolutions by products of columns, beside cuDNN's engines in `bench`.
bench_columns() { measure bench_columns "$columns_cases" --convolution columns; }
measure() {  # NAME CASES OPTIONS
  "$bin/pliant-cuda-bench" --json "$state/$1.json" --cases "$2" "${@:3}" ${dry:+--samples 1} &&
    echo "$(grep -c '"case"' "$state/$1.json") cases"
}

ratios() {
  compare ratios --rounds 1 --precision full
}
ratios_mixed() {
  compare ratios_mixed --rounds 1 --precision tf32 bfloat16 --cases deform_conv2d 'training step'
}
ratios_atomic() {
  compare ratios_atomic --rounds 1 --cases 'deform_conv2d v2' --scatter atomic
}
compare() {  # NAME OPTIONS: ours once more, beside theirs
  python3 bench/compare_cuda.py "$bin/pliant-cuda-bench" "${@:2}" ${dry:+"${dry_compare[@]}"} \
    --json "$state/$1-PRECISION.json"
}

# What our kernels take, by events around each launch: works where no profiler does.
trace() {
  local name
  PLIANT_GPU_TRACE=$state/trace-deform.tsv "$bin/pliant-cuda-bench" --samples "$samples" \
    --cases "${trace_case}" || return 1
  PLIANT_GPU_TRACE=$state/trace-step.tsv "$bin/pliant-cuda-bench" --samples "$samples" \
    --cases "${trace_step}" || return 1
  for name in deform step; do
    column -t -s $'\t' "$state/trace-$name.tsv" || cat "$state/trace-$name.tsv"
  done
  echo "longest: $(sed -n 2p "$state/trace-deform.tsv" | cut -f 1,2,6 | tr '\t' ' ') us, in a step $(sed -n 2p "$state/trace-step.tsv" | cut -f 1,2,6 | tr '\t' ' ') us"
}

# Kernels are run_each<... of the function that they are written in ...>.
profiles() {
  if ! has ncu; then
    echo "no ncu here"
    return $skipped
  fi
  local kernel cases good=0
  for kernel in gather_columns gather_lists each_dots moments_of_runs batch_data_gradient; do
    case $kernel in
      moments* | batch*) cases='training step, regular net, batch 1024' ;;
      *) cases='deform_conv2d v2 8x56x56x128 fwd+bwd' ;;
    esac
    timeout 20 ncu --clock-control none --kernel-name-base demangled -k "regex:$kernel" \
      --launch-skip 3 --launch-count 1 --kill yes --section SpeedOfLight --section MemoryWorkloadAnalysis \
      --section Occupancy --section LaunchStats --section WarpStateStats \
      "$bin/pliant-cuda-bench" --cases "$cases" --samples 1 >"$state/ncu-$kernel.txt" 2>&1 || true
    cat "$state/ncu-$kernel.txt"
    grep -q 'Duration' "$state/ncu-$kernel.txt" && ((good += 1))
  done
  echo "$good of 5 kernels"
  ((good > 0)) || return $skipped
}

has() { command -v "$1" >/dev/null; }
