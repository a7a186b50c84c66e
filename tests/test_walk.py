"""What a walk keeps, the page that it fills, and the pictures that are made of it."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq import cli, walk
from lloydq.cells import cells
from lloydq.walk.pictures import chosen


@pytest.fixture
def picture(rng):
    return rng.integers(0, 256, (90, 120, 3)).astype(np.uint8)


@pytest.fixture
def X(rng):
    return np.concatenate([rng.normal(m, 0.5, (30, 2)) for m in ((0, 0), (4, 1), (1, 5))])


def embedded(html):
    return json.loads(re.search(r'<script type="application/json" id="walk">(.*?)</script>', html, re.DOTALL)[1])


def numbers(text, d):
    return np.frombuffer(base64.b64decode(text), "<f8").reshape(-1, d)


def test_the_frames_are_the_steps_of_the_loop(X, picture):
    for data, points in ((X, X), (picture, picture.reshape(-1, 3))):
        start = lloydq.random_points(points, 5, rng=1).astype(float)
        frames = walk.record(data, 5, init=start).frames
        plain = list(lloydq.steps(points, start))
        assert len(frames) == len(plain)
        for frame, step in zip(frames, plain, strict=True):
            np.testing.assert_array_equal(frame.centroids, step.centroids)
            np.testing.assert_array_equal(frame.counts, step.sums.weight)
            assert (frame.changed, frame.relocated, frame.stop_reason) == (
                step.changed,
                step.relocated,
                step.stop_reason,
            )
            assert frame.inertia == pytest.approx(step.inertia, rel=1e-9)
            assert frame.inertia_after_update == pytest.approx(step.inertia_after_update, rel=1e-9)


def test_half_steps(X):
    found = walk.record(X, 3, rng=2)
    assert found.last == 2 * len(found.frames) - 1
    assert found.inertia(0) is None
    assert found.labelled_by(0) is None
    for p in range(1, found.last + 1):
        frame = found.frames[(p - 1) // 2]
        np.testing.assert_array_equal(found.labelled_by(p), frame.centroids)
        np.testing.assert_array_equal(found.centroids(p), frame.centroids if p % 2 else found.frames[p // 2].centroids)
        assert p == 1 or found.inertia(p) <= found.inertia(p - 1) + 1e-9


def test_a_walk_may_stop_early(X):
    assert [f.stop_reason for f in walk.record(X, 3, max_iter=1, rng=2).frames] == [None, "max_iter"]
    assert walk.record(X, 3, tol=10.0, rng=2).frames[-1].stop_reason == "tol"
    seen = []
    walk.record(X, 3, callback=seen.append, verify=True)
    assert seen[-1].stop_reason == "converged"


@pytest.mark.parametrize(
    ("data", "k", "error", "message"),
    [
        (np.zeros((4, 2)), 5, ValueError, "k must be from 1 to 4, the number of points"),
        (np.full((4, 2), np.nan), 2, ValueError, "NaN"),
        (np.full((4, 3), 2.0), 2, ValueError, "floats must be from 0 to 1"),
        ("nowhere.jpg", 2, OSError, "nowhere"),
    ],
)
def test_what_cannot_be_walked(data, k, error, message):
    with pytest.raises(error, match=message):
        walk.record(data, k)


def test_the_page_holds_all_it_needs(X, picture):
    for data, d in ((X, 2), (picture, 3)):
        page = walk.page(data, 4, rng=3)
        found = embedded(page.html)
        assert found["kind"] == {2: "points", 3: "colours"}[d]
        assert found["total"] == len(page.walk.X)
        for frame, kept in zip(found["frames"], page.walk.frames, strict=True):
            np.testing.assert_array_equal(numbers(frame["centroids"], d), kept.centroids)
            assert frame["counts"] == kept.counts.tolist()
            assert frame["inertia"] == pytest.approx(kept.inertia, rel=1e-8)
        assert "@@" not in page.html
        assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//|@import|url\(|fetch\(|XMLHttp""", page.html)
        assert "default-src 'none'" in page.html
    np.testing.assert_array_equal(numbers(embedded(walk.page(X, 4).html)["points"], 2), X)
    shown = Image.open(io.BytesIO(base64.b64decode(found["preview"].removeprefix("data:image/png;base64,"))))
    np.testing.assert_array_equal(np.asarray(shown), picture)
    assert found["distinct"] == len(np.unique(picture.reshape(-1, 3), axis=0))


def test_the_page_is_small(photo_path, X):
    own = walk.page(X, 4)
    assert len(own.html.encode()) - len(json.dumps(embedded(own.html))) < 150_000
    assert len(walk.page(photo_path, 8).html.encode()) < 500_000


@pytest.mark.parametrize("shape", [(1080, 1920), (1920, 1080), (1, 4000), (7, 5)])
def test_previews_are_small_and_whole(shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    height, width, _ = walk.Walk(pixels.reshape(-1, 3), lloydq.image.load(pixels), []).preview.shape
    assert max(height, width) == min(320, max(shape))
    assert min(height, width) >= 1


def test_a_page_saves_opens_and_shows_itself(X, tmp_path, monkeypatch):
    page, opened = walk.page(X, 3), []
    page.save(tmp_path / "steps.html")
    assert (tmp_path / "steps.html").read_text(encoding="utf-8") == page.html
    with pytest.raises(FileExistsError):
        page.save(tmp_path / "steps.html", overwrite=False)
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path / "new"))
    (tmp_path / "new").mkdir()
    assert page.open().as_uri() == opened[0]
    shown = page._repr_html_()
    assert shown.startswith('<iframe srcdoc="')
    assert 'sandbox="allow-scripts"' in shown
    assert repr(page).startswith(f"<Page of {len(page.walk.frames)} iterations")


def test_what_is_embedded_cannot_end_its_script(monkeypatch, X):
    found = walk.record(X, 3)
    frame = found.frames[-1]._replace(stop_reason="</script><b>")
    page = walk.Page(walk.Walk(X, None, [*found.frames[:-1], frame]))
    assert "</script><b>" not in page.html
    assert embedded(page.html)["frames"][-1]["reason"] == "</script><b>"


@pytest.mark.parametrize("most", [3, 12, 40])
@pytest.mark.parametrize("last", [1, 3, 11, 13, 301])
def test_half_steps_that_are_shown(last, most):
    found = chosen(walk.Walk(np.zeros((1, 2)), None, [None] * ((last + 1) // 2)), most)
    assert len(found) == min(most, last + 1)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0, last)


def test_an_animation_and_a_sheet(X, picture):
    for data in (X, picture):
        found = walk.record(data, 4, rng=1)
        with Image.open(io.BytesIO(walk.animation(found))) as gif:
            assert gif.format == "GIF"
            assert gif.n_frames == min(40, found.last + 1)
        sheet = walk.contact_sheet(found)
        assert sheet.mode == "RGB"
        assert len(set(sheet.resize((64, 64)).tobytes())) > 20
    painted = walk.pictures._painted(found, found.last)
    labels = lloydq.assign(picture.reshape(-1, 3), found.frames[-1].centroids)
    expected = np.rint(found.frames[-1].centroids).astype(np.uint8)[labels].reshape(picture.shape)
    np.testing.assert_array_equal(np.asarray(painted), expected)


def test_points_from_a_file(tmp_path):
    path = tmp_path / "points.csv"
    for text in ("x,y\n1,2\n3.5,-4\n", "1;2\n\n3.5; -4", "\ufeff1 2\n3.5\t-4\n", '# mine\n\nx,y\n"1","2",\n3.5,-4'):
        path.write_text(text, encoding="utf-8")
        assert walk.read_points(path).tolist() == [[1, 2], [3.5, -4]]
    for encoding in ("latin-1", "utf-16"):
        path.write_bytes("größe,höhe\n1,2\n3.5,-4".encode(encoding))
        assert walk.read_points(path).tolist() == [[1, 2], [3.5, -4]]
    for text, message in (
        ("x,y\n1,2\n3\n", "line 3: two numbers"), ("x,y\n", "no points"), ("1,2\na,b", "line 2"),
        ("1,2x\n3,4", "line 1"), ("1,2,3\n4,5,6", "line 1"), ("1,,2", "line 1"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            walk.read_points(path)


@pytest.mark.parametrize("kind", [".html", ".gif", ".png"])
def test_on_the_command_line(kind, picture, tmp_path, capsys):
    source, target = tmp_path / "noise.png", tmp_path / f"out{kind}"
    Image.fromarray(picture).save(source)
    assert cli.main(["steps", str(source), "-k", "3", "-o", str(target), "--seed", "4"]) == 0
    assert re.search(r"\d iterations \(no label changed\), [\d,]+ bytes", capsys.readouterr().err)
    data = target.read_bytes()
    assert data[:6] == {".html": b"<!doct", ".gif": b"GIF89a", ".png": b"\x89PNG\r\n"}[kind]
    assert cli.main(["steps", str(source), "-k", "3", "-o", str(target)]) == 1
    assert "--force" in capsys.readouterr().err
    assert target.read_bytes() == data


def test_on_the_command_line_with_points(X, tmp_path, capsys):
    np.savetxt(tmp_path / "points.csv", X, delimiter=",", header="x,y", comments="")
    assert cli.main(["steps", str(tmp_path / "points.csv"), "-k", "3"]) == 0
    assert embedded((tmp_path / "points-steps.html").read_text(encoding="utf-8"))["kind"] == "points"
    (tmp_path / "others.txt").write_text("1 2\n3 4\n")
    assert cli.main(["steps", str(tmp_path / "others.txt"), "-k", "2"]) == 0
    capsys.readouterr()
    assert cli.main(["steps", str(tmp_path / "points.csv"), "-o", "steps.txt"]) == 1
    assert "name the result with .html or .gif or .png" in capsys.readouterr().err
    assert cli.main(["steps", str(tmp_path / "points.csv"), "-k", "200", "--force"]) == 1
    assert "points.csv" in capsys.readouterr().err


def test_cells_hold_what_is_nearest(rng):
    centroids, low, high = rng.uniform(-1, 5, (9, 2)), (0, 0), (4, 4)
    found = cells(np.concatenate([centroids, centroids[:1]]), low, high)
    areas = list(map(area, found))
    assert sum(areas[:-1]) == pytest.approx(16)
    X = rng.uniform(0, 4, (4000, 2))
    shares = np.bincount(lloydq.assign(X, centroids), minlength=9) / 4000
    np.testing.assert_allclose(np.array(areas[:-1]) / 16, shares, atol=0.03)


def area(corners):
    if not len(corners):
        return 0.0
    x, y = corners.T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


def test_a_centroid_outside_of_the_picture(X):
    """Its cell has no corner within."""
    start = np.vstack([X[:2], np.full((1, X.shape[1]), 1e6)])
    found = walk.record(X, 3, init=lambda *_, **__: start, max_iter=1)
    assert walk.contact_sheet(found).size[0] > 0
