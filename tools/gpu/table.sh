# shellcheck shell=bash
# What the steps have found, as a table and as JSON.

# One row for each step: name, result, finding, seconds and commit, between tabs.
rows() {  # STEP...
  local name
  for name in "$@"; do
    cat "$state/$name.row" 2>/dev/null || printf '%s\tnot run yet\t\t\t\n' "$name"
  done
}

# Predicted figures beside measured ones, as far as they are there.
figures() {
  local source case field predicted measured
  while IFS=$'\t' read -r source case field predicted; do
    measured=$(figure "$state/$source.json" "$case" "$field")
    [[ -z $measured ]] || awk -v OFS=' | ' -v n="$source: $case" -v f="$field" -v p="$predicted" \
      -v m="$measured" 'BEGIN { print "| " n, f, p, sprintf("%.4g", m), sprintf("%.2f", m / p) " |" }'
  done <"$tools/predictions.tsv"
}
# FILE CASE FIELD: of JSON with a line for each field of a case.
figure() {
  awk -v name="\"$2\"" -v field="\"$3\":" 'BEGIN { FS = ": " }
    /"case": / { value = $0; sub(/^[^:]*: /, "", value); sub(/,? *$/, "", value); here = value == name }
    here && index($0, field) { value = $2; sub(/[,}].*/, "", value); print value; exit }' "$1" 2>/dev/null || true  # or there is none
}

# What is looked for first: what failed, then the steps, then the figures.
summary() {  # STEP...
  printf '# %s\n\nLast results of `tools/gpu-check` and `tools/gpu-slot` (driver %s).\n' "$gpu" "$driver"
  printf 'What a step said is NAME.log of logs.tar.gz, what a test said lies in its logs/.\n\n'
  rows "$@" | awk -F '\t' '$2 == "FAILED" { print "- FAILED " $1 ": " $3; some = 1 } END { if (some) print "" }'
  printf '| step | result | finding | seconds | commit |\n|---|---|---|---:|---|\n'
  rows "$@" | sed 's/|/,/g; s/\t/ | /g; s/^/| /; s/$/ |/'
  printf '\nPredicted before the first run, and measured:\n\n'
  printf '| case | of | predicted | measured | measured / predicted |\n|---|---|---:|---:|---:|\n'
  figures
}

file_of_results() { echo "$results/$(tr 'A-Z' 'a-z' <<<"$gpu" | tr -cs 'a-z0-9\n' -)"; }
files_of_results() { echo "$(file_of_results).md, .json, logs.tar.gz"; }

# STEP...: to $results/<gpu>.md and .json
write_table() {
  local file name sep=
  file=$(file_of_results)
  {
    summary "$@"
    for name in "$state"/ratios*.md; do
      [[ ! -e $name ]] || { printf '\n' && cat "$name"; }
    done
  } >"$file.md"
  {
    printf '{"gpu": "%s", "driver": "%s", "steps": [' "$gpu" "$driver"
    rows "$@" | sed 's/\\/\\\\/g; s/"/\\"/g' | awk -F '\t' '{
      printf "%s\n  {\"step\": \"%s\", \"result\": \"%s\", \"finding\": \"%s\", \"seconds\": %d, \"commit\": \"%s\"}",
             sep, $1, $2, $3, $4, $5; sep = ","}'
    printf '],\n"figures": {'
    for name in "$state"/{bench,ratios,training}*.json; do
      [[ ! -e $name ]] || { printf '%s\n"%s": ' "$sep" "$(basename "$name" .json)" && cat "$name" && sep=,; }
    done
    printf '}}\n'
  } >"$file.json"
}

# All that was said, in one file: what comes back from another machine should be few.
pack_logs() {
  tar czf "$results/logs.tar.gz" -C "$state" --exclude='*.safetensors' --exclude=logs.tar.gz \
    --exclude=./digits .
}
