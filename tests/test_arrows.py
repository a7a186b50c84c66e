"""Imports between rooms point one way. A new arrow is drawn here first, with its reason."""

import ast
from pathlib import Path

import lloydq

FOLDER = Path(lloydq.__file__).parent

ARROWS = {
    "lloyd": set(),
    "kernels": set(),
    "forks": set(),
    "pool": {"forks"},
    "checks": {"lloyd"},  # for the type of an array
    "passes": {"colors", "kernels", "lloyd", "pool"},  # lloyd: the pass that every other one extends
    "protocol": {"lloyd"},
    "positions": {"colors", "kernels", "lloyd", "pool"},
    "seeding": {"checks", "kernels", "lloyd", "passes", "pool", "positions"},
    "fitting": {"lloyd", "passes"},
    "colors": {"kernels", "lloyd", "pool", "spaces"},
    "spaces": {"lloyd"},
    "image": {"checks", "forks", "lloyd", "protocol", "spaces"},  # protocol: warns of what GIF cannot hold
    "metrics": {"lloyd", "spaces"},
    "palettefiles": {"checks", "image", "lloyd", "protocol"},  # protocol: warns of colours that are left out
    "swatches": {"image", "lloyd", "spaces"},
    "palette": {"checks", "image", "lloyd", "palettefiles", "spaces", "swatches"},
    "quantized": {"checks", "image", "lloyd", "metrics", "palette", "swatches"},
    "target": {"checks", "quantized"},
    "codebook": {"checks", "colors", "fitting", "lloyd", "passes", "protocol", "seeding", "spaces"},
    "dither": {"colors", "kernels", "lloyd", "pool", "spaces"},
    "estimator": {"checks", "fitting", "lloyd", "passes", "protocol", "seeding"},
    "quantizer": {
        "checks",
        "codebook",
        "colors",
        "dither",
        "image",
        "lloyd",
        "metrics",
        "palette",
        "passes",
        "protocol",
        "quantized",
        "seeding",
        "spaces",
        "target",
    },
    "parts": {"checks", "lloyd", "passes"},
    "oversampling": {"lloyd", "parts", "passes", "positions", "seeding"},
    "dask": {
        "checks",
        "colors",
        "dither",
        "estimator",
        "fitting",
        "image",
        "lloyd",
        "oversampling",
        "palette",
        "parts",
        "passes",
        "quantizer",
        "remote",
        "seeding",
    },
    "remote": {"checks", "image"},
    "rivals": {"checks", "colors", "image", "lloyd", "palette", "protocol"},
    "compare": {"codebook", "image", "lloyd", "metrics", "palette", "quantized", "quantizer", "rivals"},
    "cells": {"lloyd"},
    "walk": {"cells", "checks", "image", "lloyd", "passes", "seeding"},
    "plot": {"cells", "checks", "image", "lloyd", "palette", "quantized", "walk"},
    "demo": {"compare", "image", "lloyd"},
    "cli": {
        "checks",
        "compare",
        "demo",
        "image",
        "kernels",
        "lloyd",
        "metrics",
        "palette",
        "palettefiles",
        "pool",
        "quantized",
        "quantizer",
        "swatches",
        "walk",
        "__init__",
    },
}
OUTSIDE = {
    "lloyd": {"numpy"},
    "kernels": {"numpy", "numba"},
    "forks": set(),
    "pool": set(),
    "cli": {"numpy", "numba", "PIL"},  # `info` names their versions
    "image": {"numpy", "PIL"},
    "palettefiles": {"numpy", "PIL"},
    "protocol": {"numpy", "sklearn"},
    "swatches": {"numpy", "PIL"},
    "metrics": {"numpy", "skimage"},
    "quantized": {"numpy", "PIL"},
    "quantizer": {"numpy", "PIL"},
    "remote": {"fsspec"},
    "dask": {"numpy", "dask", "distributed"},
    "rivals": {"numpy", "PIL", "sklearn", "imagequant"},
    "compare": {"numpy", "PIL"},
    "demo": {"PIL"},
    "walk": {"numpy", "PIL"},
    "plot": {"numpy", "matplotlib"},
}
KNOWN = set().union(*OUTSIDE.values()) | {"lloydq"}


def rooms():
    """Each room's name and files: a room is a file, or a folder of that name."""
    for path in sorted(FOLDER.iterdir()):
        if path.suffix == ".py" and path.stem != "__init__":
            yield path.stem, [path]
        elif (path / "__init__.py").exists():
            yield path.name, sorted(path.glob("*.py"))


def imports(room):
    """The rooms and the outside packages that a room imports, anywhere in it."""
    found = [imports_of(path, 1 if path.parent == FOLDER else 2) for path in dict(rooms())[room]]
    return tuple(set().union(*kind) for kind in zip(*found, strict=True))


def imports_of(path, outwards):
    """The same of a file, in which so many dots lead out of the room."""
    rooms, outside = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and 0 < node.level < outwards:
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            rooms.update("__init__" if name.startswith("__") else name for name in names)
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            outside.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            name = getattr(node.args[0], "value", "")
            rooms.update({str(name).removeprefix("lloydq.")} if str(name).startswith("lloydq.") else set())
    return rooms, {name for name in outside if name in KNOWN}


def test_every_room_imports_only_along_the_arrows():
    for room, _ in rooms():
        inside, outside = imports(room)
        assert inside <= ARROWS[room], room
        assert outside <= OUTSIDE.get(room, {"numpy"}), room


def test_every_arrow_is_used():
    for room, targets in ARROWS.items():
        assert imports(room)[0] == targets, room


def test_scikit_learn_is_imported_only_by_what_it_calls():
    importing = set()
    for function in ast.walk(ast.parse((FOLDER / "protocol.py").read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            names = [getattr(node, "module", "") for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
            importing.update({function.name} if any(name.startswith("sklearn") for name in names) else set())
    assert importing == {"__sklearn_tags__", "get_metadata_routing"}


def test_no_circle():
    done = set()
    while len(done) < len(ARROWS):
        ready = {room for room, targets in ARROWS.items() if targets - {"__init__"} <= done} - done
        assert ready, "rooms that import each other: " + ", ".join(sorted(set(ARROWS) - done))
        done |= ready


def test_lloyd_is_read_and_run_by_itself():
    text = (FOLDER / "lloyd.py").read_text(encoding="utf-8")
    for word in ("numba", "verbose", "from ."):
        assert word not in text
