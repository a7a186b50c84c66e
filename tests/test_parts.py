"""Points in parts: the same sums, the same loop, the same result as in one piece."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest

import lloydq
from lloydq import parts
from lloydq.lloyd import PlainPass, steps
from lloydq.oversampling import draw, nearest
from lloydq.parts import Part, PartedPass, merge
from lloydq.passes.folded import Folded


def cut(X, weight=None, at=(7, 7, 150), memory=False):
    """Parts of X; one of them is empty."""
    rows = np.split(np.arange(len(X)), at)
    return [Part(X[r], None if weight is None else weight[r], i, {} if memory else None) for i, r in enumerate(rows)]


def asked(pieces):
    return lambda question, **options: merge(question(part, **options) for part in pieces)


def points(rng, dtype, n=400, d=3):
    X = rng.integers(0, 256, (n, d)).astype(dtype)
    return X if np.dtype(dtype).kind in "iu" else X + rng.random((n, d)).astype(dtype)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("memory", [False, True])
def test_the_loop_gives_what_it_gives_in_one_piece(dtype, weighted, memory, rng):
    X = points(rng, dtype)
    weight = rng.integers(0, 4, len(X)).astype(float) if weighted else None
    start = X[:20].astype(float)
    visit = PartedPass(asked(cut(X, weight, memory=memory)))
    whole = list(steps(X, start, weight))
    found = list(steps(visit.X, start, make_pass=lambda *_: visit.again()))
    assert len(found) == len(whole)
    for one, other in zip(found, whole, strict=True):
        assert (one.moved == other.moved).all()
        assert one.changed == other.changed
        assert one.relocated == other.relocated
        assert one.inertia == pytest.approx(other.inertia, rel=1e-12)
        if np.dtype(dtype).kind in "iu":
            assert one.inertia == other.inertia


def test_empty_clusters_take_the_same_positions(rng):
    X = rng.integers(0, 6, (400, 2))
    start = np.concatenate([X[:3], np.full((5, 2), 90)]).astype(float)
    visit = PartedPass(asked(cut(X)))
    found = list(steps(visit.X, start, make_pass=lambda *_: visit.again()))
    whole = list(steps(X, start))
    assert [step.relocated for step in found] == [step.relocated for step in whole]
    assert whole[0].relocated
    assert (found[-1].centroids == whole[-1].centroids).all()


def test_rows_without_weight_count_as_in_one_piece(rng):
    X, weight = points(rng, np.float64, 1_100), np.ones(1_100)
    weight[:200] = 0  # a whole part; 900 rows would be cut otherwise than 1,100
    one = lloydq.KMeans(5, init=X[:5], tol=0).fit(X, sample_weight=weight)
    ask = asked(cut(X, weight, at=(200, 700)))
    assert ask(parts.extents).n == 1_100
    assert ask(parts.scatter, centroids=one.cluster_centers_).inertia[0] == one.inertia_
    with pytest.raises(ValueError, match="no part has a point"):
        PartedPass(asked(cut(X, weight * 0)))


def test_a_part_that_forgets_answers_the_same(rng):
    X = points(rng, np.float64)
    one, other = X[:9].copy(), X[9:18].copy()
    options = {"cuts": np.zeros(1), "previous": one, "centroids": other}
    part = Part(X, memory={})
    parts.visit(part, **options | {"centroids": one, "previous": None})
    remembered = parts.visit(part, **options)
    forgotten = parts.visit(Part(X), **options)
    assert (remembered.slices == forgotten.slices).all()
    assert remembered.changed == forgotten.changed
    assert not np.shares_memory(part.memory["pass"].X, X)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_fast_way_that_errs_is_found_in_a_part(dtype, rng, monkeypatch):
    X = points(rng, dtype)
    visit = PartedPass(asked(cut(X, rng.integers(0, 3, len(X)).astype(float))), verify=True)
    assert visit(X[:9].astype(float)).changed
    monkeypatch.setattr(parts, "suited", lambda *_, cuts: Wrong(_[0], _[1], cuts=cuts))
    with pytest.raises(lloydq.VerificationError, match="label"):
        visit(X[9:18].astype(float))


def test_an_inertia_that_errs_is_found_in_a_part(rng, monkeypatch):
    part = Part(points(rng, np.float64))
    right = parts.scattered
    assert parts.scatter(part, centroids=part.X[:4], verify=True).weight.sum() == len(part.X)
    monkeypatch.setattr(parts, "scattered", lambda *what, numpy=False: [right(*what, numpy=numpy)[0] + (not numpy)])
    with pytest.raises(lloydq.VerificationError, match="inertia"):
        parts.scatter(part, centroids=part.X[:4], verify=True)


class Wrong(PlainPass):
    def visit(self, rows):
        sums = super().visit(rows)
        self.labels[rows] = 0
        return sums


def test_numbers_that_cannot_be_used_are_refused(rng):
    X = points(rng, np.float64)
    X[200, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        PartedPass(asked(cut(X)))
    with pytest.raises(ValueError, match="no part has a point"):
        PartedPass(asked(cut(X[:0], at=())))
    with pytest.raises(ValueError, match="2 and 3 columns"):
        PartedPass(asked([Part(X[:9, :2]), Part(X[:9])]))


def test_partial_and_merge_are_public(rng):
    X = rng.integers(0, 9, (50, 2))
    centroids, before = X[:4], X[4:8]
    one = lloydq.merge([lloydq.partial(X[:20], centroids), lloydq.partial(X[20:], centroids)])
    other = lloydq.add_up(X, lloydq.assign(X, centroids), 4)
    assert (one.total == other.total).all()
    assert one.changed == 50
    changed = lloydq.partial(X, centroids, previous=before).changed
    assert changed == (lloydq.assign(X, centroids) != lloydq.assign(X, before)).sum()
    with pytest.raises(ValueError, match="columns"):
        lloydq.partial(X, centroids[:, :1])


def test_a_pool_of_processes_drives_the_loop(rng):
    X = points(rng, np.float32, 2_000)
    start = X[:8].astype(float)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:

        def ask(question, **options):
            return merge(pool.map(partial(question, **options), cut(X, at=(500, 1_200))))

        visit = PartedPass(ask)
        *_, last = steps(visit.X, start, make_pass=lambda *_: visit.again())
    *_, whole = steps(X, start)
    assert (last.centroids == whole.centroids).all()
    assert last.n_iter == whole.n_iter


def test_the_plain_pass_can_be_a_part(rng):
    X = points(rng, np.float64)
    whole = PlainPass(X)
    pieces = [PlainPass(X[:100], cuts=whole.cuts), PlainPass(X[100:], cuts=whole.cuts)]
    both = merge(piece(X[:5]) for piece in pieces)
    assert (both.slices == whole(X[:5]).slices).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_a_large_part_of_bytes_is_folded_again_and_again(weighted, rng):
    X = rng.integers(0, 9, (6_000, 2)).astype(np.uint8)
    weight = rng.integers(0, 3, len(X)).astype(float) if weighted else None
    start = X[:30].astype(float)
    pieces = cut(X, weight, at=(5_000,), memory=True)
    visit = PartedPass(asked(pieces))
    for one, other in zip(
        steps(visit.X, start, make_pass=lambda *_: visit.again()), steps(X, start, weight), strict=True
    ):
        assert (one.moved == other.moved).all()
        assert one.changed == other.changed
    assert isinstance(pieces[0].memory["pass"], Folded)


def test_rows_are_drawn_though_nearly_all_are_equal(rng):
    X = np.repeat(rng.random((6, 2)), [3_000, 1, 1, 1, 1, 1], axis=0)
    found = draw(Part(X, None, 0, None), candidates=None, many=5, seed=(1,))
    assert len(np.unique(found.X, axis=0)) == 5


def test_distances_to_other_candidates_are_measured_anew(rng):
    X = rng.random((50, 2))
    part, candidates = Part(X, None, 0, {}), rng.random((9, 2))
    for some in (candidates[:3], candidates[:5], candidates[4:]):
        expected = ((X[:, None] - some) ** 2).sum(axis=2).min(axis=1)
        np.testing.assert_allclose(nearest(part, some, 1), expected)
