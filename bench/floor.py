#!/usr/bin/env python3
"""How near the hot kernels come to what the machine can do.

  python3 bench/floor.py build/release/pliant-bench

Measures this machine's best product of matrices and its copy bandwidth, then the kernels, in one run. A
kernel's floor is the longer of two times: its products at that best rate, and the bytes that it has to move
(every operand and result once) at that bandwidth. Winograd's convolutions may beat the floor of the
definition's products. Bandwidth is that of maps of a few megabytes for operands that fit such caches.
"""
import argparse
import json
import os
import statistics
import subprocess


def conv(n, side, c, k, taps, stride, groups):
    """Operations and bytes of one pass: each of the three reads two of x, y and the weight and writes the
    third."""
    out = side // stride
    weights = k * taps * taps * c // groups
    return (2 * n * out * out * weights,
            4 * (n * side * side * c + n * out * out * k + weights))


def deform(n, c, side, k, groups):
    """Forward: the products of the convolution; x, offsets, mask, y and the weight."""
    pixels = n * side * side
    return 2 * pixels * k * 9 * c // groups, 4 * (pixels * (c + 27 + k) + k * 9 * c // groups)


def maps(pixels, c, reads_and_writes):
    """Passes over a map without any product."""
    return 0, 4 * pixels * c * reads_and_writes


SHAPES = [(32, 28, 1, 32, 3, 1, 1), (32, 28, 32, 64, 3, 2, 1), (32, 14, 64, 128, 3, 1, 1),
          (32, 14, 128, 128, 3, 2, 1), (8, 56, 64, 64, 3, 1, 1), (8, 56, 64, 256, 1, 1, 1)]


def case_of(shape):
    return "/".join(f"{name}:{value}" for name, value in
                    zip(("n", "hw", "c", "k", "taps", "stride", "groups"), shape))


# What is measured: name, benchmark, operations and bytes, threads of the benchmark.
CASES = [
    *((f"conv2d {what}, N{s[0]} {s[1]}x{s[1]} {s[2]} to {s[3]}, {s[4]}x{s[4]} / {s[5]}",
       f"conv2d<Pass::{name}>/{case_of(s)}$", conv(*s), 1)
      for s in SHAPES
      for what, name in (("forward", "forward"), ("data gradient", "data_gradient"),
                         ("weight gradient", "weight_gradient"))),
    ("deform_conv2d forward, N32 14x14 64 to 128", "forward/32/64/14/128/1/", deform(32, 64, 14, 128, 1),
     2),
    ("deform_conv2d forward, N8 56x56 64 to 64", "forward/8/64/56/64/1/", deform(8, 64, 56, 64, 1), 2),
    ("deform_conv2d forward, N32 28x28 128 to 128", "forward/32/128/28/128/1/",
     deform(32, 128, 28, 128, 1), 2),
    # Forward reads x twice and writes y; backward reads x and dy twice and writes dx.
    ("batch_norm2d, both ways, N64 14x14x128", "batch_norm_layer/64/14/128/",
     maps(64 * 14 * 14, 128, 8), 2),
    ("batch_norm2d, both ways, N8 56x56x64", "batch_norm_layer/8/56/64/", maps(8 * 56 * 56, 64, 8), 2),
    # x and dx whole; y, dy and the indices (8 bytes) a quarter, written and read.
    ("max_pool2d 2x2, both ways, N8 56x56x64", "max_pool_layer/8/56/64/",
     maps(8 * 56 * 56, 64, 2 + (1 + 1 + 2 * 2) / 4), 2),
    # Reads and writes weight and two moments, reads the gradient.
    ("Adam, a million parameters", "adam_step/", maps(1, 1 << 20, 7), 2),
]


def run(program, filters, threads):
    out = subprocess.run([program, f"--benchmark_filter=^({'|'.join(filters)})",
                          "--benchmark_min_time=0.3", "--benchmark_format=json"],
                         check=True, capture_output=True, text=True,
                         env={**os.environ, "PLIANT_THREADS": str(threads)}).stdout
    return json.loads(out)["benchmarks"]


def seconds(found):
    return found["real_time"] * {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[found["time_unit"]]


def ceilings(program, threads):
    best = {case["name"].split("/real")[0]: case
            for case in run(program, ["copy/", "product/"], threads)}
    return (best["product"]["FLOP/s"], best["copy/1048576"]["bytes_per_second"],
            best["copy/33554432"]["bytes_per_second"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", help="pliant-bench")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    limits = {threads: ceilings(arguments.program, threads) for threads in (1, 2)}
    for threads, (flops, near, far) in limits.items():
        print(f"{threads} thread(s): {flops * 1e-9:.0f} GFLOP/s, copies {near * 1e-9:.0f} GB/s "
              f"(4 MB), {far * 1e-9:.0f} GB/s (128 MB)")
    print("\n| kernel | floor | measured | reached |\n|---|---|---|---|")
    for name, case, (operations, moved), threads in CASES:
        flops, bandwidth, _ = limits[threads]
        floor = max(operations / flops, moved / bandwidth)
        took = statistics.median(seconds(run(arguments.program, [case], threads)[0])
                                 for _ in range(arguments.rounds))
        print(f"| {name} | {floor * 1e3:.3g} ms | {took * 1e3:.3g} ms | {floor / took:.0%} |", flush=True)


if __name__ == "__main__":
    main()
