#!/usr/bin/env python3
"""Makes the images of this folder with Pillow: each kind of file with its grays, NAME.pgm, beside it.

The grays are Pillow's own reading, upright, over white, in the luma of data/image_file.cpp.
"""
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageOps

FOLDER = pathlib.Path(__file__).parent


def seven(side=24):
    image = Image.new("RGB", (side, side + 4), (250, 250, 240))
    draw = ImageDraw.Draw(image)
    draw.line([(5, 6), (19, 6), (10, 23)], fill=(20, 30, 120), width=3)
    return image


def grays(path):
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I;16"):
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode in ("P", "LA", "RGBA"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    r, g, b = (np.asarray(c).astype(int) for c in image.convert("RGB").split())
    return ((77 * r + 150 * g + 29 * b + 128) >> 8).astype(np.uint8)


def save(name, image, **options):
    image.save(FOLDER / name, **options)
    Image.fromarray(grays(FOLDER / name)).save((FOLDER / name).with_suffix(".pgm"))


def main():
    upright = seven()
    save("progressive.jpg", upright, quality=80, progressive=True)
    save("cmyk.jpg", upright.convert("CMYK"), quality=90)
    save("restart.jpg", upright.convert("L"), quality=80, restart_marker_blocks=2)
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x0112] = 6
    save("on_its_side.jpg", upright.rotate(90, expand=True), quality=90, exif=exif)
    save("palette.png", upright.quantize(7))
    clear = upright.quantize(7)
    save("transparent_palette.png", clear, transparency=clear.getpixel((0, 0)))
    save("palette.bmp", upright.quantize(7))
    save("bits.bmp", upright.convert("1"))
    save("bits.png", upright.convert("1"))
    deep = (np.asarray(upright.convert("L")).astype(np.uint16) << 8) + 0x12
    save("deep.png", Image.fromarray(deep))


if __name__ == "__main__":
    main()
