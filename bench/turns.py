#!/usr/bin/env python3
"""Benchmark programs in turns: is one slower than another, beyond the noise of the machine?

  cmake --preset release -DPLIANT_BENCH=ON && cmake --build --preset release --target pliant-bench
  python3 bench/turns.py OLD/pliant-bench build/release/pliant-bench
  python3 bench/turns.py --limit 1.10 build/native/pliant-bench build/release/pliant-bench

A round runs the first program, the others and the first again. A line's ratio is the median over the rounds
of a program's time by the first one's in the same round; its noise is the interquartile range of that ratio
for the first program against itself. A line above limit + noise gets as many rounds once more before it
counts as a loss. Ends with 1 if there is one. Rounds are kept in --json and are not run twice.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def nanoseconds(program, pattern, min_time):
    """Of every line that matches."""
    done = subprocess.run([program, f"--benchmark_filter={pattern}", f"--benchmark_min_time={min_time}",
                           "--benchmark_format=json"], check=True, capture_output=True, text=True)
    return {line["name"]: line["real_time"] * UNITS[line["time_unit"]]
            for line in json.loads(done.stdout)["benchmarks"]}


class Rounds:
    """What was measured: for each line, the ratio of each program but the first to the first, by round."""

    def __init__(self, programs, file):
        self.programs = [*programs, programs[0]]
        self.file = file
        self.all = json.loads(file.read_text()) if file and file.exists() else []

    def run(self, pattern, min_time, count, label):
        for i in range(count):
            self.all.append([nanoseconds(program, pattern, min_time) for program in self.programs])
            if self.file:
                self.file.write_text(json.dumps(self.all))
            print(f"{label} {i + 1} of {count}", file=sys.stderr)

    def names(self):
        return list(self.all[0][0])

    def ratios(self, name, program):
        return [times[program][name] / times[0][name] for times in self.all if name in times[0]]

    def noise(self, name):
        low, _, high = statistics.quantiles(self.ratios(name, -1), n=4)
        return high - low

    def losses(self, limit):
        return [(name, program) for name in self.names() for program in range(1, len(self.programs) - 1)
                if statistics.median(self.ratios(name, program)) > limit + self.noise(name)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", help="the one that the others are held against, and these")
    parser.add_argument("--filter", default=".", help="a regular expression of benchmark names")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--limit", type=float, default=1.03)
    parser.add_argument("--min-time", type=float, default=0.02, help="seconds a line and round")
    parser.add_argument("--json", type=pathlib.Path, help="where the rounds are kept")
    args = parser.parse_args()
    if len(args.programs) < 2 or args.rounds < 2:
        parser.error("takes two programs or more, and two rounds or more")

    rounds = Rounds(args.programs, args.json)
    rounds.run(args.filter, args.min_time, args.rounds - len(rounds.all), "round")
    doubtful = sorted({name for name, _ in rounds.losses(args.limit)})
    if doubtful:
        exactly = "|".join("^" + re.sub(r"[^\w/]", ".", name) + "$" for name in doubtful)
        rounds.run(exactly, args.min_time, args.rounds, f"{len(doubtful)} lines again: round")

    others = range(1, len(args.programs))
    print(f"{'noise':>6} {'base us':>10}" + "".join(f" {f'ratio {p}':>8}" for p in others) + "  line")
    for name in sorted(rounds.names(), reverse=True,
                       key=lambda name: max(statistics.median(rounds.ratios(name, p)) for p in others)):
        base = statistics.median(times[0][name] for times in rounds.all if name in times[0]) / 1e3
        print(f"{rounds.noise(name):6.3f} {base:10.1f}" +
              "".join(f" {statistics.median(rounds.ratios(name, p)):8.3f}" for p in others) + f"  {name}")
    losses = rounds.losses(args.limit)
    for p in others:
        middle = statistics.median(statistics.median(rounds.ratios(name, p)) for name in rounds.names())
        lost = sum(program == p for _, program in losses)
        print(f"{args.programs[p]}: {len(rounds.names())} lines, median ratio {middle:.3f}, "
              f"{lost} above {args.limit:.2f} + noise")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
