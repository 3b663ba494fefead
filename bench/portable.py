#!/usr/bin/env python3
"""What the portable build loses to one for this machine alone: every line of pliant-bench, in turns.

  cmake --preset release -DPLIANT_BENCH=ON && cmake --build --preset release --target pliant-bench
  cmake --preset release -B build/native -DPLIANT_BENCH=ON -DPLIANT_NATIVE=ON
  cmake --build build/native --target pliant-bench
  python3 bench/portable.py build/release/pliant-bench build/native/pliant-bench

A figure is the least time over the rounds; a line above the limit gets more rounds, both builds alike,
before it counts as a loss. Prints the lines from the greatest ratio on and ends with 1 if one is above the
limit.
"""
import argparse
import json
import re
import subprocess
import sys


def lines_of(program, pattern):
    listed = subprocess.run([program, "--benchmark_list_tests", f"--benchmark_filter={pattern}"],
                            check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if line]


def times_of(program, pattern, min_time, clock):
    """Nanoseconds of every line that matches."""
    done = subprocess.run([program, f"--benchmark_filter={pattern}", f"--benchmark_min_time={min_time}",
                           "--benchmark_format=json"], check=True, capture_output=True, text=True)
    unit = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {line["name"]: line[clock] * unit[line["time_unit"]]
            for line in json.loads(done.stdout)["benchmarks"]}


def measure(programs, names, rounds, args, least):
    """Lowers what stands in `least`: for each name, a time for each program."""
    for _ in range(rounds):
        for name in names:
            pattern = "^" + re.sub(r"[^\w/]", ".", name) + "$"
            for i, program in enumerate(programs):
                time = times_of(program, pattern, args.min_time, args.clock)[name]
                least[name][i] = min(least[name][i], time)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portable")
    parser.add_argument("native")
    parser.add_argument("--filter", default=".", help="a regular expression of benchmark names")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--more", type=int, default=12, help="rounds for lines above the limit")
    parser.add_argument("--limit", type=float, default=1.10)
    parser.add_argument("--min-time", type=float, default=0.02, help="seconds a line and round")
    parser.add_argument("--clock", choices=["real_time", "cpu_time"], default="real_time",
                        help="cpu_time on a machine that has other work")
    args = parser.parse_args()

    programs = [args.portable, args.native]
    names = lines_of(args.native, args.filter)
    least = {name: [float("inf")] * 2 for name in names}

    def ratio(name):
        return least[name][0] / least[name][1]

    measure(programs, names, args.rounds, args, least)
    for _ in range(args.more):
        doubtful = [name for name in names if ratio(name) > args.limit]
        measure(programs, doubtful, 1, args, least)

    print(f"{'ratio':>6} {'portable us':>12} {'native us':>12}  line")
    for name in sorted(names, key=ratio, reverse=True):
        print(f"{ratio(name):6.2f} {least[name][0] / 1e3:12.1f} {least[name][1] / 1e3:12.1f}  {name}")
    ratios = sorted(map(ratio, names))
    losses = sum(r > args.limit for r in ratios)
    print(f"{len(ratios)} lines, median ratio {ratios[len(ratios) // 2]:.2f}, {losses} above {args.limit:.2f}")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
