"""Draws dithering.png, the picture in README: a part of the photograph in 16 colours, dithered in each way."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lloydq import quantize
from lloydq.demo import PHOTO
from lloydq.dither import KINDS
from lloydq.image import load

TOP, LEFT, HEIGHT, WIDTH = 250, 700, 230, 300
CAPTION, GAP, SCALE = 34, 8, 2

photo = load(PHOTO).pixels
sheet = Image.new("RGB", (2 * SCALE * WIDTH + GAP, 2 * (SCALE * HEIGHT + CAPTION)), "white")
draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
for i, kind in enumerate(KINDS):
    q = quantize(photo, 16, dither=kind)
    part = q.indices[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH]
    shown = Image.fromarray(np.kron(q.palette.colors[part], np.ones((SCALE, SCALE, 1), np.uint8)))
    x, y = i % 2 * (SCALE * WIDTH + GAP), i // 2 * (SCALE * HEIGHT + CAPTION)
    sheet.paste(shown, (x, y))
    draw.text((x + 2, y + SCALE * HEIGHT + 5), f"{kind}: {len(q.png):,} bytes", fill="black", font=font)
quantize(sheet, 64).save(Path(__file__).with_name("dithering.png"))
