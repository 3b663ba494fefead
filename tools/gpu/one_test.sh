#!/usr/bin/env bash
# One test case in a process of its own: one_test.sh PROGRAM CASE LOGS. One that fails runs again with
# every launch waited for, so that the op that is to blame is named, and then under memcheck, where
# that is there.
set -uo pipefail
program=$1 case=$2 logs=$3
seconds=${PLIANT_TEST_SECONDS:-60}
name=$(printf %s "$case" | tr -c 'a-zA-Z0-9' _ | cut -c 1-70)
pattern=$(printf %s "$case" | sed 's/,/\\,/g')  # a comma would be two patterns

once() {  # LOG COMMAND...
  local log=$logs/$name.$1
  shift
  timeout "$seconds" "$@" -tc="$pattern" >"$log" 2>&1 && grep -qE '[1-9][0-9]* passed' "$log"
}
if once log "$program"; then
  echo "passed $case"
  exit
fi
echo "FAILED $case"
CUDA_LAUNCH_BLOCKING=1 once blocking.log "$program"
if command -v compute-sanitizer >/dev/null; then
  once memcheck.log compute-sanitizer --tool memcheck "$program"
fi
exit 0
