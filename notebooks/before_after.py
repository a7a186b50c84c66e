"""Draws before-after.png, the picture in README: the photograph beside itself in 16 colours."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import lloydq
from lloydq.demo import PHOTO

SHRINK, GAP, STRIP, CAPTION = 4, 12, 16, 34


def main() -> None:
    q = lloydq.quantize(PHOTO, 16)
    before, after = Image.open(PHOTO).reduce(SHRINK), q.image.resize((1920 // SHRINK, 1080 // SHRINK))
    width, height = before.size
    sheet = Image.new("RGB", (2 * width + GAP, height + STRIP + CAPTION), "white")
    sheet.paste(before, (0, 0))
    sheet.paste(after.convert("RGB"), (width + GAP, 0))
    swatches = Image.fromarray(q.palette.colors[None].copy()).resize((width, STRIP), Image.Resampling.NEAREST)
    sheet.paste(swatches, (width + GAP, height + 2))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    draw.text((0, height + STRIP + 8), f"{q.n_distinct:,} colours", fill="black", font=font)
    note = f"16 colours: PSNR {q.psnr:.1f} dB, {q.n_iter} iterations until no label changed"
    draw.text((width + GAP, height + STRIP + 8), note, fill="black", font=font)
    sheet.save(Path(__file__).parent / "before-after.png", optimize=True)


if __name__ == "__main__":
    main()
