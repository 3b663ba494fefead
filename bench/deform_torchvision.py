#!/usr/bin/env python3
"""Deformable convolution here against torchvision.ops.deform_conv2d, on two threads.

Forward plus all gradients (x, offset, mask, weight, bias), 3x3, padding 1, with a mask, offsets
N(0, 1). The two sides take turns within each round, so that both see the same state of the
machine; a figure is the median over the rounds of the best of three, a ratio the median of the
rounds' ratios. Processor time (of all threads) is what to read on a machine that others use too.

usage: deform_torchvision.py PATH/TO/BENCHMARKS [--rounds 5]
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
import torchvision

SHAPES = [(32, 64, 14, 128), (8, 64, 56, 64)]  # n, c, side, k


def ours(program, case, shape):
    """Milliseconds of one benchmark case, (wall clock, processor), the best of three."""
    name = f"^{case}/{'/'.join(map(str, shape))}/"
    out = subprocess.run(
        [program, f"--benchmark_filter={name}", "--benchmark_min_time=0.2",
         "--benchmark_repetitions=3", "--benchmark_format=json"],
        check=True, capture_output=True, text=True).stdout
    runs = [b for b in json.loads(out)["benchmarks"] if b["run_type"] == "iteration"]
    return min(b["real_time"] for b in runs), min(b["cpu_time"] for b in runs)


def theirs(shape):
    """A function that runs torchvision once, forward and backward, and gives milliseconds."""
    n, c, side, k = shape
    torch.manual_seed(1)
    tensors = [torch.randn(*s) for s in ((n, c, side, side), (n, 18, side, side), (k, c, 3, 3),
                                         (k,), (n, 9, side, side))]
    x, offset, weight, bias, mask = [t.requires_grad_() for t in tensors]
    cotangent = torch.randn(n, k, side, side)

    def once():
        for tensor in (x, offset, weight, bias, mask):
            tensor.grad = None
        start, processor = time.perf_counter(), time.process_time()
        y = torchvision.ops.deform_conv2d(x, offset, weight, bias, padding=1, mask=mask)
        y.backward(cotangent)
        return (time.perf_counter() - start) * 1e3, (time.process_time() - processor) * 1e3

    return once


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, "
          f"{torch.get_num_threads()} threads")
    for shape in SHAPES:
        once = theirs(shape)
        once()
        rounds = []
        for _ in range(arguments.rounds):
            mine = ours(arguments.program, "forward_and_backward", shape)
            other = tuple(map(min, zip(*[once() for _ in range(3)])))
            forward = ours(arguments.program, "forward", shape)
            plain = ours(arguments.program, "plain_forward", shape)
            rounds.append((mine, other, forward, plain))
        print("N{} C{} {}x{} K{}".format(*shape[:3], *shape[2:]))
        for clock, label in enumerate(("wall clock", "processor")):
            mine, other, forward, plain = (
                statistics.median(r[i][clock] for r in rounds) for i in range(4))
            ratio = statistics.median(r[1][clock] / r[0][clock] for r in rounds)
            over = statistics.median(r[2][clock] / r[3][clock] for r in rounds)
            print(f"  {label}: {mine:.1f} ms, torchvision {other:.1f} ms: {ratio:.1f} times faster;",
                  f"forward {forward:.2f} ms, plain {plain:.2f} ms: {over:.2f} times")


if __name__ == "__main__":
    main()
