#!/usr/bin/env python3
"""Takes the steps that segment_twin.cpp wrote out in PyTorch, and compares the losses:

  build/release/pliant-segment-twin FOLDER replace 50 float64
  bench/segment_twin.py FOLDER [THREADS]

Same first weights, batches, rates and rules; deformable layers are torchvision's operator. Without
dropout. Prints the largest relative difference of a loss, and is content below 1e-6 in float64.
"""
import json
import pathlib
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import deform_conv2d


DTYPES = {'F64': torch.float64, 'F32': torch.float32, 'I64': torch.int64}


def load_file(path):
    """The tensors of a safetensors file."""
    data = bytearray(path.read_bytes())
    size, = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, of in header.items():
        if name != '__metadata__':
            dtype, (begin, end) = DTYPES[of['dtype']], of['data_offsets']
            flat = torch.frombuffer(data, dtype=dtype, offset=8 + size + begin,
                                    count=(end - begin) // dtype.itemsize)
            tensors[name] = flat.reshape(of['shape'])
    return tensors


class DeformConv(nn.Module):
    def __init__(self, c, k, stride, dilation, learned=True):
        super().__init__()
        self.stride, self.dilation = stride, dilation
        self.weight = nn.Parameter(torch.empty(k, c, 3, 3))
        if learned:
            self.offset = nn.Conv2d(c, 18, 3, stride, dilation, dilation)

    def forward(self, x, offset=None):
        return deform_conv2d(x, self.offset(x) if offset is None else offset, self.weight,
                             stride=self.stride, padding=self.dilation, dilation=self.dilation)


class Extra(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.offset = nn.Conv2d(c, 18, 3, padding=1, bias=False)
        self.conv = DeformConv(c, c, 1, 1, learned=False)

    def forward(self, x):
        return self.conv(x, self.offset(x))


class Block(nn.Module):
    def __init__(self, c, k, stride, dilation, arm):
        super().__init__()

        def conv(c, k, stride):
            if arm == 'replace':
                return DeformConv(c, k, stride, dilation)
            return nn.Conv2d(c, k, 3, stride, dilation, dilation, bias=False)
        self.conv1, self.bn1 = conv(c, k, stride), nn.BatchNorm2d(k)
        self.conv2, self.bn2 = conv(k, k, 1), nn.BatchNorm2d(k)
        if arm.startswith('extra'):
            self.extra = Extra(k)
        if stride != 1 or c != k:
            self.downsample = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k))

    def forward(self, x):
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, 'extra'):
            h = self.extra(h)
        return F.relu(h + (self.downsample(x) if hasattr(self, 'downsample') else x))


class Trunk(nn.Module):
    def __init__(self, width, arm):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        c = width
        for stage in range(1, 5):
            k = width << (stage - 1)
            dilation = 2 if stage == 4 else 1  # output stride 16
            blocks = []
            for i in range(2):
                stride = 2 if i == 0 and stage in (2, 3) else 1
                blocks.append(Block(c, k, stride, dilation, arm if stage == 4 else 'plain'))
                c = k
            setattr(self, f'layer{stage}', nn.Sequential(*blocks))

    def forward(self, x):
        first = self.layer1(F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1))
        return first, self.layer4(self.layer3(self.layer2(first)))


def convolved(c, k, kernel, dilation=1):
    return nn.Sequential(nn.Conv2d(c, k, kernel, padding=kernel // 2 * dilation, dilation=dilation,
                                   bias=False), nn.BatchNorm2d(k), nn.ReLU())


def enlarged(x, like):
    return F.interpolate(x, like.shape[2:], mode='bilinear', align_corners=True)


class DeepLab(nn.Module):
    def __init__(self, about):
        super().__init__()
        width, aspp, low = about['width'], about['aspp'], about['low']
        self.trunk = Trunk(width, about['arm'])
        self.aspp = nn.ModuleList([convolved(8 * width, aspp, 1)] +
                                  [convolved(8 * width, aspp, 3, rate) for rate in about['rates']])
        self.pool = convolved(8 * width, aspp, 1)
        self.project = convolved((len(about['rates']) + 2) * aspp, aspp, 1)
        self.low = convolved(width, low, 1)
        self.last = nn.ModuleList([convolved(aspp + low, aspp, 3), convolved(aspp, aspp, 3),
                                   nn.Sequential(nn.Conv2d(aspp, about['classes'], 1))])

    def forward(self, images):
        first, high = self.trunk(images)
        maps = [branch(high) for branch in self.aspp]
        maps.append(self.pool(high.mean((2, 3), keepdim=True)).expand_as(maps[0]))
        wide = self.project(torch.cat(maps, 1))
        both = torch.cat([enlarged(wide, first), self.low(first)], 1)
        return enlarged(self.last[2](self.last[1](self.last[0](both))), images)


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    about = json.loads((folder / 'steps.json').read_text(encoding='utf-8'))
    dtype = getattr(torch, about['dtype'])
    net = DeepLab(about).to(dtype)
    weights = load_file(folder / 'weights.safetensors')
    missing, unexpected = net.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith('num_batches_tracked')]
    assert not missing and not unexpected, (missing, unexpected)
    held = {name for name, _ in net.named_parameters()
            if about['arm'] == 'extra-fixed' and '.extra.offset.' in name}
    branches = [p for name, p in net.named_parameters() if '.offset.' in name and name not in held]
    rest = [p for name, p in net.named_parameters() if '.offset.' not in name]
    groups = [{'params': rest, 'share': 1}]
    if branches:
        groups.append({'params': branches, 'share': about['branch_rate']})
    sgd = torch.optim.SGD(groups, lr=1, momentum=about['momentum'],
                          weight_decay=about['weight_decay'])
    worst = 0
    for number, step in enumerate(about['steps']):
        batch = load_file(folder / f'batch{number}.safetensors')
        images = batch['images'].to(dtype).permute(0, 3, 1, 2)
        loss = F.cross_entropy(net(images), batch['labels'], ignore_index=255)
        for group in sgd.param_groups:
            group['lr'] = step['lr'] * group['share']
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        apart = abs(loss.item() - step['loss']) / abs(step['loss'])
        worst = max(worst, apart)
        print(f'step {number + 1}: {loss.item():.12f} and {step["loss"]:.12f}, {apart:.1e} apart',
              flush=True)
    print(f'{about["arm"]}, {about["dtype"]}: losses of {len(about["steps"])} steps are at most '
          f'{worst:.1e} apart')
    return 0 if about['dtype'] != 'float64' or worst < 1e-6 else 1


if __name__ == '__main__':
    sys.exit(main())
