# shellcheck shell=bash
# Sourced by tools/check-all: what one release build shows, from the first program of a clean clone
# to the whole suite, its package and its pages.

programs=("${library[@]}" apps tests)

# The sums of all runners so far, as a finding.
closing_of() {
  local sums status=0
  sums=$(closing_line) || status=$?
  echo "$1: $sums"
  return $status
}

row first_step "${library[@]}" apps
first_step() {  # from a clean clone to a program that trains; its first step follows at once
  rm -rf build/release
  unset CMAKE_CXX_COMPILER_LAUNCHER CMAKE_C_COMPILER_LAUNCHER  # beside which headers are not precompiled
  local started=$SECONDS built
  CCACHE_DISABLE=1 build release pliant-mnist || return 1
  built=$((SECONDS - started))
  echo "pliant-mnist built in $built s on $(nproc) cores, without a compiler cache"
  ((built < 240))
}

# Some tests read docs/, too: those run at every change (tools/test).
row tests "${programs[@]}" cuda tools/test
tests() { tools/test; }

row threads "${programs[@]}"
threads() {  # the suite on one thread and on more threads than cores
  build release pliant-tests || return 1
  local count
  for count in 1 3 8; do PLIANT_THREADS=$count counted_tests build/release -R '^unit'; done
  closing_of "1, 3 and 8 threads"
}

row locale "${programs[@]}"
locale() {  # the suite where the decimal point is a comma and thousands have points
  build release pliant-tests && localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" || return 1
  LOCPATH=$work PLIANT_TEST_LOCALE=de_DE.UTF-8 counted_tests build/release -R '^unit'
  closing_of "in de_DE.UTF-8"
}

# A processor that has what every x86-64 has and nothing more.
oldest=(qemu-x86_64 -cpu 'qemu64,-pni,-cx16')

# The release build as `cmake` alone makes it: kernels for every processor.
whole_release() {
  cmake --preset release -DPLIANT_INSTRUCTION_SETS='baseline;avx2;avx512' && build release
}

row package "${programs[@]}" docs/operators.md
package() {  # the default build, installed and used; and a native one as a subproject
  local prefix=$work/prefix line status=0
  whole_release && cmake --install build/release --prefix "$prefix" >/dev/null || return 1
  if grep -rE --include='*.cmake' -- '-m(arch|tune|avx|prefer)' "$prefix"; then
    echo "the package hands on machine flags"
    return 1
  fi
  [[ -e $prefix/share/doc/pliant/docs/operators.md ]] || { echo "no docs/ installed"; return 1; }
  cmake -S tests/consumer -B build/consumer -G Ninja -DCMAKE_PREFIX_PATH="$prefix" &&
    cmake --build build/consumer && build/consumer/consumer && "${oldest[@]}" build/consumer/consumer &&
    cmake -S tests/consumer -B build/subproject -G Ninja -DPLIANT_SOURCE="$clone" -DPLIANT_NATIVE=ON &&
    cmake --build build/subproject && build/subproject/consumer || return 1
  line=$("${oldest[@]}" build/subproject/consumer 2>&1) || status=$?
  [[ $status == 1 && $line == "pliant: built for a processor with "* && $line != *$'\n'* ]] ||
    { echo "a native build, elsewhere: exit $status, '$line'"; return 1; }
  echo "find_package on any x86-64 and add_subdirectory work; a native build elsewhere refuses in a line"
}

row portable "${library[@]}" tests/golden tests/conformance
portable() {  # nothing but the kernels' own objects needs more than any x86-64 has; all sets compute
  whole_release && mkdir "$work/archive" && (cd "$work/archive" && ar x "$clone/build/release/libpliant.a") ||
    return 1
  local set tried= later
  rm "$work"/archive/avx*.o
  later='v[a-z]+[a-z0-9]*|andn|mulx|sarx|shlx|shrx|rorx|pext|pdep|bls[ir]|bextr|movbe|popcnt|lddqu|movddup'
  later+='|h(add|sub)p[sd]|pshufb|palignr|round[sp][sd]|p(insr|extr)[dq]|p?blendv[a-z]*|pmulld|ptest|pmov[sz]x[a-z]+'
  if objdump -d --no-show-raw-insn "$work"/archive/*.o | grep -E "%[yz]mm|^ *[0-9a-f]+:\s+($later)\s" |
    grep -vE '\sver[rw]\s' >"$work/out"; then
    head "$work/out"
    echo "instructions that not every x86-64 has"
    return 1
  fi
  # Who links the library may compile his own Eigen for his own machine.
  if nm -C "$work"/archive/*.o 2>/dev/null | grep -E ' [WVu] .*Eigen::' >"$work/out"; then
    head "$work/out"
    echo "functions of Eigen leave the library"
    return 1
  fi
  for set in baseline avx2 avx512; do
    [[ $set == baseline ]] || grep -qw "${set/avx512/avx512vl}" /proc/cpuinfo || continue
    PLIANT_INSTRUCTIONS=$set build/release/pliant-conformance --dtype f32 --strict tests/golden \
      >"$work/out" 2>&1 || { cat "$work/out"; return 1; }
    tried+=" $set"
  done
  "${oldest[@]}" build/release/pliant-conformance --dtype f32 --strict tests/golden >"$work/out" 2>&1 ||
    { cat "$work/out"; return 1; }
  echo "golden cases with:$tried, and on an emulated x86-64: $(tail -n 1 "$work/out")"
}

row hardening "${programs[@]}"
hardening() {  # of the programs, and of every object in the library
  whole_release || return 1
  local program found want missing=
  for program in build/release/pliant-{mnist,tests,conformance}; do
    found=$(readelf -hldWn "$program"; nm -D "$program")
    for want in 'Type: +DYN' 'INTERP' 'GNU_RELRO' 'FLAGS_1.*NOW.*PIE' 'GNU_STACK.* RW ' 'IBT, SHSTK' \
      '__stack_chk_fail' '_chk@'; do
      grep -qE -- "$want" <<<"$found" || missing+=" $program: $want;"
    done
  done
  missing+=$(readelf -nW build/release/libpliant.a 2>/dev/null |
    awk '/^File:/ {if (file && !marked) print " " file ";"; file = $2; marked = 0}
         /IBT, SHSTK/ {marked = 1} END {if (!marked) print " " file ";"}')
  echo "${missing:-PIE, full RELRO, stack protector, FORTIFY, IBT and SHSTK}"
  [[ -z $missing ]]
}

row bench "${library[@]}" apps bench
bench() {
  cmake -S . -B build/release -DPLIANT_BENCH=ON >/dev/null && cmake --build build/release || return 1
  [[ -x build/release/pliant-bench ]] || { echo "no benchmarks yet"; return 0; }
  build/release/pliant-bench --benchmark_min_time=0.01 >"$work/out" 2>"$work/err" ||
    { cat "$work/err"; return 1; }
  cat "$work/out"
  echo "$(grep -c '_\|/' "$work/out") benchmarks ran"
}

row report "${library[@]}" apps tools/check-report
report() {  # in a browser, if one can be had; screenshots are kept
  (setup_packages "${browser_packages[@]}") || say "no browser could be installed"
  tools/check-report --shots "$source_root/build/report-shots"
}

row tensorboard "${library[@]}" apps tools/checks/read_events.py
tensorboard() {  # event files, by TensorBoard's own reader
  setup_packages python3-venv
  build release pliant-train && python3 -m venv "$work/venv" || return 1
  if ! "$work/venv/bin/pip" install -q tensorboard; then
    echo "skipped: TensorBoard cannot be installed"
    return 0
  fi
  build/release/pliant-train --example --train-images 200 --size 28 --net lenet5 --epochs 2 \
    --out "$work/net.safetensors" --log "$work/figures" --tensorboard "$work/events" &&
    "$work/venv/bin/python" tools/checks/read_events.py "$work/events" "$work/figures"
}

row quota "${library[@]}"
quota() {  # of processor time, on a control group of our own where one can be made
  build release pliant || return 1
  local group found=
  for group in /sys/fs/cgroup/pliant-check-$$ /sys/fs/cgroup/cpu/pliant-check-$$ \
    /sys/fs/cgroup/cpu,cpuacct/pliant-check-$$; do
    mkdir "$group" 2>/dev/null || continue
    if [[ -w $group/cpu.max ]]; then
      echo '50000 100000' >"$group/cpu.max" && found=$group
    elif [[ -w $group/cpu.cfs_quota_us ]]; then
      echo 50000 >"$group/cpu.cfs_quota_us" && found=$group
    fi
    [[ -z $found ]] || break
    rmdir "$group"
  done
  if [[ -z $found ]]; then
    echo "skipped: no control group can be made here"
    return 0
  fi
  cat >"$work/threads.cpp" <<<'#include <pliant/core/parallel.h>
#include <cstdio>
int main() { std::printf("%d\n", pliant::thread_count()); }'
  c++ -std=c++20 -I include "$work/threads.cpp" build/release/libpliant.a -lpthread -lz \
    -lcurl -lcrypto -o "$work/threads" || { rmdir "$found"; return 1; }
  local without with
  without=$(env -u PLIANT_THREADS "$work/threads")
  with=$(bash -c 'echo $$ >"$0/cgroup.procs" && env -u PLIANT_THREADS "$1"' "$found" "$work/threads")
  rmdir "$found"
  echo "half a processor in $found: $with thread; $without without a quota"
  [[ $with == 1 ]]
}
