"""The arguments of each command."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .. import __version__

COMMANDS = """\
commands:
  lloydq PICTURE …    write pictures in fewer colours, as described above
  lloydq palette      the colours of a picture, or of a palette file: shown, sorted, written as a palette file
  lloydq compare      k-means beside random palettes and other quantizers: a table and a picture
  lloydq steps        a page that walks through the algorithm, on a picture or on points of your own
  lloydq demo         the whole story, on a photograph that comes with the package
  lloydq info         versions, threads, cache folder, compiled kernels
  lloydq warmup       compile now what is otherwise compiled on first use

A picture that is called like a command is reached as ./demo.

examples:
  lloydq photo.jpg -k 64                              photo-64.png beside it
  lloydq *.png -k 64 --shared --output-dir small      one palette for all of them
  lloydq photo.jpg --psnr 38                          the fewest colours that reach 38 dB
  lloydq logo.png -k 16 --lock '#e30613'              a colour that must not move
  lloydq photo.jpg --palette brand.gpl --dither blue-noise
  lloydq - -k 32 < photo.jpg > small.png
"""
TARGETS = ("psnr", "mse", "delta_e", "max_bytes")
PICTURE = "a file that Pillow reads: JPEG, PNG, WebP, TIFF, GIF, …"


def _number(bounds: str, convert: Callable[[str], Any], within: Callable[[Any], bool]) -> Callable[[str], Any]:
    """An argparse type: a number in these bounds."""

    def parse(text: str) -> Any:
        try:
            number = convert(text)
        except ValueError:
            number = None
        if number is None or not within(number):
            raise argparse.ArgumentTypeError(f"must be {bounds}; got {text}")
        return number

    return parse


def whole(least: int, most: int | None = None) -> Callable[[str], Any]:
    """A whole number in these bounds."""
    bounds = f"from {least} to {most}" if most else f"from {least} on"
    return _number(f"a whole number {bounds}", int, lambda n: n >= least and (most is None or n <= most))


def _colors(text: str) -> Any:
    return "auto" if text == "auto" else whole(1, 256)(text)


_positive = _number("a number from 0 on", float, lambda x: 0 <= x < float("inf"))
_fraction = _number("a number from 0 to 1", float, lambda x: 0 <= x <= 1)


def _color(text: str) -> str:
    from ..checks import color

    try:
        color(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _alpha(text: str) -> str:
    from ..checks import alpha

    try:
        return alpha(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser(name: str, description: str, what: str = "", **more: Any) -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    usage = f"{name} {what} [options]".replace("  ", " ")
    parser = argparse.ArgumentParser(name, usage, description, formatter_class=formatter, **more)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _one_picture(parser: argparse.ArgumentParser, k_help: str, *, what: str = "colours", kinds: str = ".png") -> None:
    parser.add_argument("picture", metavar="PICTURE", help=f"{PICTURE}; - is stdin")
    _frame(parser)
    parser.add_argument("-k", type=whole(1, 256), metavar="N", help=f"{what}, 1 to 256 ({k_help})")
    _output(parser, f"where to write, a name that ends in {kinds}")
    _common(parser)


def _output(parser: Any, text: str) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help=text)
    parser.add_argument("--force", action="store_true", help="replace the output if it exists")


def _common(parser: Any) -> None:
    parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (0)")
    parser.add_argument("--threads", type=whole(1), metavar="N", help="threads (the available processors)")
    parser.add_argument("--verify", action="store_true", help="check every step and every label with plain NumPy")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notices, no progress")


def _loop(parser: Any, init: str) -> None:
    parser.add_argument("--init", choices=("k-means++", "random"), default=init, help=f"first centroids ({init})")
    parser.add_argument(
        "--tol", type=_positive, default=0.0, metavar="X",
        help="stop when the centroids move less; 0: when no label changes (0)",
    )  # fmt: skip
    parser.add_argument("--max-iter", type=whole(1), metavar="N", help="iterations at most (no limit)")


def _reading(parser: Any) -> None:
    parser.add_argument(
        "--alpha", type=_alpha, default="keep", metavar="HOW",
        help="transparent pixels: keep, drop, or a colour '#rrggbb' to put behind them (keep)",
    )  # fmt: skip
    _frame(parser)


def _frame(parser: Any) -> None:
    parser.add_argument("--frame", type=whole(0), metavar="N", help="of an animation, counted from 0 (the first)")
    parser.add_argument(
        "--max-pixels", type=whole(1), metavar="N", help="refuse pictures of more pixels (178,956,970, Pillow's limit)"
    )


def _choosing(parser: Any, k_help: str) -> None:
    """Which colours."""
    parser.add_argument("-k", type=_colors, metavar="N", help=f"colours, 1 to 256, or auto ({k_help})")
    parser.add_argument("--psnr", type=_positive, metavar="DB", help="as few colours as reach this")
    parser.add_argument("--mse", type=_positive, metavar="X", help="as few colours as stay within this")
    parser.add_argument(
        "--delta-e", type=_positive, metavar="X", help="the same of the mean ΔE2000 (needs scikit-image)"
    )
    parser.add_argument("--max-bytes", type=whole(1), metavar="N", help="as many colours as a PNG of this size holds")
    parser.add_argument(
        "--lock", type=_color, action="append", default=[], metavar="COLOUR",
        help="a colour '#rrggbb' that is kept to the byte and does not move; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--space", choices=("srgb", "oklab"), default="srgb", help="where distances are measured (srgb)"
    )
    parser.add_argument(
        "--weights", metavar="FILE", help="a picture as large: how much each pixel counts, by lightness"
    )
    parser.add_argument("--sample", type=whole(1), metavar="N", help="fit on N random pixels instead of on all")
    parser.add_argument("--restarts", type=whole(1), default=1, metavar="N", help="the best of N starts (1)")
    _loop(parser, "k-means++")


def _quantize_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq",
        "Write pictures in fewer colours, found by Lloyd's k-means on all their pixels, as indexed PNGs beside them.",
        "PICTURE …",
        epilog=COMMANDS,
    )
    parser.add_argument("pictures", metavar="PICTURE", nargs="+", help=f"{PICTURE}; - is stdin")
    colors = parser.add_argument_group("colours")
    _choosing(colors, "256")
    colors.add_argument("--shared", action="store_true", help="one palette for all pictures")
    colors.add_argument(
        "--palette", metavar="FILE",
        help="these colours and no others: .gpl, .hex, .pal, .json, .css, or any indexed picture",
    )  # fmt: skip
    colors.add_argument(
        "--dither", choices=("none", "floyd-steinberg", "bayer", "blue-noise"), default="none", help="(none)"
    )
    colors.add_argument("--strength", type=_fraction, default=1.0, metavar="X", help="of the dithering, 0 to 1 (1)")
    files = parser.add_argument_group("files")
    _reading(files)
    _output(files, "where to write, a name that ends in .png or .gif; - is stdout")
    files.add_argument("--output-dir", metavar="DIR", help="a folder for the results; made if it is not there")
    files.add_argument("--ext", metavar="END", help="what results are called after the picture's name (-64.png)")
    files.add_argument("--format", choices=("png", "gif"), help="(by the name; png)")
    files.add_argument("--strip", action="store_true", help="leave out EXIF, XMP, resolution and texts")
    files.add_argument("--skip-if-larger", action="store_true", help="write nothing that is not smaller than the input")
    files.add_argument("--jobs", type=whole(1), metavar="N", help="pictures at a time (the available processors)")
    others = parser.add_argument_group("other")
    _common(others)
    others.add_argument("--json", action="store_true", help="print what was done as JSON on stdout")
    others.add_argument("-v", "--verbose", action="store_true", help="say each iteration and the time of each stage")
    others.add_argument("--version", action="version", version=f"lloydq {__version__}")
    return parser


def _palette_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq palette",
        "The colours of a picture, found by k-means, or those of a palette file: shown, and written with -o.",
        "FILE",
    )
    parser.add_argument("picture", metavar="FILE", help="a picture, or a palette: .gpl, .hex, .pal, .json, .css")
    _choosing(parser, "8")
    parser.add_argument(
        "--sort", choices=("frequency", "luminance", "hue"), help="(frequency; as they stand in a file)"
    )
    _reading(parser)
    _output(parser, "a palette file to write: .gpl, .hex, .pal, .json or .css")
    _common(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of swatches")
    return parser


def _steps_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq steps",
        "Lloyd's algorithm on all pixels of a picture, step by step: one HTML file to walk through forwards and\n"
        "backwards, or with -o NAME.gif an animation, with -o NAME.png a sheet of chosen steps. A file that ends in\n"
        ".csv, .tsv or .txt has points in the plane, x and y on each line.",
        "PICTURE",
    )
    _one_picture(parser, "8", what="clusters", kinds=".html, .gif or .png")
    _loop(parser, "random")
    return parser


def _compare_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq compare",
        "k-means on a sample and on all pixels beside two random palettes and, with --with, other quantizers:\n"
        "a table, and a picture of all of them.",
        "PICTURE",
    )
    _one_picture(parser, "64")
    parser.add_argument(
        "--with", dest="rivals", type=_names, default=(), metavar="NAMES",
        help="others that are installed, with commas: pillow,imagequant,sklearn,pngquant,imagemagick",
    )  # fmt: skip
    return parser


def _names(text: str) -> Sequence[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _demo_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq demo",
        "The whole story on a photograph that comes with the package; pictures go to ./lloydq-demo/.",
    )
    _common(parser)
    return parser


def parse(command: str, words: Sequence[str]) -> argparse.Namespace:
    """The options of a command; the end of the process where they do not fit together."""
    parser = PARSERS[command]()
    options = parser.parse_args(_joined(words))
    if hasattr(options, "psnr"):
        options.target = {name: value for name in TARGETS if (value := getattr(options, name)) is not None} or None
        if options.k == "auto" and not options.target:
            parser.error("-k auto needs a target: --psnr, --mse, --delta-e or --max-bytes")
        if options.target and options.k not in (None, "auto"):
            parser.error(f"-k {options.k} and a target for the number of colours: give one of them")
        options.k = "auto" if options.target else options.k
    if command == "":
        options.pictures = list(dict.fromkeys(options.pictures))
    if command == "" and (wrong := _conflict(options)):
        parser.error(wrong)
    return options


def _joined(words: Sequence[str]) -> list[str]:
    """The same with --ext=-small.png for --ext -small.png, which argparse would take for an option."""
    found = list[str]()
    for word in words:
        if found and found[-1] == "--ext":
            found[-1] = f"--ext={word}"
        else:
            found.append(word)
    return found


def _conflict(options: argparse.Namespace) -> str | None:
    """What does not fit together."""
    to_stdout = options.output == "-" or ("-" in options.pictures and not (options.output or options.output_dir))
    fits = (
        options.k, options.shared, options.lock, options.weights, options.sample, options.tol, options.max_iter,
        options.restarts > 1, options.init != "k-means++",
    )  # fmt: skip
    return next(
        (
            message
            for wrong, message in (
                (options.output and len(options.pictures) > 1, "-o is for one picture: use --output-dir or --ext"),
                (options.output and options.output_dir, "-o and --output-dir: give one of them"),
                (options.output and options.ext, "-o and --ext: give one of them"),
                (to_stdout and len(options.pictures) > 1, "only one picture goes to stdout: use --output-dir"),
                (to_stdout and options.json, "--json and the picture both want stdout: name the picture with -o"),
                (
                    options.palette and any(fits),
                    "--palette has its colours: no -k, --shared, --lock, nor options of the fit",
                ),
                (options.strength != 1 and options.dither == "none", "--strength is for --dither"),
                (options.shared and options.k == "auto", "--shared needs a number of colours: -k N"),
                (options.shared and (options.sample or options.weights), "--shared: no --sample, no --weights"),
            )
            if wrong
        ),
        None,
    )


PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "": _quantize_parser,
    "palette": _palette_parser,
    "compare": _compare_parser,
    "steps": _steps_parser,
    "demo": _demo_parser,
    "info": partial(_parser, "lloydq info", "Versions, threads, the cache folder, and whether kernels are compiled."),
    "warmup": partial(_parser, "lloydq warmup", "Compile the kernels now, into the cache."),
}
