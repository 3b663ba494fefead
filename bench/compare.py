#!/usr/bin/env python3
"""Pliant beside PyTorch and torchvision on the CPU, in one run.

Each case runs here (a benchmark of pliant-bench) and there (the same work in PyTorch, eager, channels
last) in turns, so that both see the same state of the machine. A figure is the median over the
rounds, a ratio the median of the rounds' ratios (theirs / ours: above 1, Pliant is faster).

  cmake --preset release -DPLIANT_BENCH=ON && cmake --build --preset release
  python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch torchvision
  /tmp/torch/bin/python bench/compare.py build/release/pliant-bench --data ~/mnist

With --data whole processes are compared as well: how soon they train, and what memory they take. The
tape's line is C++ on both sides; PyTorch's half is compiled at its first use, which takes a minute.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torch.utils.cpp_extension import load_inline
from torchvision.ops import DeformConv2d, deform_conv2d


class Block(nn.Module):
    """conv -> ReLU -> BatchNorm; padding as TensorFlow's "same"."""

    def __init__(self, c, k, stride, deform):
        super().__init__()
        self.stride = stride
        self.bent = deform
        if deform:
            self.conv = DeformConv2d(c, k, 3, stride=stride)
            self.offset = nn.Conv2d(c, 18, 3, stride=stride)
            self.mask = nn.Conv2d(c, 9, 3, stride=stride)
            for head in (self.offset, self.mask):
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)
        else:
            self.conv = nn.Conv2d(c, k, 3, stride=stride, padding=1 if stride == 1 else 0)
        self.norm = nn.BatchNorm2d(k, eps=1e-3)

    def forward(self, x):
        if self.stride == 2:
            x = F.pad(x, (0, 1, 0, 1))
        elif self.bent:
            x = F.pad(x, (1, 1, 1, 1))
        if self.bent:
            y = self.conv(x, self.offset(x), 2 * torch.sigmoid(self.mask(x)))
        else:
            y = self.conv(x)
        return self.norm(F.relu(y))


class DigitNet(nn.Module):
    def __init__(self, deform):
        super().__init__()
        self.blocks = nn.Sequential(Block(1, 32, 1, False), Block(32, 64, 2, deform),
                                    Block(64, 128, 1, deform), Block(128, 128, 2, deform))
        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        return self.fc(self.blocks(x).mean((2, 3)))


def train_step(batch, deform):
    net = DigitNet(deform).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    images = torch.rand(batch, 1, 28, 28).to(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 10

    def once():
        adam.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        adam.step()

    return once


def inference(batch):
    net = DigitNet(False).to(memory_format=torch.channels_last).eval()
    images = torch.rand(batch, 1, 28, 28).to(memory_format=torch.channels_last)

    def once():
        with torch.inference_mode():
            net(images)

    return once


def deform_step(n, c, side, k, groups=1):
    """Forward and all gradients; 3x3, padding 1, with a mask."""
    tensors = [torch.randn(*s) for s in ((n, c, side, side), (n, 18, side, side),
                                         (k, c // groups, 3, 3), (k,), (n, 9, side, side))]
    x, offset, weight, bias, mask = [t.requires_grad_() for t in tensors]
    cotangent = torch.randn(n, k, side, side)

    def once():
        for tensor in (x, offset, weight, bias, mask):
            tensor.grad = None
        deform_conv2d(x, offset, weight, bias, padding=1, mask=mask).backward(cotangent)

    return once


def layer(function, *shapes):
    """function of tensors of these shapes (NCHW, channels last), forward and all gradients."""
    tensors = [torch.randn(*s) for s in shapes]
    tensors = [(t.to(memory_format=torch.channels_last) if t.dim() == 4 else t).requires_grad_()
               for t in tensors]
    cotangent = torch.randn_like(function(*tensors))

    def once():
        for tensor in tensors:
            tensor.grad = None
        function(*tensors).backward(cotangent)

    return once


def conv_layer(n, side, c, k, taps, stride, groups):
    return layer(lambda x, w, b: F.conv2d(x, w, b, stride, taps // 2, 1, groups),
                 (n, c, side, side), (k, c // groups, taps, taps), (k,))


def batch_norm_layer(n, side, c):
    mean, var = torch.zeros(c), torch.ones(c)
    return layer(lambda x, w, b: F.batch_norm(x, mean, var, w, b, True), (n, c, side, side), (c,),
                 (c,))


def cross_entropy_layer(n, classes):
    labels = torch.arange(n) * 7 % classes
    return layer(lambda x: F.cross_entropy(x, labels), (n, classes))


def attention_step(matrices, length, features, causal):
    tensors = [torch.randn(1, matrices, length, features, requires_grad=True) for _ in range(3)]
    cotangent = torch.randn(1, matrices, length, features)

    def once():
        for tensor in tensors:
            tensor.grad = None
        F.scaled_dot_product_attention(*tensors, is_causal=causal == 1).backward(cotangent)

    return once


def module_step(module, *shape):
    """A module's output from x, and the gradients by x and all parameters."""
    def output(x):
        y = module(x)
        return y[0] if isinstance(y, tuple) else y

    x = torch.randn(*shape, requires_grad=True)
    cotangent = torch.randn_like(output(x))

    def once():
        x.grad = None
        module.zero_grad()
        output(x).backward(cotangent)

    return once


def recurrent_step(kind, batch, steps, features, units):
    return module_step(kind(features, units, batch_first=True), batch, steps, features)


def transformer_step(batch, length, features, heads):
    return module_step(nn.TransformerEncoderLayer(features, heads, 4 * features, 0,
                                                  batch_first=True), batch, length, features)


def adam_step():
    parameters = [torch.randn(65536, requires_grad=True) for _ in range(16)]
    adam = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    for parameter in parameters:
        parameter.grad = torch.randn(65536)
    return adam.step


TAPE_CHAIN = """
void tape_chain() {
  pybind11::gil_scoped_release no_gil;
  auto start = torch::ones({1}, torch::requires_grad());
  auto x = start;
  for (int i = 0; i < 1000; ++i) x = x.square();
  torch::autograd::grad({x}, {start});
}
"""


def tape_chain():
    """A thousand squares of one number with the gradient, in C++."""
    return load_inline("pliant_tape_chain", TAPE_CHAIN, functions=["tape_chain"]).tape_chain


CONVOLUTIONS = [(32, 28, 1, 32, 3, 1, 1), (32, 28, 32, 64, 3, 2, 1), (32, 14, 64, 128, 3, 1, 1),
                (32, 14, 128, 128, 3, 2, 1), (8, 56, 64, 64, 3, 1, 1), (8, 56, 64, 256, 1, 1, 1),
                (8, 56, 256, 128, 1, 2, 1), (32, 14, 256, 256, 3, 1, 1),
                (32, 14, 256, 256, 3, 1, 256), (8, 56, 64, 64, 3, 2, 64)]


def convolutions():
    for shape in CONVOLUTIONS:
        n, side, c, k, taps, stride, groups = shape
        name = f"conv2d fwd+bwd, N{n} C{c} {side}x{side} K{k} {taps}x{taps} stride {stride}"
        yield (name + (" depthwise" if groups > 1 else ""),
               "conv2d_layer/" + "/".join(map(str, shape)) + "/",
               lambda shape=shape: conv_layer(*shape))


def sequences():
    for shape in ((64, 128, 32, 0), (64, 512, 64, 0), (64, 512, 64, 1), (8, 2048, 64, 1)):
        yield (f"attention fwd+bwd, {shape[0]} x {shape[1]} x {shape[2]}" + ", causal" * shape[3],
               "attention/" + "/".join(map(str, shape)) + "/",
               lambda shape=shape: attention_step(*shape))
    for kind in (nn.LSTM, nn.GRU):
        for shape in ((64, 28, 28, 128), (32, 64, 256, 256), (16, 32, 512, 512)):
            n, steps, features, units = shape
            yield (f"{kind.__name__} fwd+bwd, N{n} T{steps} {features} to {units}",
                   f"{kind.__name__.lower()}/" + "/".join(map(str, shape)) + "/",
                   lambda kind=kind, shape=shape: recurrent_step(kind, *shape))
    for shape in ((16, 128, 256, 8), (8, 197, 384, 6)):
        n, length, features, heads = shape
        yield (f"transformer encoder layer fwd+bwd, N{n} L{length} E{features} H{heads}",
               "transformer_layer/" + "/".join(map(str, shape)) + "/",
               lambda shape=shape: transformer_step(*shape))


# name, benchmark of ours, work of theirs
CASES = [
    ("training step, regular net, batch 32", "train_step_regular/32/", lambda: train_step(32, False)),
    ("training step, regular net, batch 64", "train_step_regular/64/", lambda: train_step(64, False)),
    ("training step, regular net, batch 256", "train_step_regular/256/",
     lambda: train_step(256, False)),
    ("training step, dcn2 net, batch 32", "train_step_dcn2/32/", lambda: train_step(32, True)),
    ("inference, regular net, batch 1", "inference/1/", lambda: inference(1)),
    ("inference, regular net, batch 256", "inference/256/", lambda: inference(256)),
    ("deform_conv2d + mask, fwd+bwd, N32 C64 14x14 K128", "forward_and_backward/32/64/14/128/",
     lambda: deform_step(32, 64, 14, 128)),
    ("deform_conv2d + mask, fwd+bwd, N8 C64 56x56 K64", "forward_and_backward/8/64/56/64/",
     lambda: deform_step(8, 64, 56, 64)),
    ("deform_conv2d + mask, fwd+bwd, N32 C128 28x28 K128", "forward_and_backward/32/128/28/128/1/",
     lambda: deform_step(32, 128, 28, 128)),
    ("the same in 32 groups", "forward_and_backward/32/128/28/128/32/",
     lambda: deform_step(32, 128, 28, 128, 32)),
    ("the same in 128 groups (depthwise)", "forward_and_backward/32/128/28/128/128/",
     lambda: deform_step(32, 128, 28, 128, 128)),
    *convolutions(),
    ("batch_norm2d fwd+bwd, N64 C128 14x14", "batch_norm_layer/64/14/128/",
     lambda: batch_norm_layer(64, 14, 128)),
    ("batch_norm2d fwd+bwd, N8 C64 56x56", "batch_norm_layer/8/56/64/",
     lambda: batch_norm_layer(8, 56, 64)),
    ("max_pool2d 2x2 fwd+bwd, N8 C64 56x56", "max_pool_layer/8/56/64/",
     lambda: layer(lambda x: F.max_pool2d(x, 2), (8, 64, 56, 56))),
    ("softmax_cross_entropy fwd+bwd, 256 x 10", "cross_entropy_layer/256/10/",
     lambda: cross_entropy_layer(256, 10)),
    ("softmax_cross_entropy fwd+bwd, 256 x 1000", "cross_entropy_layer/256/1000/",
     lambda: cross_entropy_layer(256, 1000)),
    *sequences(),
    ("Adam step, a million parameters in 16 tensors", "adam_step/", adam_step),
    ("tape: a thousand squares of one number, with the gradient", "tape_gradients", tape_chain),
]


def ours(program, name, threads):
    """Milliseconds of one benchmark case."""
    out = subprocess.run(
        [program, f"--benchmark_filter=^{name}", "--benchmark_min_time=0.5",
         "--benchmark_format=json"], check=True, capture_output=True, text=True,
        env={**os.environ, "PLIANT_THREADS": str(threads)}).stdout
    found = json.loads(out)["benchmarks"][0]
    return found["real_time"] * {"ms": 1, "us": 1e-3}[found["time_unit"]]


def theirs(once, seconds=0.5):
    """Milliseconds a call, the mean over at least `seconds`."""
    once()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        once()
        calls += 1
    return (time.perf_counter() - start) * 1e3 / calls


def process(command, threads):
    """How long after its start a training process has made its first step, and its peak memory."""
    start = time.clock_gettime(time.CLOCK_MONOTONIC)
    out = subprocess.run(command, check=True, capture_output=True, text=True,
                         env={**os.environ, "PLIANT_THREADS": str(threads)}).stdout
    result = json.loads(out)
    return (result["first_step"] - start) * 1e3, result["peak_kb"] / 1024


def processes(arguments):
    """Rows of two whole processes, which read MNIST and train for a hundred steps at batch 64."""
    folder, threads = arguments.data, str(arguments.threads)
    here = os.path.dirname(os.path.abspath(__file__))
    mine = [os.path.join(os.path.dirname(arguments.program), "pliant-training-run"), folder, "100"]
    other = [sys.executable, os.path.join(here, "training_run.py"), folder, "100", threads]
    rounds = [(process(mine, threads), process(other, threads)) for _ in range(arguments.rounds)]
    for i, (name, unit) in enumerate([("from the start of a process to its first step on MNIST", "ms"),
                                      ("peak memory of that process after 100 steps", "MB")]):
        yield name, unit, [(a[i], b[i]) for a, b in rounds]


def scaling(arguments):
    """Rows of a step on one thread and on all, ours alone."""
    for name, case, _ in CASES[1:4]:
        rounds = [(ours(arguments.program, case, arguments.threads), ours(arguments.program, case, 1))
                  for _ in range(arguments.rounds)]
        yield f"{name}: {arguments.threads} threads, 1 thread", rounds


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", help="pliant-bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cases", default="", help="only those whose name has this in it")
    parser.add_argument("--data", help="folder of MNIST's files, to compare whole processes")
    parser.add_argument("--json", help="write the figures to this file too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    machine = (f"{processor()}, {arguments.threads} threads, torch {torch.__version__}, "
               f"torchvision {torchvision.__version__}")
    rows = []

    def row(name, unit, rounds, names=("pliant", "pytorch")):
        mine, other = map(statistics.median, zip(*rounds))
        ratio = statistics.median(b / a for a, b in rounds)
        rows.append({"case": name, f"{names[0]}_{unit.lower()}": mine,
                     f"{names[1]}_{unit.lower()}": other, "ratio": ratio})
        print(f"| {name} | {mine:.3g} {unit} | {other:.3g} {unit} | {ratio:.2f} |", flush=True)

    print(machine, "\n")
    print("| case | Pliant | PyTorch | ratio |\n|---|---|---|---|")
    for name, case, make in CASES:
        if arguments.cases not in name:
            continue
        once = make()
        once()
        row(name, "ms", [(ours(arguments.program, case, arguments.threads), theirs(once))
                         for _ in range(arguments.rounds)])
    if arguments.data:
        for name, unit, rounds in processes(arguments):
            row(name, unit, rounds)
    if not arguments.cases:
        print("\n| Pliant alone | all threads | one | ratio |\n|---|---|---|---|")
        for name, rounds in scaling(arguments):
            row(name, "ms", rounds, ("all", "one"))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "rounds": arguments.rounds, "cases": rows}, file, indent=1)


if __name__ == "__main__":
    main()
