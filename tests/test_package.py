"""The package as a whole: what importing it loads, its public names, the kernels' cache."""

import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

import lloydq


def python(code, **environment):
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120,
        env={**os.environ, **environment}, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import lloydq",
        "import lloydq.cli\ntry: lloydq.cli.main(['--help'])\nexcept SystemExit: pass",
        "import lloydq; lloydq.KMeans(2, random_state=0).fit([[1.0], [2.0], [9.0]]); lloydq.nearest([[1]], [[2]])",
        "import lloydq, numpy as np; lloydq.quantize(np.zeros((4, 4, 3), np.uint8), 2)",
    ],
)
def test_light_things_load_neither_numba_nor_pillow(code):
    loaded = python(code + "\nimport sys; print('LOADED', sorted({'numba', 'PIL', 'sklearn'} & set(sys.modules)))")
    assert loaded.endswith("LOADED []")


def test_every_public_name_is_there_and_documented():
    for name in lloydq.__all__:
        thing = getattr(lloydq, name)
        assert name == "__version__" or thing.__doc__
        assert name in dir(lloydq)
    with pytest.raises(AttributeError, match="nothing"):
        lloydq.nothing  # noqa: B018


def test_rooms_are_there_when_they_are_asked_for():
    code = "import lloydq; print(lloydq.walk.page([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]], 2).walk.last)"
    assert python(code) == "5"


def test_functions_are_not_hidden_by_rooms_of_the_same_name():
    assert (
        python(
            "import lloydq.quantizer, lloydq.lloyd, lloydq; print(callable(lloydq.quantize), callable(lloydq.steps))"
        )
        == "True True"
    )


def test_without_a_folder_for_the_cache():
    code = """
        from numba.core import caching
        caching.CacheImpl._locator_classes = []
        import numpy as np, lloydq
        from lloydq import kernels
        X = np.random.default_rng(0).random((5000, 3))
        print(lloydq.nearest(X, X[:10])[:10].tolist(), kernels.cache_folder(), kernels.cached())
    """
    assert python(code) == f"{list(range(10))} None 0"


def test_warming_up_compiles_all_that_later_work_needs(photo_path):
    code = f"""
        import numpy as np, lloydq
        from lloydq import kernels
        kernels.compile_all()
        before = [len(kernel.signatures) for kernel in kernels.ALL]
        lloydq.quantize({str(photo_path)!r}, 64, tol=1)
        rng = np.random.default_rng(0)
        for dtype in (np.uint8, np.float32, np.float64, np.int16):
            for d in (2, 3):
                lloydq.KMeans(40, max_iter=None, random_state=0).fit((rng.random((3000, d)) * 99).astype(dtype))
        lloydq.nearest(lloydq.pixels({str(photo_path)!r}), rng.random((40, 3)))
        print([len(kernel.signatures) for kernel in kernels.ALL] == before)
    """
    assert python(code) == "True"


def test_its_files_are_found_in_a_zip(tmp_path):
    root = Path(lloydq.__file__).parent
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in root.rglob("*.*"):
            if path.suffix not in (".nbc", ".nbi", ".pyc"):
                archive.write(path, Path("lloydq", path.relative_to(root)))
    code = """
    import sys
    from importlib.resources import as_file
    sys.path.insert(0, "all.zip")
    from lloydq import demo, image
    from lloydq.walk.page import _filled
    assert "all.zip" in demo.__file__
    with as_file(demo.PHOTO) as path:
        assert image.load(path).pixels.shape == (1080, 1920, 3)
    assert len(_filled("page.html", {"walk": "{}"})) > 10_000
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [sys.executable, "-I", "-c", textwrap.dedent(code)]
    subprocess.run(words, cwd=tmp_path, env=env, check=True, timeout=120)


def test_the_citation_names_this_version():
    citation = Path(__file__).parents[1] / "CITATION.cff"
    assert f"\nversion: {lloydq.__version__}\n" in citation.read_text(encoding="utf-8")


def test_sizes_that_are_quoted(photo_path):
    with photo_path.open("rb") as file:
        assert len(file.read()) == 337_904
    pixels = lloydq.pixels(photo_path)
    assert pixels.shape == (2_073_600, 3)
    assert pixels.nbytes == 6_220_800
    assert np.unique(pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)).size == 104_487
