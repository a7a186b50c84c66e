"""The self-check finds what is wrong, and nothing else."""

import numpy as np
import pytest

import lloydq
from lloydq import KMeans, Sums, VerificationError, cli, codebook, passes, quantizer
from lloydq.colors import DistinctColors
from lloydq.passes import BlockPass, BoundsPass, DensePass, FoldedBlocks, FoldedBounds, GroupsPass
from lloydq.passes.verify import VerifiedPass, same_labels


@pytest.fixture
def X(rng):
    return rng.integers(0, 256, (20_011, 3)).astype(np.uint8)


@pytest.mark.parametrize("algorithm", ["auto", "dense", "bounds", "groups", "blocks"])
def test_nothing_is_wrong(X, algorithm):
    options = {"n_clusters": 12, "random_state": 0, "algorithm": algorithm, "max_iter": 20, "tol": 0.01}
    model, checked = KMeans(**options).fit(X), KMeans(**options, verify=True).fit(X)
    np.testing.assert_array_equal(model.labels_, checked.labels_)
    np.testing.assert_array_equal(model.cluster_centers_, checked.cluster_centers_)
    assert len(model.history_) == len(checked.history_)


@pytest.mark.parametrize("kind", [DensePass, BoundsPass, GroupsPass, BlockPass, FoldedBlocks, FoldedBounds])
def test_a_wrong_label_is_named(X, kind):
    class Wrong(type(kind(X))):
        def __call__(self, centroids):
            sums = super().__call__(centroids)
            self.labels[7] = 1 - self.labels[7]
            return sums

    fast = kind(X)
    fast.__class__ = Wrong
    row = np.flatnonzero((fast.X[7] == X).all(axis=1))[0]  # its number among those that were given
    with pytest.raises(
        VerificationError, match=rf"point {row}, \[.*\]: label [01] at a squared distance of .* is [01] at"
    ):
        VerifiedPass(fast).again()(np.array([[10.0] * 3, [200.0] * 3]))


@pytest.mark.parametrize(("name", "column"), [("points", 0), ("weight", -1)])
def test_wrong_sums_are_named(X, name, column):
    class Wrong(DensePass):
        def __call__(self, centroids):
            slices = super().__call__(centroids).slices.copy()
            slices[..., column] += 1
            return Sums(slices)

    with pytest.raises(VerificationError, match=rf"the sum of {name} of cluster 0: .* in plain NumPy"):
        VerifiedPass(Wrong(X))(np.array([[10.0] * 3, [200.0] * 3]))


@pytest.mark.parametrize(("which", "name"), [(0, "positions"), (1, "weights"), (2, "labels")])
def test_wrong_farthest_positions_are_named(X, which, name):
    class Wrong(DensePass):
        def farthest(self, m):
            found = super().farthest(m)
            found[which][0] += 1
            return found

    visit = VerifiedPass(Wrong(X))
    visit(np.array([[10.0] * 3, [200.0] * 3]))
    with pytest.raises(VerificationError, match=rf"{name} that are farthest: .* in plain NumPy"):
        visit.farthest(3)


def test_the_labels_of_all_pixels_of_a_fit_are_checked(X, monkeypatch):
    def wrong(X, centroids, n_threads):
        labels = lloydq.assign(X, centroids)
        labels[7] = 1 - labels[7]
        return labels

    options = {"init": [[10.0] * 3, [200.0] * 3], "max_iter": 2, "tol": 1}
    monkeypatch.setattr(passes.folded, "assign", wrong)
    KMeans(2, **options).fit(X)
    with pytest.raises(VerificationError, match="point 7, "):
        KMeans(2, **options, verify=True).fit(X)
    seen = []
    with pytest.raises(VerificationError, match="point 7, "):
        KMeans(2, **options, verify=True, callback=lambda step: seen.append(step.n_iter) or step.labels).fit(X)
    assert seen == [1]


def test_the_inertia_is_checked(X, monkeypatch):
    model = KMeans(2, random_state=0, max_iter=2, tol=1, verify=True).fit(X)
    right = lloydq.fitting.scatter
    monkeypatch.setattr(
        lloydq.fitting, "scatter", lambda *what, numpy=False: [right(*what, numpy=numpy)[0] + (not numpy)]
    )
    for way in (model.fit, model.score):
        with pytest.raises(VerificationError, match=r"inertia: .* in plain NumPy"):
            way(X)


@pytest.mark.parametrize("kind", [DensePass, FoldedBlocks])
def test_a_wrong_number_of_changes_is_named(X, kind):
    class Wrong(kind):
        def count(self, rows, changed, moved):
            return super().count(rows, changed, moved) + 1

    with pytest.raises(VerificationError, match=r"changed: .*, but 20011 in plain NumPy"):
        VerifiedPass(Wrong(X))(np.array([[10.0] * 3, [200.0] * 3]))


@pytest.mark.parametrize("name", ["T", "origin", "variance"])
def test_wrong_parts_of_the_inertia_are_named(X, name):
    fast = DensePass(X)
    setattr(fast, name, getattr(fast, name) + 1)
    with pytest.raises(VerificationError, match=f"{name}: .* in plain NumPy"):
        VerifiedPass(fast)


@pytest.mark.parametrize("wrong", ["colors", "counts", "summed"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_colour_that_is_wrongly_counted_is_named(X, weighted, wrong, monkeypatch):
    class Wrong(DistinctColors):
        def __init__(self, *args):
            super().__init__(*args)
            numbers = getattr(self, wrong)
            if numbers is not None:
                numbers[7] += 1

    for room in (passes.folded, quantizer):
        monkeypatch.setattr(room, "DistinctColors", Wrong)
    weight = np.arange(len(X)) % 3 if weighted else None
    image = X[:20_000].reshape(100, 200, 3)
    ways = (
        lambda verify: KMeans(2, random_state=0, max_iter=2, tol=1, verify=verify).fit(X, sample_weight=weight),
        lambda verify: lloydq.quantize(image, 4, verify=verify),
        lambda verify: lloydq.quantize(image, 4, sample=15_000, verify=verify),
        lambda verify: lloydq.apply_palette(image, [[0, 0, 0], [9, 9, 9]], verify=verify),
    )
    for way in ways if wrong != "summed" else ways[:weighted]:
        way(False)
        with pytest.raises(VerificationError, match=r"colour \[.*\] was counted \d+ times, but \d+ in plain NumPy"):
            way(True)


def test_what_is_predicted_is_checked(X, monkeypatch):
    model = KMeans(3, random_state=0, max_iter=2, tol=1, verify=True).fit(X)
    centers = model.cluster_centers_
    monkeypatch.setattr(lloydq.estimator, "assign", lambda X, centroids, n_threads: np.ones(len(X), np.int32))
    plain = KMeans(3)
    plain.__dict__.update({**model.__dict__, "verify": False})
    ways = (
        lambda verify: lloydq.nearest(X, centers, verify=verify),
        lambda verify: (model if verify else plain).predict(X),
        lambda verify: (model if verify else plain).score(X),
    )
    for way in ways:
        way(False)
        with pytest.raises(VerificationError, match="label 1 at"):
            way(True)
    monkeypatch.setenv("LLOYDQ_VERIFY", "1")
    for way in ways:
        with pytest.raises(VerificationError, match="label 1 at"):
            way(False)


def test_every_pixel_is_checked(X, monkeypatch):
    with pytest.raises(VerificationError, match="point 5"):
        same_labels(X, np.zeros((2, 3)), np.array([0] * 5 + [1] + [0] * (len(X) - 6)))
    image = X[:20_000].reshape(100, 200, 3)
    palette = lloydq.quantize(image, 5, verify=True).palette
    right, spread = codebook.assign, DistinctColors.spread
    wrong_color = codebook, "assign", lambda *given: np.zeros_like(right(*given))
    wrong_pixel = DistinctColors, "spread", lambda self, pixels, labels: np.zeros_like(spread(self, pixels, labels))
    for wrong in (wrong_color, wrong_pixel):
        monkeypatch.undo()
        monkeypatch.setattr(*wrong)
        for way in (
            lambda: lloydq.apply_palette(image, palette, verify=True),
            lambda: lloydq.quantize(image, 5, verify=True),
        ):
            with pytest.raises(VerificationError, match="label 0 at"):
                way()
    lloydq.apply_palette(image, palette)
    monkeypatch.setenv("LLOYDQ_VERIFY", "1")
    with pytest.raises(VerificationError):
        lloydq.apply_palette(image, palette)


@pytest.mark.parametrize(("value", "checks"), [("", False), ("0", False), ("1", True)])
def test_the_variable(value, checks, monkeypatch):
    monkeypatch.setenv("LLOYDQ_VERIFY", value)
    assert passes.wanted(False) is checks
    assert passes.wanted(True)


def test_on_the_command_line(X, tmp_path, monkeypatch, capsys):
    from PIL import Image

    Image.fromarray(X[:20_000].reshape(100, 200, 3)).save(tmp_path / "noise.png")
    assert cli.main([str(tmp_path / "noise.png"), "-k", "4", "--verify"]) == 0
    monkeypatch.setattr(codebook, "assign", lambda X, centroids, n_threads, dtype=np.int32: np.ones(len(X), dtype))
    assert cli.main([str(tmp_path / "noise.png"), "-k", "4", "--verify", "--force"]) == 1
    assert "label 1 at a squared distance of" in capsys.readouterr().err


def test_empty_clusters_are_right(X):
    start = np.vstack([X[:3], np.full((2, 3), 1e6)])
    model = KMeans(5, init=start, verify=True, tol=0).fit(X)
    assert len(np.unique(model.cluster_centers_, axis=0)) == 5


def test_a_label_that_none_has_is_named(X):
    class Wrong(DensePass):
        def __call__(self, centroids):
            sums = super().__call__(centroids)
            self.labels[3] = 99
            return sums

    with pytest.raises(VerificationError, match=r"point 3, .* label 99 at a squared distance of nan"):
        VerifiedPass(Wrong(X))(X[:3].astype(float))


def test_a_sample_of_a_picture_is_counted_again(X, monkeypatch):
    picture = np.repeat(X[:60].astype(np.uint8), 3, axis=0).reshape(12, 15, 3)
    plain = lloydq.quantize(picture, 4, sample=90)
    assert lloydq.quantize(picture, 4, sample=90, verify=True).png == plain.png
