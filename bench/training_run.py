#!/usr/bin/env python3
"""What training_run.cpp does, in PyTorch: training_run.py MNIST_FOLDER STEPS THREADS."""
import gzip
import json
import os
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F


def idx(folder, name, header):
    path = os.path.join(folder, name)
    opened = gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb")
    with opened as file:
        return torch.from_numpy(numpy.frombuffer(file.read(), numpy.uint8, offset=header).copy())


class Block(nn.Module):
    def __init__(self, c, k, stride):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(c, k, 3, stride=stride, padding=1 if stride == 1 else 0)
        self.norm = nn.BatchNorm2d(k, eps=1e-3)

    def forward(self, x):
        return self.norm(F.relu(self.conv(F.pad(x, (0, 1, 0, 1)) if self.stride == 2 else x)))


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(1, 32, 1), Block(32, 64, 2), Block(64, 128, 1),
                                    Block(128, 128, 2))
        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        return self.fc(self.blocks(x).mean((2, 3)))


def peak_memory():
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    folder, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    images = idx(folder, "train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    labels = idx(folder, "train-labels-idx1-ubyte", 8).long()
    net = DigitNet().to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    order = torch.randperm(len(images))
    first = 0
    for step in range(steps):
        take = order[step * 64:(step + 1) * 64]
        batch = (images[take].float() / 255).to(memory_format=torch.channels_last)
        adam.zero_grad()
        loss = F.cross_entropy(net(batch), labels[take])
        loss.backward()
        adam.step()
        if step == 0:
            first = time.clock_gettime(time.CLOCK_MONOTONIC)
    print(json.dumps({"first_step": first, "peak_kb": peak_memory(), "loss": loss.item()}))


if __name__ == "__main__":
    main()
