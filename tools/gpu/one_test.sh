#!/usr/bin/env bash
# One test case in a process of its own: one_test.sh once|again PROGRAM CASE LOGS. Again: with every
# launch waited for, so that the op that is to blame is named, and then under memcheck, where that is
# there; prints what is said of it first.
set -uo pipefail
how=$1 program=$2 case=$3 log=$4/$(printf %s "$3" | tr -c 'a-zA-Z0-9' _ | cut -c 1-120)
seconds=${PLIANT_TEST_SECONDS:-60}
pattern=$(printf %s "$case" | sed 's/,/\\,/g')  # a comma would be two patterns

passes() {  # LOG COMMAND...
  local log=$1 status=0
  shift
  timeout "$seconds" "$@" -tc="$pattern" >"$log" 2>&1 || status=$?
  ((status != 124)) || echo "no end within $seconds s" >>"$log"
  ((status == 0)) && grep -qE '[1-9][0-9]* passed' "$log"
}
if [[ $how == once ]]; then
  passes "$log.log" "$program" && echo "passed $case" || echo "FAILED $case"
  exit
fi
CUDA_LAUNCH_BLOCKING=1 passes "$log.blocking.log" "$program"
if command -v compute-sanitizer >/dev/null; then
  passes "$log.memcheck.log" compute-sanitizer --tool memcheck "$program"
fi
found=$(grep -hE 'ERROR|values: |c\.name :=|is lost|========= (Invalid|Error|Program hit)|no end within|failed:' \
  "$log.log" "$log.blocking.log" "$log.memcheck.log" 2>/dev/null | grep -v 'CHECK( failure.empty' |
  cut -c 1-300 | awk '!seen[$0]++' | head -n 6)
printf -- '-- %s\n%s\n' "$case" "$found"
