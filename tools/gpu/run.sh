# shellcheck shell=bash
# Runs steps one after the other, each under a time limit, and keeps what they found: sourced with
# settings.sh.
source "$tools/table.sh"

# What a rehearsal finds is no result of a machine's.
[[ -z $dry || -n ${PLIANT_GPU_RESULTS:-} ]] || results=$state
mkdir -p "$state" "$results"
failed=0 ran=0 session=
gpu=$(gpu_name)
driver=$(driver_version)
[[ -n $gpu ]] || gpu="no GPU" results=$state  # of the build alone

# Nothing that a step has started goes on beside the next one: time limits within it have process
# groups of their own, so all that belongs to its session ends.
end_session() {
  local process stat fields
  for process in /proc/[0-9]*; do
    { read -r stat <"$process/stat"; } 2>/dev/null || continue
    read -ra fields <<<"${stat##*) }"  # behind the name: state, parent, group, session
    [[ ${fields[3]:-} != "$session" ]] || kill -KILL "${process#/proc/}" 2>/dev/null || true
  done
}
bounded() {  # SECONDS COMMAND...
  local status=0
  setsid timeout -k 5 "$@" &
  session=$!
  wait "$session" || status=$?
  end_session
  return $status
}
trap '[[ -z $session ]] || end_session; exit 130' INT TERM

# NAME SECONDS STEP...: runs NAME; the table holds all STEPs.
run_step() {
  local name=$1 limit=$2 started=$SECONDS status=0 result finding
  shift 2
  printf -- '== %s\n' "$name"
  bounded "$limit" "$tools/step.sh" "$name" >"$state/$name.log" 2>&1 || status=$?
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
  keep_row "$name" "$result" "$finding" $((SECONDS - started)) "$@"
  pack_logs
  [[ $result != FAILED ]]
}
# NAME WHY STEP...: instead of it.
skip_step() { keep_row "$1" skipped "$2" 0 "${@:3}"; }
# At once in the table, so that an interrupt loses nothing.
keep_row() {  # NAME RESULT FINDING SECONDS STEP...
  printf '%s\t%s\t%s\t%d\t%s\n' "${@:1:4}" "$(commit_name)" | tee "$state/$1.row"
  write_table "${@:5}"
}
finish() {  # STEP...
  printf '\n'
  summary "$@"
  printf '\n%d steps run, %d failed; %s\n' "$ran" "$failed" "$(files_of_results)"
  ((failed == 0))
}
