"""The figures: what is drawn, and that colours and markers tell clusters apart."""

import subprocess
import sys

import numpy as np
import pytest

import lloydq
from lloydq import walk

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
plot = pytest.importorskip("lloydq.plot")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def X(rng):
    return np.concatenate([rng.normal(m, 0.5, (30, 2)) for m in ((0, 0), (4, 1), (1, 5))])


@pytest.fixture
def picture(rng):
    return rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)


def drawn(ax):
    """The positions of all dots."""
    dots = [collection.get_offsets() for collection in ax.collections if len(collection.get_offsets())]
    return np.concatenate([np.asarray(offsets) for offsets in dots])


def test_points_centroids_and_cells(X):
    model = lloydq.KMeans(3, random_state=0).fit(X)
    ax = plot.voronoi(X, model.cluster_centers_, model.labels_)
    found = drawn(ax)
    for point in (*X, *model.cluster_centers_):
        assert (found == point).all(axis=1).any()
    assert len(ax.collections[0].get_paths()) == 3
    assert ax.get_xlim()[0] < X[:, 0].min()
    assert ax.get_xlim()[1] > X[:, 0].max()
    assert ax.get_aspect() == 1


def test_without_labels_and_on_one_spot():
    ax = plot.voronoi(np.ones((4, 2)), np.ones((2, 2)))
    assert ax.get_xlim()[0] < 1 < ax.get_xlim()[1]


def test_steps_side_by_side(X):
    found = walk.record(X, 3, rng=1)
    figure = plot.steps(found)
    assert len(figure.axes) == found.last + 1
    assert figure.axes[0].get_title() == "Start"
    assert figure.axes[1].get_title() == f"Assign 1: inertia {found.frames[0].inertia:.4g}"
    assert figure.axes[2].get_title() == f"Update 1: inertia {found.frames[0].inertia_after_update:.4g}"
    assert len(plot.steps(found, [0, 3]).axes) == 2


def test_the_inertia_of_every_half_step(X):
    found = walk.record(X, 3, rng=1)
    ax = plot.inertia(found)
    x, y = ax.lines[0].get_data()
    assert list(x) == list(range(1, found.last + 1))
    np.testing.assert_array_equal(y, [found.inertia(p) for p in x])
    np.testing.assert_array_equal(np.sort(drawn(ax)[:, 0]), x)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["after assign", "after update"]


def test_the_cube(picture):
    palette = lloydq.quantize(picture, 4).palette
    ax = plot.cube(picture, palette, clusters=True)
    assert ax.name == "3d"
    counts = [len(collection.get_offsets()) for collection in ax.collections]
    assert counts[0] == 4
    assert sum(counts[1:]) == 1200
    assert len(counts) == 5
    assert [len(c.get_offsets()) for c in plot.cube(picture, palette).collections] == [4, 1200]
    assert len(plot.cube(picture).collections) == 1


def test_swatches():
    ax = plot.palette([[0, 0, 0], [255, 255, 255], [200, 0, 0]], [1, 1, 2])
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], [0.25, 0.25, 0.5])
    assert [text.get_text() for text in ax.texts] == ["#000000", "#ffffff", "#c80000"]
    assert [text.get_color() for text in ax.texts] == ["white", "black", "white"]
    assert len(plot.palette(np.zeros((64, 3))).texts) == 0


def test_a_comparison(picture):
    q = lloydq.quantize(picture, 6)
    figure = plot.comparison(picture, {"six": q, "all": lloydq.quantize(picture[:2, :2], 4)})
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:3] == ["original", f"six\nMSE {q.mse:.1f}, PSNR {q.psnr:.1f} dB", "all\nno error"]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), np.asarray(q.image.convert("RGB")))


def test_figures_are_drawn_on_given_axes(X, picture):
    _, ax = plt.subplots()
    assert plot.voronoi(X, X[:2], ax=ax) is ax
    assert plot.inertia(walk.record(X, 2), ax) is ax
    assert plot.palette([[1, 2, 3]], ax=ax) is ax
    ax = plt.figure().add_subplot(projection="3d")
    assert plot.cube(picture, ax=ax) is ax


def test_what_cannot_be_drawn(X, picture):
    found = walk.record(X, 3, rng=1)
    for draw, message in (
        (lambda: plot.step(walk.record(picture, 3), 1), "contact_sheet"),
        (lambda: plot.step(found, -1), "half_step must be from 0"),
        (lambda: plot.steps(found, []), "no half-steps"),
        (lambda: plot.pictures([]), "no pictures"),
        (lambda: plot.voronoi(np.empty((0, 2)), X[:2]), "X"),
        (lambda: plot.voronoi(X, X[:2], [0]), "labels must have shape"),
        (lambda: plot.voronoi(np.zeros((3, 3)), np.zeros((2, 3))), "2 features"),
        (lambda: plot.palette([[0, 0, 0]], [0]), "weights"),
    ):
        with pytest.raises(ValueError, match=message):
            draw()
    assert plot.voronoi(X, np.array([[90.0, 90.0]])).get_xlim()[1] > 90


def contrast(color, other):
    def light(c):
        rgb = np.array(matplotlib.colors.to_rgb(c))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)

    one, two = sorted((light(color), light(other)))
    return (two + 0.05) / (one + 0.05)


def test_clusters_are_told_apart():
    assert len(set(plot.HUES)) == len(set(plot.MARKERS)) == 8
    assert len({(plot.hue(label), plot.marker(label)) for label in range(64)}) == 64
    assert all(contrast(color, "white") > 1.9 for color in plot.HUES)
    assert contrast(plot.TEXT, "white") > 7
    assert plot.HUES == walk.pictures.HUES


def test_without_matplotlib():
    code = "import sys; sys.modules['matplotlib'] = None; import lloydq.plot"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "ImportError: lloydq.plot needs matplotlib: pip install 'lloydq[plot]'" in done.stderr
