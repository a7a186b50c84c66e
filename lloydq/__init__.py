"""Lloyd's k-means and colour quantization. The names below are loaded when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_ROOM = {
    "ConvergenceWarning": "protocol",
    "KMeans": "estimator",
    "NotFittedError": "protocol",
    "Palette": "palette",
    "Quantized": "quantized",
    "Step": "lloyd",
    "Sums": "lloyd",
    "VerificationError": "passes",
    "add_up": "lloyd",
    "apply_palette": "quantizer",
    "assign": "lloyd",
    "k_means": "estimator",
    "kmeans_plusplus": "seeding",
    "merge": "parts",
    "nearest": "estimator",
    "partial": "parts",
    "pixels": "image",
    "quantize": "quantizer",
    "random_points": "lloyd",
    "shared_palette": "quantizer",
    "steps": "lloyd",
    "update": "lloyd",
}
__all__ = ["__version__", *_ROOM]
_ROOMS = ("metrics", "plot", "walk")  # loaded when they are first used, too

if TYPE_CHECKING:
    from .estimator import KMeans as KMeans
    from .estimator import k_means as k_means
    from .estimator import nearest as nearest
    from .image import pixels as pixels
    from .lloyd import Step as Step
    from .lloyd import Sums as Sums
    from .lloyd import add_up as add_up
    from .lloyd import assign as assign
    from .lloyd import random_points as random_points
    from .lloyd import steps as steps
    from .lloyd import update as update
    from .palette import Palette as Palette
    from .parts import merge as merge
    from .parts import partial as partial
    from .passes import VerificationError as VerificationError
    from .protocol import ConvergenceWarning as ConvergenceWarning
    from .protocol import NotFittedError as NotFittedError
    from .quantized import Quantized as Quantized
    from .quantizer import apply_palette as apply_palette
    from .quantizer import quantize as quantize
    from .quantizer import shared_palette as shared_palette
    from .seeding import kmeans_plusplus as kmeans_plusplus


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name not in _ROOM:
        raise AttributeError(f"module 'lloydq' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_ROOM[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
