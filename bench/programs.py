#!/usr/bin/env python3
"""The programs of docs/guide/programs: their training steps beside PyTorch's, and what they take to compile.

  cmake --preset release && cmake --build --preset release
  python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch torchvision
  /tmp/torch/bin/python bench/programs.py build/release

A round runs a program as a reader runs it and then its twin (program_twins.py) for as many steps. A program
says on standard error when ten more steps are done, so a run's time is the median of its tens; a ratio is
theirs / ours of one round (above 1, Pliant is faster), given as its median and quartiles over the rounds.
Parameters and first losses stand beside each other, so that one can see that the nets are the same.

Compilation is that of the build with -O3, as a user's Release has it: seconds of processor time, so that
other work on the machine does not count, and the compiler's largest process.
"""
import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torchvision

from compare import processor
from program_twins import TWINS

TENS = 10  # steps between two lines of a program
LIMITS = {"ratio": 1.2, "seconds": 5, "megabytes": 400}


def step_time(times):
    """Of a run, from the times at which steps 0, 10, .. were done."""
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(times, times[1:]) if b[0] > a[0])


def ours(program, threads):
    """Seconds a step, how many steps that is, parameters, the first loss."""
    times, losses, parameters = [], [], None
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
            [program], cwd=folder, env={**os.environ, "PLIANT_THREADS": str(threads)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        for line in running.stderr:
            if found := re.fullmatch(r"step (\d+): loss (\S+)\n", line):
                times.append((int(found[1]), time.perf_counter()))
                losses.append(float(found[2]))
            elif found := re.fullmatch(r"(\d+) parameters\n", line):
                parameters = int(found[1])
            else:
                sys.stderr.write(line)
    if running.returncode != 0:
        sys.exit(f"{program} ended with {running.returncode}")
    return step_time(times), max(times)[0], parameters, losses[0]


def theirs(twin, steps, threads):
    """Seconds a step, parameters, the first loss."""
    torch.set_num_threads(threads)
    times, losses = [], []
    running = twin()
    parameters = next(running)
    for step, loss in zip(range(steps + 1), running):
        losses.append(loss)
        if step % TENS == 0:
            times.append((step, time.perf_counter()))
    return step_time(times), parameters, losses[0]


def quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive")


def compare(name, program, threads, rounds):
    """A line of the table: milliseconds, ratios, and what shows that the two are the same."""
    mine, other, loads = [], [], []
    for _ in range(rounds):
        loads.append(os.getloadavg()[0])
        mine.append(ours(program, threads))
        other.append(theirs(TWINS[name], mine[-1][1], threads))
    low, middle, high = quartiles([b[0] / a[0] for a, b in zip(mine, other)])
    return {"program": name, "threads": threads, "ratio": middle, "ratio_quartiles": [low, high],
            "pliant_ms": statistics.median(a[0] for a in mine) * 1e3,
            "pytorch_ms": statistics.median(b[0] for b in other) * 1e3,
            "parameters": [mine[0][2], other[0][1]],
            "first_loss": [statistics.median(a[3] for a in mine), statistics.median(b[2] for b in other)],
            "load_average": loads}


def compiled(build, name):
    """Seconds and megabytes that compiling a program takes, without ccache."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entry = next(entry for entry in json.load(file)
                     if entry["file"].endswith(f"/docs/guide/programs/{name}.cpp"))
    words = shlex.split(entry["command"])
    words = words["ccache" in words[0]:] + ["-O3"]
    with tempfile.TemporaryDirectory() as folder:
        words[words.index("-o") + 1] = os.path.join(folder, "program.o")
        report = os.path.join(folder, "report")
        subprocess.run(["/usr/bin/time", "-o", report, "-f", "%U %S %M", *words], check=True,
                       cwd=entry["directory"])
        with open(report, encoding="utf-8") as file:
            user, system, kilobytes = map(float, file.read().split())
    return {"program": name, "seconds": user + system, "megabytes": kilobytes / 1024}


def print_steps(rows):
    print("| program | threads | Pliant | PyTorch | ratio | quartiles | parameters | first loss |\n"
          "|---|---|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: row["ratio"]):
        low, high = row["ratio_quartiles"]
        loss = " (loss)" if row["ratio"] < LIMITS["ratio"] else ""
        print(f"| {row['program']} | {row['threads']} | {row['pliant_ms']:.3g} ms "
              f"| {row['pytorch_ms']:.3g} ms | {row['ratio']:.2f}{loss} "
              f"| {low:.2f} to {high:.2f} | {row['parameters'][0]} / {row['parameters'][1]} "
              f"| {row['first_loss'][0]:.4g} / {row['first_loss'][1]:.4g} |")


def print_compilation(rows):
    print("\n| program | to compile | memory |\n|---|---|---|")
    for row in sorted(rows, key=lambda row: -row["seconds"]):
        print(f"| {row['program']} | {row['seconds']:.2f} s | {row['megabytes']:.0f} MB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", help="the folder of a build with its tests")
    parser.add_argument("--programs", nargs="+", choices=TWINS, default=list(TWINS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", help="write the figures to this file too")
    arguments = parser.parse_args()
    steps, compilation = [], []
    for name in arguments.programs:
        program = os.path.abspath(os.path.join(arguments.build, f"pliant-guide-{name}"))
        compilation.append(compiled(arguments.build, name))
        for threads in arguments.threads:
            steps.append(compare(name, program, threads, arguments.rounds))
            print(f"{name}, {threads} threads: {steps[-1]['ratio']:.2f}", file=sys.stderr, flush=True)
    machine = f"{processor()}, torch {torch.__version__}, torchvision {torchvision.__version__}"
    print(machine, "\n")
    print_steps(steps)
    print_compilation(compilation)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "cores": os.cpu_count(), "rounds": arguments.rounds,
                       "note": "load_average above 1 says that others had the machine too",
                       "steps": steps, "compilation": compilation}, file, indent=1)
    bad = (any(row["ratio"] < LIMITS["ratio"] for row in steps) or
           any(row[what] >= LIMITS[what] for row in compilation for what in ("seconds", "megabytes")))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
