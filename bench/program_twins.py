"""The programs of docs/guide/programs in PyTorch: the same nets, batches, losses and optimizers.

Each is a generator that yields the number of its parameters and then, after every step, the loss. Data is
drawn as there, by PyTorch's own generator.
"""
import os
import tempfile

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.models.detection import faster_rcnn, rpn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.resnet import BasicBlock


def clipped_step(net, optimizer, schedule, images, labels):
    """Of a classifier, gradients of norm 1 at most; the loss before it."""
    optimizer.zero_grad()
    loss = F.cross_entropy(net(images), labels)
    loss.backward()
    clip_grad_norm_(net.parameters(), 1)
    optimizer.step()
    schedule.step()
    return loss


def count(*nets):
    return sum(p.numel() for net in nets for p in net.parameters())


def digits(number, size, epochs):
    """Batches of make_digits' shape: uint8 pictures that become float32 as they are taken."""
    images = torch.randint(0, 256, (number, 1, 28, 28), dtype=torch.uint8)
    labels = torch.randint(0, 10, (number,))
    for _ in range(epochs):
        for taken in torch.randperm(number).split(size):
            yield images[taken].float() / 255, labels[taken]


class UNet(nn.Module):
    @staticmethod
    def block(c, k):
        return nn.Sequential(nn.Conv2d(c, k, 3, padding=1, bias=False), nn.BatchNorm2d(k), nn.ReLU(),
                             nn.Conv2d(k, k, 3, padding=1, bias=False), nn.BatchNorm2d(k), nn.ReLU())

    def __init__(self):
        super().__init__()
        self.down1, self.down2 = self.block(1, 16), self.block(16, 32)
        self.bottom = self.block(32, 64)
        self.wide2, self.up2 = nn.ConvTranspose2d(64, 32, 2, 2), self.block(64, 32)
        self.wide1, self.up1 = nn.ConvTranspose2d(32, 16, 2, 2), self.block(32, 16)
        self.head = nn.Conv2d(16, 1, 1)

    def forward(self, images):
        x1 = self.down1(images)
        x2 = self.down2(F.max_pool2d(x1, 2))
        y2 = self.up2(torch.cat((self.wide2(self.bottom(F.max_pool2d(x2, 2))), x2), 1))
        return self.head(self.up1(torch.cat((self.wide1(y2), x1), 1)))


def discs(number, side=32):
    line = torch.arange(side).float()
    row, column = torch.rand(2, number, 1, 1, 1) * 16 + 8
    away = (line.reshape(1, 1, side, 1) - row) ** 2 + (line.reshape(1, 1, 1, side) - column) ** 2
    masks = (away < 36).float()
    return masks + torch.randn(number, 1, side, side) * 0.5, masks


def unet():
    net = UNet().to(memory_format=torch.channels_last)  # which is faster than not
    yield count(net)
    adam = torch.optim.Adam(net.parameters(), lr=3e-3, fused=True)
    while True:
        images, masks = discs(8)
        adam.zero_grad()
        logits = net(images)
        p = logits.sigmoid()
        dice = (2 * (p * masks).sum((2, 3)) + 1e-5) / (p.sum((2, 3)) + masks.sum((2, 3)) + 1e-5)
        loss = F.binary_cross_entropy_with_logits(logits, masks) + (1 - dice).mean()
        loss.backward()
        adam.step()
        yield loss.item()


class ViT(nn.Module):
    def __init__(self, features=64):
        super().__init__()
        self.patches = nn.Conv2d(1, features, 7, 7)
        self.token = nn.Parameter(torch.randn(1, 1, features) * 0.02)
        self.position = nn.Parameter(torch.randn(1, 17, features) * 0.02)
        self.layers = nn.Sequential(*[nn.TransformerEncoderLayer(
            features, 4, 2 * features, 0, F.gelu, batch_first=True, norm_first=True)
                                      for _ in range(3)])
        self.norm, self.head = nn.LayerNorm(features), nn.Linear(features, 10)

    def forward(self, images):
        seen = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(len(images), -1, -1), seen), 1) + self.position
        return self.head(self.norm(self.layers(x)[:, 0]))


def vit():
    net = ViT()
    yield count(net)
    plain = [p for name, p in net.named_parameters()
             if name.endswith("bias") or "norm" in name or name in ("token", "position")]
    decayed = [p for p in net.parameters() if not any(p is other for other in plain)]
    adam = torch.optim.AdamW([{"params": decayed}, {"params": plain, "weight_decay": 0}],
                             weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, 160)
    for images, labels in digits(2000, 50, 4):
        loss = clipped_step(net, adam, schedule, images, labels)
        yield loss.item()


class DCNv4(nn.Module):
    """Its core by grid_sample, as DCNv3's authors wrote theirs for the CPU; DCNv4's is CUDA alone."""

    def __init__(self, channels, groups):
        super().__init__()
        self.groups = groups
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.offset_mask = nn.Linear(channels, (27 * groups + 7) // 8 * 8)
        nn.init.zeros_(self.offset_mask.weight)
        nn.init.zeros_(self.offset_mask.bias)
        self.value, self.output = nn.Linear(channels, channels), nn.Linear(channels, channels)

    def forward(self, x):
        n, h, w, c = x.shape
        g = self.groups
        branch = self.offset_mask(self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        branch = branch[..., :27 * g].reshape(n, h, w, g, 27)
        offset = branch[..., :18].reshape(n, h, w, g, 9, 2)
        mask = branch[..., 18:].permute(0, 3, 1, 2, 4).reshape(n * g, 1, h * w, 9)
        rows, columns, taps = torch.arange(h), torch.arange(w), torch.arange(-1, 2)
        place = torch.stack((
            (columns.view(1, w, 1, 1) + taps.view(1, 1, 3, 1)).expand(h, w, 3, 3),
            (rows.view(h, 1, 1, 1) + taps.view(1, 1, 1, 3)).expand(h, w, 3, 3)), -1)
        place = place.reshape(h, w, 1, 9, 2) + offset
        grid = (2 * place + 1) / torch.tensor((w, h)) - 1
        grid = grid.permute(0, 3, 1, 2, 4, 5).reshape(n * g, h * w, 9, 2)
        value = self.value(x).reshape(n, h, w, g, c // g).permute(0, 3, 4, 1, 2)
        taken = F.grid_sample(value.reshape(n * g, c // g, h, w), grid, align_corners=False)
        y = (taken * mask).sum(-1).reshape(n, c, h, w).permute(0, 2, 3, 1)
        return self.output(y)


class DCNBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.dcn = DCNv4(channels, channels // 16)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)

    def forward(self, x):
        y = x + self.dcn(self.norm1(x))
        return y + self.narrow(F.gelu(self.wide(self.norm2(y))))


class DCNNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.block1 = nn.Conv2d(1, 32, 3, 2, 1), DCNBlock(32)
        self.conv2, self.block2 = nn.Conv2d(32, 64, 3, 2, 1), DCNBlock(64)
        self.head = nn.Linear(64, 10)

    def forward(self, x):  # convolutions want channels first, what is between them channels last
        y = self.block1(self.conv1(x).permute(0, 2, 3, 1))
        y = self.block2(self.conv2(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return self.head(y.mean((1, 2)))


def dcn_v4():
    net = DCNNet()
    yield count(net)
    adam = torch.optim.AdamW(net.parameters(), weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 5e-3, 80)
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.98))
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for step, (images, labels) in enumerate(digits(640, 32, 4), 1):
            loss = clipped_step(net, adam, schedule, images, labels)
            average.update_parameters(net)
            yield loss.item()
            if step % 10 == 0:  # a file that outlives the power, as there
                with open(os.path.join(folder, "next"), "wb") as file:
                    torch.save([part.state_dict() for part in (net, adam, schedule, average)], file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(file.name, os.path.join(folder, "checkpoint"))


class Vae(nn.Module):
    def __init__(self, pixels=784, code=16):
        super().__init__()
        self.encoder, self.mean = nn.Linear(pixels, 200), nn.Linear(200, code)
        self.log_variance = nn.Linear(200, code)
        self.decoder, self.pixels = nn.Linear(code, 200), nn.Linear(200, pixels)

    def loss(self, images):
        h = F.relu(self.encoder(images))
        m, v = self.mean(h), self.log_variance(h)
        code = m + (v * 0.5).exp() * torch.randn_like(m)
        logits = self.pixels(F.relu(self.decoder(code)))
        seen = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        prior = (m.square() + v.exp() - v - 1).sum() * 0.5
        return (seen + prior) / len(images)


def vae():
    net = Vae()
    yield count(net)
    adam = torch.optim.Adam(net.parameters(), lr=2e-3, fused=True)
    for images, _ in digits(2000, 50, 5):
        adam.zero_grad()
        loss = net.loss(images.flatten(1))
        loss.backward()
        adam.step()
        yield loss.item()


def mlp(c, k):
    return nn.Sequential(nn.Linear(c, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2),
                         nn.Linear(64, k))


def gan(n=128):
    generator, critic = mlp(8, 2), mlp(2, 1)
    yield count(generator, critic)
    makes, judges = (torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999), fused=True)
                     for net in (generator, critic))
    real, made_up = torch.ones(n, 1), torch.zeros(n, 1)
    while True:
        with torch.no_grad():
            fake = generator(torch.randn(n, 8))
        turn = torch.rand(n, 1) * (2 * torch.pi)
        points = torch.cat((turn.cos(), turn.sin()), 1) + torch.randn(n, 2) * 0.05
        judges.zero_grad()
        (F.binary_cross_entropy_with_logits(critic(points), real) +
         F.binary_cross_entropy_with_logits(critic(fake), made_up)).backward()
        judges.step()
        makes.zero_grad()
        loss = F.binary_cross_entropy_with_logits(critic(generator(torch.randn(n, 8))), real)
        loss.backward()
        makes.step()
        yield loss.item()


class DeformRoIPool(nn.Module):
    """By grid_sample: torchvision has no deformable RoI pooling, and its roi_align is slower yet."""

    def __init__(self, channels, bins=7, samples=4, scale=1 / 16):
        super().__init__()
        self.bins, self.samples, self.scale = bins, samples, scale
        self.offset = nn.Linear(bins * bins * channels, 2 * bins * bins)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def forward(self, features, proposals, _):
        x, b, s = features["0"], self.bins, self.samples
        counts, corners = [len(boxes) for boxes in proposals], torch.cat(proposals) * self.scale
        start, side = corners[:, :2], corners[:, 2:] - corners[:, :2]
        along = (torch.arange(b * s) / (b * s)).reshape(b, s)
        within = torch.stack((along.reshape(1, b, 1, s).expand(b, b, s, s),
                              along.reshape(b, 1, s, 1).expand(b, b, s, s)), -1)

        def pooled(trans):  # [R b b 1 1 2] -> [R C b b]
            place = (within + trans * 0.1) * side.reshape(-1, 1, 1, 1, 1, 2)
            place = (place + start.reshape(-1, 1, 1, 1, 1, 2)).reshape(-1, b * b, s * s, 2)
            grids = (2 * place / torch.tensor((x.shape[3], x.shape[2])) - 1).split(counts)
            bins = [F.grid_sample(x[n:n + 1], of.flatten(1, 2)[None], padding_mode="border",
                                  align_corners=False).unflatten(3, (b, b, s * s)).mean(-1)
                    for n, of in enumerate(grids)]
            return torch.cat(bins, 2)[0].transpose(0, 1)

        still = pooled(torch.zeros(len(corners), 1, 1, 1, 1, 2))
        return pooled(self.offset(still.flatten(1)).reshape(-1, b, b, 1, 1, 2))


def trunk(width=32):
    """ResNet's stem and three stages of two basic blocks, for pictures of three colours."""
    layers, c = [nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                 nn.MaxPool2d(3, 2, 1)], width
    for stage in range(3):
        k, stride = width << stage, 2 if stage else 1
        down = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k)) if stage else None
        layers += [BasicBlock(c, k, stride, down), BasicBlock(k, k)]
        c = k
    net = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    net.out_channels = c
    return net


def detector():
    body = trunk()
    c = body.out_channels
    net = faster_rcnn.FasterRCNN(
        body, min_size=64, max_size=64, image_mean=[0] * 3, image_std=[1] * 3, _skip_resize=True,
        rpn_anchor_generator=AnchorGenerator(((24, 48, 96, 160),), ((0.5, 1, 2),)),
        rpn_head=rpn.RPNHead(c, 12), rpn_pre_nms_top_n_train=600, rpn_post_nms_top_n_train=200,
        rpn_batch_size_per_image=128,
        box_roi_pool=torchvision.ops.MultiScaleRoIAlign(["0"], 7, 2),  # replaced below
        box_head=faster_rcnn.TwoMLPHead(49 * c, 256), box_predictor=faster_rcnn.FastRCNNPredictor(256, 2),
        box_batch_size_per_image=64, box_positive_fraction=0.25)
    net.roi_heads.box_roi_pool = DeformRoIPool(c)
    return net


def squares(number):
    pictures, truth = torch.randn(number, 3, 64, 64) * 0.3, []
    for picture in pictures:
        side, y, x = (int(torch.randint(low, high, ())) for low, high in ((20, 36), (1, 29), (2, 30)))
        picture[:, y:y + side, x:x + side] += 1.5
        truth.append({"boxes": torch.tensor([[x, y, x + side, y + side]]).float(),
                      "labels": torch.ones(1, dtype=torch.int64)})
    return list(pictures), truth


def two_stage():
    net = detector()
    yield count(net)
    branch = list(net.roi_heads.box_roi_pool.offset.parameters())
    rest = [p for p in net.parameters() if not any(p is other for other in branch)]
    adam = torch.optim.AdamW([{"params": rest}, {"params": branch, "lr": 1e-4}], lr=1e-3, fused=True)
    while True:
        pictures, truth = squares(4)
        adam.zero_grad()
        loss = sum(net(pictures, truth).values())
        loss.backward()
        clip_grad_norm_(net.parameters(), 10)
        adam.step()
        yield loss.item()


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(2, 32, batch_first=True), nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.gru(x)[1][0])[:, 0]


def gru(number=64, steps=8):
    net = Adder()
    yield count(net)
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, fused=True)
    while True:
        numbers, marks = torch.rand(number, steps), torch.zeros(number, steps)
        marks.scatter_(1, torch.randint(0, steps // 2, (number, 2)) + torch.tensor((0, steps // 2)), 1)
        adam.zero_grad()
        loss = F.mse_loss(net(torch.stack((numbers, marks), -1)), (numbers * marks).sum(1))
        loss.backward()
        clip_grad_norm_(net.parameters(), 1)
        adam.step()
        yield loss.item()


TWINS = {"unet": unet, "vit": vit, "dcn_v4": dcn_v4, "vae": vae, "gan": gan, "two_stage": two_stage,
         "gru": gru}
