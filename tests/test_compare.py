"""Our ways and other quantizers in one table: all measured on the same pixels by the same definition."""

import io
import sys
import warnings
from shutil import which

import numpy as np
import pytest

import lloydq
from lloydq import compare, rivals

Image = pytest.importorskip("PIL.Image")
FILES = {
    "pillow": ["pillow-median-cut", "pillow-kmeans", "pillow-octree"],
    "imagequant": ["imagequant"],
    "sklearn": ["sklearn"],
    "pngquant": ["pngquant"],
    "imagemagick": ["imagemagick"],
}
OURS = 5


@pytest.fixture
def blobs(rng):
    """(41, 67, 3) uint8: six colours with noise about them."""
    centers = rng.integers(40, 215, (6, 3))
    return (centers[rng.integers(0, 6, (41, 67))] + rng.integers(-9, 10, (41, 67, 3))).astype(np.uint8)


def drawn(names, pixels, k):
    """Their results, or the reason why there are none."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = list(rivals.results(names, pixels, k))
    if said:
        pytest.skip(str(said[0].message))
    return found


def plain_mse(a, b):
    return float(((a.astype(float) - b.astype(float)) ** 2).sum(axis=2).mean())


def different(pixels):
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


def test_the_names_are_these():
    assert list(rivals.RIVALS) == list(FILES)


@pytest.mark.parametrize("name", FILES)
def test_each_rival_draws_the_picture_in_few_colors(name, blobs):
    found = drawn([name], blobs, 6)
    assert [result.name for result in found] == FILES[name]
    for result in found:
        assert (result.pixels.shape, result.pixels.dtype) == (blobs.shape, np.uint8)
        assert 2 <= len(result.palette) == different(result.pixels) <= 6
        assert result.palette.counts.sum() == 41 * 67
        assert (np.diff(result.palette.counts) <= 0).all()
        assert plain_mse(blobs, result.pixels) < plain_mse(blobs, np.broadcast_to(blobs.mean(axis=(0, 1)), blobs.shape))
        assert result.seconds > 0


@pytest.mark.parametrize("name", FILES)
def test_the_file_holds_the_pixels(name, blobs):
    for result in drawn([name], blobs, 6):
        with Image.open(io.BytesIO(result.png)) as image:
            assert image.format == "PNG"
            assert np.array_equal(image.convert("RGB"), result.pixels)


def test_files_of_libraries_have_as_few_bits_as_ours(blobs):
    for result in drawn(["imagequant"], blobs, 4):
        assert result.png[24] == 2  # bits a pixel, in IHDR


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("shape", [(1, 2, 3), (9, 1, 3)])
def test_pictures_of_fewer_colors_than_asked_for(name, shape):
    pixels = np.zeros(shape, np.uint8)
    pixels[-1, -1] = 200
    for result in drawn([name], pixels, 5):
        assert len(result.palette) <= 5
        assert result.pixels.shape == shape


def test_a_rival_that_is_named_twice_is_run_once(blobs):
    assert len(drawn(["pillow", "pillow"], blobs, 3)) == 3


def test_scikit_learn_says_how_many_iterations(blobs):
    (result,) = drawn(["sklearn"], blobs, 6)
    assert result.n_iter >= 1


def test_pillows_k_means_goes_on_until_no_pixel_changes(blobs):
    cut, moved, _ = drawn(["pillow"], blobs, 6)
    assert plain_mse(blobs, moved.pixels) < plain_mse(blobs, cut.pixels)
    again = lloydq.quantize(blobs, 6, init=moved.palette.colors.astype(float))
    assert again.mse == pytest.approx(plain_mse(blobs, moved.pixels), rel=0.01)


@pytest.mark.parametrize("of", [rivals.results, lambda names, pixels, k: compare.theirs(pixels, names, k)])
def test_unknown_names_and_numbers_are_refused_before_the_work(of, blobs):
    with pytest.raises(ValueError, match=r"'pillow', 'imagequant', 'sklearn', .*; got 'gimp'"):
        of(["pillow", "gimp"], blobs, 4)
    with pytest.raises(ValueError, match="k must be from 1 to 256; got 257"):
        of(["pillow"], blobs, 257)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("imagequant", "imagequant is not installed: pip install imagequant"),
        ("sklearn", "sklearn is not installed: pip install scikit-learn"),
        ("pngquant", "pngquant is not installed: apt install pngquant"),
        ("imagemagick", "imagemagick is not installed: apt install imagemagick"),
    ],
)
def test_a_rival_that_is_not_installed_is_a_note(name, says, blobs, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.warns(UserWarning, match=says):
        found = list(rivals.results([name, "pillow"], blobs, 4))
    assert [result.name for result in found] == FILES["pillow"]


@pytest.mark.skipif(which("sh") is None, reason="its programs are shell scripts")
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo too bad >&2; exit 3", "pngquant failed: too bad"),
        ("exit 3", "pngquant failed: exit code 3"),
        ("echo hello", "pngquant failed: .* is not a picture"),
    ],
)
def test_a_program_that_fails_is_a_note(script, says, blobs, monkeypatch, tmp_path):
    program = tmp_path / "pngquant"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.warns(UserWarning, match=says):
        assert list(rivals.results(["pngquant"], blobs, 4)) == []


def test_a_program_that_makes_no_single_color_is_a_note(blobs):
    drawn(["pngquant"], blobs, 2)
    with pytest.warns(UserWarning, match="pngquant failed: .*between 2 and 256"):
        assert list(rivals.results(["pngquant"], blobs, 1)) == []


@pytest.fixture
def panels(blobs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of those that are not installed
        return [*compare.ways(blobs, 6), *compare.theirs(blobs, FILES, 6)]


def test_every_row_is_measured_alike(panels, blobs):
    assert len(panels) >= OURS + len(FILES["pillow"])
    for panel in panels:
        assert panel.mse == pytest.approx(plain_mse(blobs, panel.pixels), rel=1e-12), panel.name
        assert panel.psnr == pytest.approx(10 * np.log10(255**2 / (plain_mse(blobs, panel.pixels) / 3)))
        assert panel.palette.n_distinct == different(panel.pixels)
        assert panel.seconds >= (panel.find_seconds or 0) + (panel.map_seconds or 0)
        with Image.open(io.BytesIO(panel.png)) as image:
            assert np.array_equal(image.convert("RGB"), panel.pixels)


def test_delta_e_is_that_of_the_definition(panels, blobs):
    color = pytest.importorskip("skimage.color")
    for panel in panels:
        distance = color.deltaE_ciede2000(color.rgb2lab(blobs), color.rgb2lab(panel.pixels))
        assert panel.delta_e == pytest.approx(distance.mean(), rel=1e-6), panel.name


def test_the_table_has_a_line_for_each(panels):
    rows = [compare.row(panel) for panel in panels]
    heading, rule, *lines = compare.table(rows).splitlines()
    assert [line[: len(panel.title)] for line, panel in zip(lines, panels, strict=True)] == [p.title for p in panels]
    assert {len(line) for line in (heading, rule, *lines)} == {len(rule)}
    for word in ("find", "map", "all", "MSE", "PSNR", "colours", "PNG bytes", "iterations"):
        assert word in heading
    assert "ΔE" not in heading


def test_the_table_has_delta_e_where_it_is_asked_for_and_can_be(panels, monkeypatch):
    pytest.importorskip("skimage")
    assert float(compare.row(panels[0], delta_e=True)["ΔE2000"]) == pytest.approx(panels[0].delta_e, abs=0.005)
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert "ΔE2000" not in compare.row(panels[1], delta_e=True)


def test_the_picture_has_a_panel_for_each(panels, blobs):
    sheet = np.asarray(compare.picture(blobs, panels))
    gap, grey, height, width = compare.GAP, 0xEB, 41 * 4, 67 * 4
    cell = (sheet.shape[1] - gap) // 3 - gap
    cell_height = height + compare.STRIP + 64
    assert sheet.shape[0] == -(-(len(panels) + 1) // 3) * (cell_height + gap) + gap
    for i, pixels in enumerate([blobs, *(panel.pixels for panel in panels)]):
        x, y = gap + i % 3 * (cell + gap), gap + i // 3 * (cell_height + gap)
        assert np.array_equal(sheet[y : y + height : 4, x : x + width : 4], pixels)
    for i in range(3):  # no text reaches beyond its cell
        assert (sheet[:, i * (cell + gap) : i * (cell + gap) + gap] == grey).all()


@pytest.mark.parametrize("shape", [(1, 300, 3), (300, 1, 3), (900, 7, 3)])
def test_narrow_pictures(shape, rng):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    panels = [*compare.ways(image, 4), *compare.theirs(image, ["pillow"], 4)]
    assert compare.picture(image, panels).width > 600
    assert all(panel.pixels.shape == shape for panel in panels)


def test_transparent_pictures_are_compared_on_paper(rng):
    image = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    panels = [*compare.ways(image, 4), *compare.theirs(image, ["pillow"], 4)]
    on_white = lloydq.pixels(image, alpha="#ffffff").reshape(20, 30, 3)
    assert [panel.mse for panel in panels] == pytest.approx([plain_mse(on_white, panel.pixels) for panel in panels])
