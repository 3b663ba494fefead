# shellcheck shell=bash
# Sourced by the commands that run tests: sums what they count into one closing line.

total_passed=0 total_failed=0 total_skipped=0

# counted NAME COMMAND...: runs it, shows its output and adds the counts it closes with: doctest's
# summary, or a line `N passed, M failed[, K skipped]`. A command that fails or dies without
# counting a failure counts as one.
counted() {
  local name=$1 log status=0 line passed=0 failed=0 skipped=0
  shift
  printf -- '-- %s\n' "$name"
  log=$(mktemp)
  "$@" 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
  line=$(grep -E '^(\[doctest\] test cases:|[a-z]*:? ?[0-9]+ passed, [0-9]+ failed)' "$log" | tail -n 1) || true
  rm -f "$log"
  if [[ $line =~ ([0-9]+)\ passed ]]; then passed=${BASH_REMATCH[1]}; fi
  if [[ $line =~ ([0-9]+)\ failed ]]; then failed=${BASH_REMATCH[1]}; fi
  if [[ $line =~ ([0-9]+)\ skipped ]]; then skipped=${BASH_REMATCH[1]}; fi
  if [[ -z $line ]] || (( status != 0 && failed == 0 )); then
    printf 'pliant: %s ended with exit %d and counted no failure: counts as one\n' "$name" "$status"
    (( failed += 1 ))
  fi
  (( total_passed += passed, total_failed += failed, total_skipped += skipped )) || true
}

# check NAME COMMAND...: one check, judged by its exit status.
check() {
  local name=$1
  shift
  printf -- '-- %s\n' "$name"
  if "$@"; then
    (( total_passed += 1 ))
  else
    printf 'pliant: failed: %s\n' "$name"
    (( total_failed += 1 ))
  fi
}

# skip NAME REASON
skip() {
  printf -- '-- %s: skipped, %s\n' "$1" "$2"
  (( total_skipped += 1 ))
}

# The last line; exit status 0 only if something passed and nothing failed.
closing_line() {
  printf '%d passed, %d failed, %d skipped\n' "$total_passed" "$total_failed" "$total_skipped"
  (( total_failed == 0 && total_passed > 0 ))
}
