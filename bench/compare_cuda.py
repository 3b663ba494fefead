#!/usr/bin/env python3
"""Pliant beside PyTorch and torchvision on the GPU, in one run.

pliant-cuda-bench times ours; this does the same work in PyTorch under the same names, eager and,
where the name says "captured", as a CUDA graph. A figure is the median of device-event timings after
a warm-up, inputs taking turns so that none is still in the L2; rounds take turns. A ratio is theirs /
ours: above 1, Pliant is faster. peak: memory in use at most.

A captured case runs last and in a process of its own: a capture that fails may leave PyTorch unable
to go on. What there is of a run that is told to end (SIGTERM) is written. Exit status 3: there is no
PyTorch with CUDA, or no torchvision.

  python3 bench/compare_cuda.py build/cuda/pliant-cuda-bench --json figures.json
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from apart import Ended, apart

try:
    import torch
    import torchvision
    from torch.nn import functional as F
    from torchvision.ops import deform_conv2d
except ImportError as absent:
    print(f"no PyTorch with torchvision here: {absent}")
    sys.exit(3)

from compare import DigitNet

WARM_UP, SAMPLES, SAMPLE_MS, MAX_SETS = 3, 20, 2.0, 32
MAPS = [(32, 28, 28, 64), (8, 56, 56, 128), (8, 100, 136, 256), (64, 14, 14, 256)]


DEVICE = "cuda"  # "cpu" in a rehearsal


def elapsed_ms(work):
    if DEVICE == "cpu":
        start = time.perf_counter()
        work()
        return 1e3 * (time.perf_counter() - start)
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    work()
    stop.record()
    stop.synchronize()
    return start.elapsed_time(stop)


def measure(work):
    """(median milliseconds of work(turn), peak bytes)."""
    turn = 0

    def repeat(calls):
        nonlocal turn

        def all_calls():
            nonlocal turn
            for _ in range(calls):
                work(turn)
                turn += 1

        return elapsed_ms(all_calls) / calls

    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()
    repeat(WARM_UP)
    peak = torch.cuda.max_memory_allocated() if DEVICE == "cuda" else 0
    calls = int(min(max(SAMPLE_MS / max(repeat(WARM_UP), 1e-4), 1), 10000))
    return statistics.median(repeat(calls) for _ in range(SAMPLES)), peak


def channels_last(tensor):
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def op_cases(name, shapes, function, last, dtype):
    """`function` of tensors of these NCHW shapes, forward and with all gradients."""
    size = dtype.itemsize * sum(torch.Size(shape).numel() for shape in shapes)
    cache = torch.cuda.get_device_properties(0).L2_cache_size if DEVICE == "cuda" else 0
    count = min(max(2 * cache // size + 1, 1), MAX_SETS)

    def make():
        sets = [[torch.randn(*shape, device=DEVICE).to(dtype) for shape in shapes] for _ in range(count)]
        return [[(channels_last(t) if last else t).requires_grad_() for t in one] for one in sets]

    def forward():
        sets = make()

        def work(turn):
            with torch.no_grad():
                function(*sets[turn % count])

        return measure(work)

    def both():
        sets = make()
        cotangent = torch.randn_like(function(*sets[0]))

        def work(turn):
            inputs = sets[turn % count]
            torch.autograd.grad(function(*inputs), inputs, cotangent)

        return measure(work)

    yield name + " fwd", forward
    yield name + " fwd+bwd", both


def convolution_cases(dtype):
    for n, h, w, c in MAPS:
        suffix = f" {n}x{h}x{w}x{c}"
        x, offset, mask = (n, c, h, w), (n, 18, h, w), (n, 9, h, w)
        dense, depthwise = (c, c, 3, 3), (c, 1, 3, 3)
        yield from op_cases("deform_conv2d v1" + suffix, [x, offset, dense],
                            lambda x, o, k: deform_conv2d(x, o, k, padding=1), False, dtype)
        for name, weight in (("deform_conv2d v2", dense), ("depthwise deform_conv2d v2", depthwise)):
            yield from op_cases(name + suffix, [x, offset, weight, mask],
                                lambda x, o, k, m: deform_conv2d(x, o, k, padding=1, mask=m), False,
                                dtype)
        for name, weight in (("conv2d", dense), ("depthwise conv2d", depthwise)):
            yield from op_cases(name + suffix, [x, weight],
                                lambda x, k, c=c, s=weight: F.conv2d(x, k, padding=1, groups=c // s[1]),
                                True, dtype)


def training_step(batch, deform, captured):
    net = DigitNet(deform).to(DEVICE).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=DEVICE == "cuda", capturable=captured and DEVICE == "cuda")
    images = channels_last(torch.randn(batch, 1, 28, 28, device=DEVICE))
    labels = torch.arange(batch, device=DEVICE) % 10

    def once(_):
        adam.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        adam.step()

    if not captured or DEVICE == "cpu":  # where a replay is a call
        return measure(once)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for turn in range(WARM_UP):
            once(turn)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    adam.zero_grad()
    with torch.cuda.graph(graph):
        once(0)
    return measure(lambda _: graph.replay())


def cases(dtype):
    yield from convolution_cases(dtype)
    for captured in (False, True):
        for deform in (False, True):
            for batch in (32, 128, 1024):
                name = f"training step, {'dcn2' if deform else 'regular'} net, batch {batch}"
                yield (name + (", captured" if captured else ""),
                       lambda b=batch, d=deform, c=captured: training_step(b, d, c))


def wake_up():
    """An idle GPU takes its time to reach its clocks."""
    if DEVICE == "cuda":
        room, ended = torch.empty(2**26, dtype=torch.uint8, device=DEVICE), time.monotonic() + 0.3
        while time.monotonic() < ended:
            elapsed_ms(room.clone)


def theirs(only, precision):
    """Yields (case, (ms, peak bytes)), but for what PyTorch cannot do."""
    wake_up()
    narrow = precision == "bfloat16"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    for name, work in cases(torch.bfloat16 if narrow else torch.float32):
        if only(name):
            try:
                with torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=narrow,
                                    cache_enabled=False):  # a graph would keep old copies
                    yield name, work()
            except RuntimeError as error:  # no CUDA graph of this, or no memory: the others go on
                print(f"PyTorch, {name}: {str(error).splitlines()[0]}", flush=True)
            if DEVICE == "cuda":
                torch.cuda.empty_cache()


def is_captured(name):
    return name.endswith(", captured")


def add_theirs(figures, names, precision):
    """Adds the figures of these cases, those of captured ones each from a process of its own."""
    plain = [name for name in names if not is_captured(name)]
    for some in [plain, *([name] for name in names if is_captured(name))]:
        try:
            for name, figure in apart(theirs, lambda name, some=some: name in some, precision):
                figures[name] = figure
        except Ended as ended:
            print(f"PyTorch, {some[-1]}: {ended}", flush=True)


def ours(program, only, precision, scatter, samples):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.json")
        subprocess.run([program, "--cases", *only, "--json", path, "--precision", precision,
                        "--scatter", scatter, "--samples", str(samples)], check=True, stdout=subprocess.DEVNULL)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def rows_of(ours_rounds, theirs_rounds):
    for case in ours_rounds[0]["cases"]:
        name = case["case"]
        same = [[c for c in one["cases"] if c["case"] == name][0] for one in ours_rounds]
        row = {"case": name, "ms": statistics.median(c["ms"] for c in same),
               "bytes": case["bytes"], "peak_bytes": case["peak_bytes"]}
        row["gb_per_s"] = row["bytes"] / row["ms"] * 1e-6
        other = [one[name] for one in theirs_rounds if name in one]
        if other:
            row["pytorch_ms"] = statistics.median(ms for ms, _ in other)
            row["pytorch_peak_bytes"] = max(peak for _, peak in other)
            row["ratio"] = row["pytorch_ms"] / row["ms"]
        yield row


def table(rows, copy_gb_per_s):
    yield "| case | ms | GB/s | of a copy's | PyTorch ms | ratio | peak MiB | PyTorch's |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        speed = row["gb_per_s"]
        moved = [f"{speed:.0f}", f"{speed / copy_gb_per_s:.0%}" if copy_gb_per_s else ""]
        other = ([f"{row['pytorch_ms']:.4g}", f"{row['ratio']:.2f}"] if "ratio" in row else ["", ""])
        peaks = [f"{row[key] / 2**20:.0f}" if row.get(key) else ""
                 for key in ("peak_bytes", "pytorch_peak_bytes")]
        cells = [row["case"], f"{row['ms']:.4g}", *(moved if speed else ["", ""]), *other, *peaks]
        yield "| " + " | ".join(cells) + " |"


def measure_precision(arguments, precision, machine):
    """Reports on one precision, also where it is cut short; the finding in a line."""
    rounds = []
    try:
        for _ in range(arguments.rounds):
            mine = ours(arguments.program, arguments.cases, precision, arguments.scatter, SAMPLES)
            rounds.append((mine, {}))
            add_theirs(rounds[-1][1], [case["case"] for case in mine["cases"]], precision)
    finally:
        if rounds:
            finding = report(arguments, precision, machine, list(rows_of(*zip(*rounds))))
    return finding


def report(arguments, precision, machine, rows):
    """Prints and writes the table."""
    copies = [row["gb_per_s"] for row in rows if row["case"].startswith("copy")]
    what = f"{machine}, precision {precision}, {arguments.scatter} gradients"
    notes = ["torchvision's deform_conv2d computes in float32 under autocast.", ""]
    text = "\n".join([what, "", *(notes if precision == "bfloat16" else []),
                      *table(rows, copies[0] if copies else None)]) + "\n"
    finding = f"{precision}: {len(rows)} cases, {sum('ratio' in row for row in rows)} with a ratio"
    if arguments.json:
        path = arguments.json.replace("PRECISION", precision)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"machine": what, "rounds": arguments.rounds, "cases": rows}, file, indent=1)
        with open(os.path.splitext(path)[0] + ".md", "w", encoding="utf-8") as file:
            file.write(text)
    print(text, finding, sep="\n", flush=True)
    return finding


def name_of_device():
    yield torch.cuda.get_device_name() if DEVICE == "cuda" else "the CPU, a rehearsal"


def main():
    global DEVICE, SAMPLES
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", help="pliant-cuda-bench")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cases", default=[""], nargs="+", metavar="TEXT",
                        help="only those whose name has one of these in it")
    parser.add_argument("--precision", nargs="+", choices=["full", "tf32", "bfloat16"],
                        default=["full"],
                        help="theirs and ours, one after the other; bfloat16: of all inputs, theirs\n"
                             "under autocast")
    parser.add_argument("--scatter", choices=["ordered", "atomic"], default="ordered",
                        help="how ours adds up gradients by a map; theirs is atomic")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="medians are over so many")
    parser.add_argument("--device", choices=["cuda", "cpu"], default=DEVICE,
                        help="cpu: a rehearsal of PyTorch's part")
    parser.add_argument("--json", help="write the figures to this file, and the table beside it (.md);\n"
                                       "PRECISION in its name becomes the precision")
    arguments = parser.parse_args()
    DEVICE, SAMPLES = arguments.device, arguments.samples
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    try:  # this process leaves the GPU alone, so that others can be forked from it
        name, = apart(name_of_device)
    except Ended:
        print("no PyTorch with CUDA here")
        sys.exit(3)
    machine = f"{name}, torch {torch.__version__}, torchvision {torchvision.__version__}"
    findings = [measure_precision(arguments, precision, machine)
                for precision in arguments.precision]
    print("; ".join(findings))


if __name__ == "__main__":
    main()
