# shellcheck shell=bash
# Runs steps one after the other, each under a time limit, and keeps what they found: sourced with
# settings.sh.
source "$tools/table.sh"

# What a rehearsal finds is no result of a machine's.
[[ -z $dry || -n ${PLIANT_GPU_RESULTS:-} ]] || results=$state
mkdir -p "$state" "$results"
failed=0 ran=0
commit=$(commit_name)
gpu=$(gpu_name)
driver=$(driver_version)
[[ -n $gpu ]] || gpu="no GPU" results=$state  # of the build alone

# NAME SECONDS STEP...: runs NAME; the table holds all STEPs.
run_step() {
  local name=$1 limit=$2 started=$SECONDS status=0 result finding
  shift 2
  printf -- '== %s\n' "$name"
  timeout -k 5 "$limit" "$tools/step.sh" "$name" >"$state/$name.log" 2>&1 || status=$?
  finding=$(tail -n 1 "$state/$name.log" | tr '\t' ' ' | tr -d '\000-\037')
  case $status in
    0) result=passed ;;
    "$skipped") result=skipped ;;
    *)
      result=FAILED
      tail -n 60 "$state/$name.log"
      ((status == 124 || status == 137)) && finding="over $limit s: $finding"
      finding="exit $status: $finding"
      ((failed += 1))
      ;;
  esac
  ((ran += 1))
  printf '%s\t%s\t%s\t%d\t%s\n' "$name" "$result" "$finding" $((SECONDS - started)) "$commit" \
    >"$state/$name.row"
  cat "$state/$name.row"
  # At once, so that an interrupt loses nothing.
  write_table "$gpu" "$driver" "$@" >/dev/null
  pack_logs
  [[ $result != FAILED ]]
}
# NAME WHY STEP...: instead of it.
skip_step() {
  local name=$1 why=$2
  shift 2
  printf '%s\tskipped\t%s\t0\t%s\n' "$name" "$why" "$commit" >"$state/$name.row"
  cat "$state/$name.row"
  write_table "$gpu" "$driver" "$@" >/dev/null
}
finish() {  # STEP...
  printf '\n'
  cat "$(write_table "$gpu" "$driver" "$@")"
  printf '\n%d steps run, %d failed\n' "$ran" "$failed"
  ((failed == 0))
}
