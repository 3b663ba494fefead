# shellcheck shell=bash
# Sourced by tools/check-all: trainings on several ranks that are killed, and one that is cut in two.

on_ranks() {  # RANKS WORDS...: by mpirun, a thread each
  local count=$1
  shift
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
    OMPI_MCA_hwloc_base_binding_policy=none PLIANT_THREADS=1 mpirun -n "$count" "${@}"
}

# A training on three ranks, one of which is killed at a random moment, gone on with on one to four.
killed_once() {  # PROGRAM STEPS WANTED
  local file=$work/ranks.checkpoint victim
  rm -f "$file"
  on_ranks 3 "$1" "$2" "$file" >"$work/killed" 2>&1 &
  local job=$!
  sleep "0.$(printf %03d $((RANDOM % 900)))"
  victim=$(pgrep -f "^$1 $2 $file" | shuf -n 1)
  [[ -z $victim ]] || kill -KILL "$victim"
  wait $job && return 0  # it had ended already
  [[ $(on_ranks $((1 + RANDOM % 4)) "$1" "$2" "$file" 2>&1) == "$3" ]]
}

# Two network namespaces and a link between them, which is taken down: each half ends by itself.
cut_in_two() {  # PROGRAM
  local file=$work/cut.checkpoint agent=$work/agent
  ip netns add pliant-a && ip netns add pliant-b &&
    ip link add pliant-va type veth peer name pliant-vb &&
    ip link set pliant-va netns pliant-a && ip link set pliant-vb netns pliant-b || return 1
  ip -n pliant-a addr add 10.77.0.1/24 dev pliant-va && ip -n pliant-a link set pliant-va up
  ip -n pliant-b addr add 10.77.0.2/24 dev pliant-vb && ip -n pliant-b link set pliant-vb up
  ip -n pliant-a link set lo up && ip -n pliant-b link set lo up
  # What mpirun calls in the place of ssh: HOST COMMAND...
  printf '#!/bin/bash\nshift\nexec ip netns exec pliant-b bash -c "$*"\n' >"$agent" && chmod +x "$agent"
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 ip netns exec pliant-a mpirun \
    --mca plm_rsh_agent "$agent" --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 -H 10.77.0.1:1,10.77.0.2:1 -n 2 -x PLIANT_THREADS=1 \
    "$1" 100000 "$file" >"$work/cut" 2>&1 &
  sleep 4
  ip -n pliant-a link set pliant-va down
  local i
  for ((i = 0; i < 40; ++i)); do
    sleep 1
    pgrep -f "^$1 100000" >/dev/null || break
  done
  ip netns del pliant-a
  ip netns del pliant-b
  pkill -KILL -f "^$1 100000" || true
  pkill -KILL -f "plm_rsh_agent $agent" || true  # mpirun and its helper, which wait for the link
  grep '^pliant: ' "$work/cut"
  ((i < 40)) && [[ -s $file ]]
}

row ranks "${programs[@]}"
ranks() {  # 50 kills, and a cut link
  build release pliant-ranks || return 1
  local program=$PWD/build/release/pliant-ranks wanted i survived=0
  wanted=$(PLIANT_THREADS=1 "$program" 40 "$work/alone.checkpoint") || return 1
  RANDOM=17
  for ((i = 0; i < 50; ++i)); do
    if killed_once "$program" 40 "$wanted"; then ((survived += 1)); else cat "$work/killed"; fi
  done
  local cut="not tried: it needs the right to make network namespaces" status=0
  if ip netns add pliant-try 2>/dev/null; then
    ip netns del pliant-try
    if cut_in_two "$program"; then cut="both halves of a cut link ended"; else cut="a cut link: FAILED" status=1; fi
  fi
  echo "$survived of 50 killed trainings ended as the undisturbed one; $cut"
  ((survived == 50 && status == 0))
}
