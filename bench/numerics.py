#!/usr/bin/env python3
"""The errors of PyTorch's float32 sums beside Pliant's, as docs/numerics.md.

    build/release/pliant-numerics > /tmp/pliant.tsv
    bench/numerics.py /tmp/pliant.tsv > docs/numerics.md

The inputs and the reckoning are those of numerics.cpp, the true sums NumPy's in long double.
Needs torch, torchvision and numpy. A second argument, a part of an op's name, measures those ops alone.
"""
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

SEEDS = 20
LONG = np.longdouble


def values(seed, shape, scale=1.0, start=0.0):
    n = int(np.prod(shape))
    with np.errstate(over='ignore'):
        z = np.arange(n, dtype=np.uint64) + np.uint64((seed << 32) + 0x9E3779B97F4A7C15 & 2**64 - 1)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)
    return (np.float32(start) + np.float32(scale) * u).reshape(shape)


def error_of(got, want, of_largest=False):
    got = np.asarray(got, dtype=LONG).reshape(-1)
    want = np.asarray(want, dtype=LONG).reshape(-1)
    size = np.abs(want).max() if of_largest else np.abs(want)
    exponent = np.maximum(np.frexp(np.maximum(size, LONG(2.0**-126)))[1] - 1, -126)
    return float((np.abs(got - want) / np.ldexp(LONG(1), exponent - 23)).max())


t = torch.from_numpy


def long_sum(x, axis=None):
    return np.sum(x.astype(LONG), axis=axis)


def reduction(op, want, scale=1.0, start=0.0):
    def error(seed, n):
        x = values(seed, (n,), scale, start)
        return error_of(op(t(x)).numpy(), want(x.astype(LONG)))
    return error


def bias_gradient(seed, n):
    x = values(seed, (n, 4))
    return error_of(t(x).sum(0).numpy(), long_sum(x, 0))


def loss(op, term):
    def error(seed, n):
        a, b = values(2 * seed, (n,), 8, -4), values(2 * seed + 1, (n,))
        return error_of(op(t(a), t(b)).numpy(), term(a.astype(LONG), b.astype(LONG)).sum() / LONG(n))
    return error


def smooth(a, b):
    d = np.abs(a - b)
    return np.where(d < 1, d * d / 2, d - LONG(0.5))


def cross_entropy(rows_of, classes_of):
    def error(seed, n):
        rows, classes = rows_of(n), classes_of(n)
        x = values(seed, (rows, classes), 8, -4)
        labels = np.arange(rows) % classes
        v = x.astype(LONG)
        want = (np.log(np.exp(v).sum(1)) - v[np.arange(rows), labels]).sum() / LONG(rows)
        return error_of(F.cross_entropy(t(x), t(labels)).numpy(), want)
    return error


def cumsum(seed, n):
    x = values(seed, (n,))
    return error_of(torch.cumsum(t(x), 0).numpy(), np.cumsum(x.astype(LONG)))


def cumsum_dx(seed, n):
    dy = values(seed, (n,))
    x = t(dy.copy()).requires_grad_()
    torch.cumsum(x, 0).backward(t(dy))
    return error_of(x.grad.numpy(), np.cumsum(dy.astype(LONG)[::-1])[::-1])


last_norm = {}


def norm(op, columns, what):
    def error(seed, n):
        if (op, seed, n) not in last_norm:
            last_norm.clear()
            last_norm[op, seed, n] = norm_errors(op, seed, n, columns)
        return last_norm[op, seed, n][what]
    return error


def norm_errors(op, seed, n, columns):
    data, slope = values(2 * seed, (n, columns), 1, 10), values(2 * seed + 1, (n, columns))
    x = t(data).requires_grad_()
    weight, bias = torch.ones(columns, requires_grad=True), torch.zeros(columns, requires_grad=True)
    y = op(x, weight, bias)
    y.backward(t(slope))
    v, dy = data.astype(LONG), slope.astype(LONG)
    deviation = v - v.sum(0) / LONG(n)
    rstd = 1 / np.sqrt((deviation * deviation).sum(0) / LONG(n) + LONG(1e-5))
    normal = deviation * rstd
    of_bias, of_weight = dy.sum(0), (dy * normal).sum(0)
    dx = rstd * (dy - of_bias / LONG(n) - normal * of_weight / LONG(n))
    return {'y': error_of(y.detach().numpy(), normal, True),
            'dx': error_of(x.grad.numpy(), dx, True),
            'dweight': 0 if weight.grad is None else error_of(weight.grad.numpy(), of_weight),
            'dbias': 0 if bias.grad is None else error_of(bias.grad.numpy(), of_bias)}


def batch_norm(x, weight, bias):  # channels last, as Pliant's maps lie
    maps = x.reshape(x.shape[0], 2, 1, 1)
    return F.batch_norm(maps, torch.zeros(2), torch.ones(2), weight, bias, True).reshape(x.shape)


def group_norm(x, weight, bias):
    return F.group_norm(x.t().unsqueeze(0), 2, weight, bias).squeeze(0).t()


def layer_norm(x, weight, bias):
    return F.layer_norm(x.reshape(1, -1), (x.shape[0],)).reshape(x.shape)


def layer_norm_dweight(seed, n):
    data, slope = values(2 * seed, (n, 4), 1, 10), values(2 * seed + 1, (n, 4))
    weight = torch.ones(4, requires_grad=True)
    F.layer_norm(t(data), (4,), weight, torch.zeros(4)).backward(t(slope))
    v = data.astype(LONG)
    deviation = v - v.sum(1, keepdims=True) / 4
    normal = deviation / np.sqrt((deviation**2).sum(1, keepdims=True) / 4 + LONG(1e-5))
    return error_of(weight.grad.numpy(), (slope.astype(LONG) * normal).sum(0), True)


def average(op):
    def error(seed, n):
        side = int(np.sqrt(n))
        x = values(seed, (1, 1, side, side))
        return error_of(op(t(x), side).numpy(), long_sum(x) / LONG(side * side))
    return error


def upsample_dx(seed, n):
    side = int(np.sqrt(n))
    dy = values(seed, (1, 1, side, side))
    x = torch.ones(1, 1, 1, 1, requires_grad=True)
    F.interpolate(x, size=(side, side)).backward(t(dy))
    return error_of(x.grad.numpy(), long_sum(dy))


def by_columns(a, b):  # a [m k], b [k n], without a long double matrix product
    return np.stack([[np.sum(row.astype(LONG) * column.astype(LONG)) for column in b.T] for row in a])


def matmul(seed, n):
    a, b = values(2 * seed, (2, n)), values(2 * seed + 1, (n, 2))
    return error_of((t(a) @ t(b)).numpy(), by_columns(a, b))


def matmul_of_rows(seed, n):
    a, b = values(2 * seed, (n, 2)), values(2 * seed + 1, (n, 2))
    weight = torch.ones(2, 2, requires_grad=True)
    F.linear(t(b), weight).backward(t(a))
    return error_of(weight.grad.numpy(), by_columns(a.T, b))


def conv2d(seed, n):
    c = n // 9
    x, w = values(2 * seed, (1, 3, 3, c)), values(2 * seed + 1, (2, 3, 3, c))
    got = F.conv2d(t(x).permute(0, 3, 1, 2), t(w).permute(0, 3, 1, 2))
    return error_of(got.numpy(), by_columns(w.reshape(2, -1), x.reshape(-1, 1)))


def conv2d_dweight(seed, n):
    side = int(np.sqrt(n))
    x, dy = values(2 * seed, (1, side + 2, side + 2, 2)), values(2 * seed + 1, (1, side, side, 2))
    w = torch.ones(2, 2, 3, 3, requires_grad=True)
    F.conv2d(t(x).permute(0, 3, 1, 2), w).backward(t(dy).permute(0, 3, 1, 2))
    want = np.empty((2, 3, 3, 2), dtype=LONG)
    for i in range(3):
        for j in range(3):
            window = x[0, i:i + side, j:j + side].reshape(-1, 2)
            want[:, i, j] = by_columns(dy.reshape(-1, 2).T, window)
    return error_of(w.grad.permute(0, 2, 3, 1).numpy(), want)


# ---- scattered terms (numerics_scattered.cpp): [.. 2], of which many meet in one place ----


def sums_of(a, b=1):
    return (a.astype(LONG) * b).reshape(-1, 2).sum(0)


def as_maps(a):  # [N H W C], channels first
    return t(a).permute(0, 3, 1, 2).contiguous()


def one_pixel(op, shape=(1, 2, 1, 1)):  # op gives n values a channel, [.. 2] but for their order
    def error(seed, n):
        dy = values(seed, (n, 2))
        x = torch.ones(shape, requires_grad=True)
        op(x, n).backward(t(dy))
        return error_of(x.grad.numpy(), sums_of(dy))
    return error


def regions(n):
    return torch.tensor([[0., 0., 0., 1., 1.]]).repeat(n, 1)


def pixel_sample(x, n):
    return F.grid_sample(x, torch.zeros(1, n, 1, 2), align_corners=False)[0, :, :, 0].t()


def pixel_align(x, n):
    return torchvision.ops.roi_align(x, regions(n), 1, 1.0, 1, True).reshape(n, 2)


def pixel_pool(x, n):
    return torchvision.ops.roi_pool(x, regions(n), 1).reshape(n, 2)


def rows_of_table(x, n):
    return F.embedding(torch.zeros(n, dtype=torch.long), x)


def corner(op):  # all pixels read the first
    def error(seed, n):
        side = int(np.sqrt(n))
        dy = values(seed, (1, side, side, 2))
        x = as_maps(values(seed + 1, dy.shape)).requires_grad_()
        op(x, side).backward(as_maps(dy))
        return error_of(x.grad[0, :, 0, 0].numpy(), sums_of(dy))
    return error


def corner_sample(x, side):  # of no library: the nearest that PyTorch has
    return F.grid_sample(x, torch.full((1, side, side, 2), -1.0), align_corners=True)


def corner_deform(x, side):
    i, j = torch.meshgrid(torch.arange(side), torch.arange(side), indexing='ij')
    offset = -torch.stack([i, j]).unsqueeze(0).float()
    return torchvision.ops.deform_conv2d(x, offset, torch.ones(2, 1, 1, 1))


def max_pool_dx(seed, n):
    side = int(np.sqrt(n))
    x = torch.zeros(1, 2, 2 * side - 1, 2 * side - 1)
    x[:, :, side - 1, side - 1] = 1
    x.requires_grad_()
    dy = values(seed, (1, side, side, 2))
    F.max_pool2d(x, side, 1).backward(as_maps(dy))
    return error_of(x.grad[0, :, side - 1, side - 1].numpy(), sums_of(dy))


def weights_of_pixels(op):  # 1x1 depthwise weights
    def error(seed, n):
        side = int(np.sqrt(n))
        x, dy = values(2 * seed, (1, side, side, 2)), values(2 * seed + 1, (1, side, side, 2))
        w = torch.ones(2, 1, 1, 1, requires_grad=True)
        op(as_maps(x), w).backward(as_maps(dy))
        return error_of(w.grad.numpy(), sums_of(x, dy))
    return error


def depthwise(x, w):
    return F.conv2d(x, w, groups=2)


def deform_depthwise(x, w):
    return torchvision.ops.deform_conv2d(x, torch.zeros(1, 2, *x.shape[2:]), w)


def correlation(seed, n):
    side = int(np.sqrt(n))
    x, z = values(2 * seed, (1, side, side, 2)), values(2 * seed + 1, (1, side, side, 2))
    got = F.conv2d(as_maps(x), as_maps(z).permute(1, 0, 2, 3), groups=2)
    return error_of(got.numpy(), sums_of(x, z))


def uses_of_var(seed, n):
    dy = values(seed, (n, 2))
    x = torch.zeros(2, requires_grad=True)
    total = (x * 0).sum()
    for row in t(dy):
        total = total + (x * row).sum()
    total.backward()
    return error_of(x.grad.numpy(), sums_of(dy))


def variance(v):
    return ((v - v.sum() / LONG(v.size)) ** 2).sum() / LONG(v.size - 1)


def total(v):
    return v.sum()


CASES = {
    'sum, positive': reduction(torch.sum, total),
    'sum, around 0': reduction(torch.sum, total, 2, -1),
    'mean': reduction(torch.mean, lambda v: v.sum() / LONG(v.size)),
    'sum of rows (bias gradient)': bias_gradient,
    'variance, mean 1000': reduction(torch.var, variance, 1, 1000),
    'mse_loss': loss(F.mse_loss, lambda a, b: (a - b) ** 2),
    'l1_loss': loss(F.l1_loss, lambda a, b: np.abs(a - b)),
    'smooth_l1_loss': loss(F.smooth_l1_loss, smooth),
    'binary cross entropy': loss(
        F.binary_cross_entropy_with_logits,
        lambda a, b: b * np.log1p(np.exp(-a)) + (1 - b) * np.log1p(np.exp(a))),
    'cross entropy, rows of 10': cross_entropy(lambda n: n // 10, lambda n: 10),
    'cross entropy, classes': cross_entropy(lambda n: 1, lambda n: n),
    'cumsum': cumsum,
    'cumsum, dx': cumsum_dx,
    'layer_norm, y': norm(layer_norm, 1, 'y'),
    'layer_norm, dx': norm(layer_norm, 1, 'dx'),
    'layer_norm, dweight': layer_norm_dweight,
    'adaptive_avg_pool2d': average(lambda x, side: F.adaptive_avg_pool2d(x, 1)),
    'avg_pool2d': average(lambda x, side: F.avg_pool2d(x, side)),
    'upsample2d, dx': upsample_dx,
    'matmul': matmul,
    'matmul of rows (dweight)': matmul_of_rows,
    'conv2d': conv2d,
    'conv2d, dweight': conv2d_dweight,
    'grid_sample, dx': one_pixel(pixel_sample),
    'roi_align, dx': one_pixel(pixel_align),
    'roi_pool, dx': one_pixel(pixel_pool),
    'deform_roi_pool, dx': one_pixel(pixel_align),
    'map_offsets, dx': corner(corner_sample),
    'deform_conv2d, dx': corner(corner_deform),
    'max_pool2d, dx': max_pool_dx,
    'embedding, dweight': one_pixel(rows_of_table, (1, 2)),
    'conv2d depthwise, dweight': weights_of_pixels(depthwise),
    'deform_conv2d depthwise, dweight': weights_of_pixels(deform_depthwise),
    'deform_kernel depthwise, dweight': weights_of_pixels(depthwise),
    'kernels_of_scope, dweight': one_pixel(pixel_sample),
    'cross_correlation_depthwise': correlation,
    'cross_correlation_depthwise, dpattern': weights_of_pixels(depthwise),
    'Var of many uses': uses_of_var,
}
for name, op in (('batch_norm2d', batch_norm), ('group_norm', group_norm)):
    for what in ('y', 'dx', 'dweight', 'dbias'):
        CASES[f'{name}, {what}'] = norm(op, 2, what)

HEAD = """# Numerics: the errors of sums

Made by `bench/numerics.py` from what `pliant-numerics` prints; not to be edited:

```
cmake --preset release -DPLIANT_BENCH=ON && cmake --build --preset release --target pliant-numerics
build/release/pliant-numerics > /tmp/pliant.tsv
bench/numerics.py /tmp/pliant.tsv > docs/numerics.md  # with PyTorch {version}
```

Float32 results of long sums against sums in long double, over {seeds} seeded inputs for each row: the
median and the largest error, in units of the last place of the result (of the largest value of
y and dx of a norm; of products, of |a| |b|). PyTorch is {version} on the same inputs. A row is good
where neither is above the larger of PyTorch's and 1.

Sums are added up in float64 and rounded once: reductions, running sums, losses, norms and their
gradients, averages; terms that are scattered over a map, once a place of it has more than a hundred,
and the gradient of a Var, once it has more than 64 uses. Float32's squares do not overflow there, and the mean of values is finite where
they are; x - mean is taken about the mean as float64 has it, so that equal values have a variance
of 0. Norms are right for all finite inputs, in float64 too. What float32 does not hold is infinite:
a mean square beyond 3.4e38, an optimizer's second moment of gradients beyond 1.8e19 (clip() them;
their norm() is right for all finite ones).
Products are added up in float32, in blocks whose sums are added up in turn, those of depthwise
convolutions in float64. On a GPU some sums are float32's ([gpu.md](gpu.md), *Precision*).

`deform_roi_pool`, `map_offsets`, `deform_kernel`, `kernels_of_scope` and `cross_correlation_depthwise`
have beside them what does the same there with these numbers: `roi_align`, `grid_sample`, depthwise
convolutions.

| op | terms | median | largest | PyTorch's median | largest | |
|---|---:|---:|---:|---:|---:|---|"""


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ''
    torch.set_num_threads(2)
    print(HEAD.format(seeds=SEEDS, version=torch.__version__.split('+')[0]))
    bad = 0
    for line in open(sys.argv[1]):
        name, terms, median, most = line.rstrip().split('\t')
        if wanted not in name:
            continue
        errors = [CASES[name](seed, int(terms)) for seed in range(SEEDS)]
        theirs = float(np.median(errors)), max(errors)
        good = float(median) <= max(1, theirs[0]) and float(most) <= max(1, theirs[1])
        bad += not good
        print(f'| {name} | {int(terms):,} | {median} | {most} | {theirs[0]:.3g} | {theirs[1]:.3g} | '
              f'{"" if good else "**worse**"} |', flush=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
