# shellcheck shell=bash
# Sourced by the commands that run tests: sums what they count into one closing line.

total_passed=0 total_failed=0 total_skipped=0

# What runners close with: doctest's summary, or a line `N passed, M failed[, K skipped]`.
counts='^(\[doctest\] test cases:|[a-z]*:? ?[0-9]+ passed, [0-9]+ failed)'

# count_lines NAME STATUS: adds up the closing lines in the input. What ended with an exit status
# other than 0 without counting a failure counts as one.
count_lines() {
  local line lines=0 failed=0
  while IFS= read -r line; do
    (( lines += 1 ))
    if [[ $line =~ ([0-9]+)\ passed ]]; then (( total_passed += BASH_REMATCH[1] )) || true; fi
    if [[ $line =~ ([0-9]+)\ failed ]]; then (( failed += BASH_REMATCH[1] )) || true; fi
    if [[ $line =~ ([0-9]+)\ skipped ]]; then (( total_skipped += BASH_REMATCH[1] )) || true; fi
  done
  if (( lines == 0 || ($2 != 0 && failed == 0) )); then
    printf 'pliant: %s ended with exit %d and counted no failure: counts as one\n' "$1" "$2"
    (( failed += 1 ))
  fi
  (( total_failed += failed )) || true
}

# counted NAME COMMAND...: runs it, shows its output and adds the counts it closes with.
counted() {
  local name=$1 log status=0
  shift
  printf -- '-- %s\n' "$name"
  log=$(mktemp)
  "$@" 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
  count_lines "$name" "$status" < <(grep -E "$counts" "$log" | tail -n 1)
  rm -f "$log"
}

# counted_tests FOLDER [OPTION...]: the tests of a build by ctest, as many at once as there are
# cores, with the counts of all its runners; the output of those that fail is shown.
counted_tests() {
  local folder=$1 status=0 log=$1/Testing/Temporary/LastTest.log
  shift
  rm -f "$log"
  ctest --test-dir "$folder" --no-tests=error -j "$(nproc)" --output-on-failure "$@" || status=$?
  count_lines "ctest" "$status" < <(grep -hE "$counts" "$log")
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
