"""The algorithm itself, against three nested loops and against the properties it must have."""

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import naive
import numpy as np
import pytest

import lloydq
from lloydq import assign, random_points, steps, update
from lloydq.lloyd import PlainPass, Sums, add_up, chunks, grids, keep_empty


def last_of(*arguments, **options):
    *_, last = steps(*arguments, **options)
    return last


def test_assign_is_the_brute_force(rng):
    for n, d, k in ((1, 1, 1), (17, 3, 5), (100, 2, 100), (40, 7, 3)):
        X, centroids = rng.normal(size=(n, d)), rng.normal(size=(k, d))
        assert assign(X, centroids).tolist() == naive.assign(X, centroids)


def test_ties_go_to_the_lowest_label():
    assert assign(np.array([[1.0], [3.0]]), np.array([[2.0], [0.0], [2.0], [4.0]])).tolist() == [0, 0]


def test_assign_refuses_other_columns():
    with pytest.raises(ValueError, match=r"^points \(3, 2\) and centroids \(1, 3\) must have equally many columns$"):
        assign(np.zeros((3, 2)), np.zeros((1, 3)))


def test_update_is_the_mean_and_leaves_empty_centroids(rng):
    X, labels, weight = rng.normal(size=(50, 2)), rng.integers(0, 3, 50), rng.random(50)
    centroids = np.full((4, 2), 7.0)
    moved = update(add_up(X, labels, 4, weight), centroids)
    np.testing.assert_array_equal(moved, naive.update(X, labels, weight, centroids))
    assert moved[3].tolist() == [7.0, 7.0]


def test_whole_run_is_the_brute_force(rng):
    X, weight = rng.integers(0, 50, (200, 2)), rng.integers(1, 5, 200)
    start = X[:4].astype(float)
    labels, centroids, n_iter = naive.lloyd(X, start, weight)
    last = last_of(X, start, weight)
    assert last.labels.tolist() == labels
    assert last.centroids.tolist() == centroids
    assert (last.n_iter, last.stop_reason) == (n_iter, "converged")


def test_inertia_never_rises_and_is_that_of_the_labels(rng):
    X = np.concatenate([rng.normal(size=(300, 3)), rng.normal(5, 2, (300, 3))])
    before = np.inf
    for step in steps(X, X[:7]):
        direct = naive.inertia(X, step.labels, np.ones(600), step.centroids)
        assert step.inertia == pytest.approx(direct, rel=1e-12)
        assert step.inertia <= before * (1 + 1e-12)
        assert step.inertia_after_update <= step.inertia * (1 + 1e-12)
        assert step.inertia_after_update == pytest.approx(
            naive.inertia(X, step.labels, np.ones(600), step.moved), rel=1e-12
        )
        before = step.inertia_after_update


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_inertia_far_from_the_origin(rng, offset):
    for X in (rng.normal(size=(500, 2)) + offset, rng.integers(0, 9, (500, 2)) + int(offset)):
        step = next(steps(X, X[:5]))
        assert step.inertia == pytest.approx(naive.inertia(X, step.labels, np.ones(500), step.centroids), rel=1e-8)


def test_weights_are_copies(rng):
    X, weight = rng.integers(0, 30, (60, 2)), rng.integers(1, 4, 60)
    start = X[[0, 10, 20]]
    weighted, repeated = last_of(X, start, weight), last_of(np.repeat(X, weight, axis=0), start)
    np.testing.assert_array_equal(weighted.centroids, repeated.centroids)
    np.testing.assert_array_equal(np.repeat(weighted.labels, weight), repeated.labels)
    assert weighted.inertia == repeated.inertia
    assert weighted.n_iter == repeated.n_iter


def test_sums_of_two_pieces_add(rng):
    X, labels, w = rng.integers(0, 99, (100, 3)), rng.integers(0, 5, 100), np.ones(100)
    both = add_up(X[:37], labels[:37], 5) + add_up(X[37:], labels[37:], 5, w[37:])
    whole = add_up(X, labels, 5)
    np.testing.assert_array_equal(both.points, whole.points)
    np.testing.assert_array_equal(both.weight, whole.weight)
    assert vars(Sums(w, 1, 2, 3) + Sums(w, 10, 20, 30))["skipped"] == 33


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 1e9, 1e150])
@pytest.mark.parametrize("spread", [0, 5, 60])
def test_cut_sums_are_exact_in_any_order_and_any_pieces(scale, spread, rng):
    X = rng.normal(size=(1000, 2)) * 10.0 ** rng.integers(-spread, 1, (1000, 1)) * scale
    labels, weight = rng.integers(0, 3, 1000), rng.random(1000)
    for w in (None, weight, rng.integers(0, 9, 1000).astype(float)):
        cuts = PlainPass(X, w).cuts
        sums = add_up(X, labels, 3, w, cuts)
        order = rng.permutation(1000)
        first, rest = order[:377], order[377:]
        pieces = [add_up(X[part], labels[part], 3, None if w is None else w[part], cuts) for part in (first, rest)]
        np.testing.assert_array_equal((pieces[0] + pieces[1]).slices, sums.slices)
        numbers = np.column_stack([X, np.ones(1000)]) * (1.0 if w is None else w[:, None])
        for j in range(3):
            exact = [math.fsum(column) for column in numbers[labels == j].T]
            assert [math.fsum(slices) for slices in sums.slices[:, j].T] == exact
            np.testing.assert_allclose(sums.total[j], exact, rtol=1e-15)


@pytest.mark.parametrize("bits", [50, 51, 52, 53])
def test_cut_sums_are_exact_at_the_edge(bits):
    """As many numbers as grids can take, all of one sign, of one large and many ones below it that are alike."""
    largest = 1 - 2.0**-bits
    for n in (1, 3, 7, 15, 1023):
        for small in largest * 2.0 ** np.arange(-120, 1):
            X = np.array([largest, *[small] * (n - 1)])
            cuts = grids(n, largest, small)
            slices = add_up(X[:, None], np.zeros(n, int), 1, cuts=cuts).slices[:, 0, 0]
            assert sum(map(Fraction, slices)) == Fraction(largest) + (n - 1) * Fraction(small)


@pytest.mark.parametrize("d", [1, 3, 784])
def test_chunks_cover_every_row_once_and_stay_small(d):
    for n in (1, 8191, 8192, 8193, 100_003, 5_000_000, 3_000_000_000):
        pieces = chunks((n, d), 64)
        assert max(piece.stop - piece.start for piece in pieces[:2]) * d <= 2**20 + 16 * 64 * d
        assert pieces[0].start == 0
        assert pieces[-1].stop == n
        assert all(a.stop == b.start for a, b in zip(pieces, pieces[1:], strict=False))


@pytest.mark.parametrize(
    ("n", "d", "k", "size"),
    [
        (10_000, 3, 64, 8192),
        (5_000_000, 3, 64, 39_063),  # 128 pieces
        (100_000, 784, 2, 1338),  # 2²⁰ numbers
        (100_000, 784, 1000, 16_000),  # 16 rows for each centroid
    ],
)
def test_how_large_a_chunk_is(n, d, k, size):
    assert chunks((n, d), k)[0] == slice(0, size)


def test_stop_rules(rng):
    X = rng.normal(size=(400, 2))
    full = list(steps(X, X[:9]))
    assert full[-1].stop_reason == "converged"
    assert full[-1].changed == 0
    assert [step.stop_reason for step in full[:-1]] == [None] * (len(full) - 1)
    np.testing.assert_array_equal(full[-1].moved, full[-1].centroids)

    short = list(steps(X, X[:9], max_iter=3))
    assert [step.n_iter for step in short] == [1, 2, 3, 3]
    assert short[-1].stop_reason == "max_iter"
    np.testing.assert_array_equal(short[-1].centroids, short[-2].moved)
    assert short[-1].labels.tolist() == naive.assign(X, short[-1].centroids)

    assert [step.n_iter for step in steps(X, X[:9], max_iter=0)] == [1, 1]

    loose = list(steps(X, X[:9], tol=1e-2))
    assert loose[-1].stop_reason == "tol"
    assert (loose[-2].shift ** 2).sum() <= 1e-2 * X.var(axis=0).mean()
    assert (loose[-3].shift ** 2).sum() > 1e-2 * X.var(axis=0).mean()


def test_a_shift_just_within_tol_is_the_last():
    X = np.array([[-4.0], [-4.0], [4.0], [4.0]])  # of variance 16
    *_, moving, last = steps(X, np.array([[-5], [5]]), tol=2 / 16)
    assert moving.centroids.dtype == np.float64
    assert moving.shift.tolist() == [1, 1]
    assert (last.n_iter, last.stop_reason) == (1, "tol")


def test_labels_can_be_read_until_the_loop_goes_on(rng):
    X = rng.normal(size=(100, 2))
    walk = steps(X, X[:5])
    first = next(walk)
    kept, second = first.labels, next(walk)
    assert first.labels is kept
    assert not kept.flags.writeable
    third = next(walk)
    with pytest.raises(RuntimeError, match="step 2"):
        second.labels  # noqa: B018
    assert third.labels.shape == (100,)


def test_arrays_of_a_step_are_never_overwritten(rng):
    X = rng.integers(0, 255, (500, 3)).astype(np.uint8)
    kept = [(step, step.centroids.copy(), step.moved.copy(), step.shift.copy()) for step in steps(X, X[:8])]
    for step, centroids, moved, shift in kept:
        np.testing.assert_array_equal(step.centroids, centroids)
        np.testing.assert_array_equal(step.moved, moved)
        np.testing.assert_array_equal(step.shift, shift)


def test_fixed_centroids_never_move(rng):
    X = rng.normal(size=(300, 2))
    for fixed in ([0, 2], np.array([True, False, True, False, False])):
        for step in steps(X, X[:5], fixed=fixed):
            np.testing.assert_array_equal(step.centroids[[0, 2]], X[[0, 2]])
            np.testing.assert_array_equal(step.moved[[0, 2]], X[[0, 2]])
    far = np.array([[0.0, 0.0], [1e6, 1e6]])  # empty, and stays so
    assert last_of(X, far, fixed=[1]).centroids[1].tolist() == [1e6, 1e6]


def test_a_circle_is_broken():
    class Circle(PlainPass):
        """0, 1, 2, 3, 4, and then 2, 3, 4 again and again, as rounding might."""

        def __call__(self, centroids):
            super().__call__(centroids)
            return Sums(np.array([[[{4: 2}.get(place := float(centroids[0, 0]), place + 1), 1.0]]]), changed=1)

    walk = []
    for step in steps(np.array([[1.0]]), np.array([[0.0]]), make_pass=Circle):
        walk.append(step)
        assert len(walk) < 10
    assert [step.centroids[0, 0] for step in walk] == [0, 1, 2, 3, 4, 2, 3, 4]
    assert walk[-1].stop_reason == "cycle"


def test_empty_cluster_takes_the_farthest_position_and_all_points_on_it():
    X = np.array([[0.0], [1.0], [9.0], [9.0], [4.0]])
    step = next(steps(X, np.array([[0.0], [100.0]])))
    assert step.relocated == 1
    assert step.moved[1].tolist() == [9.0]
    assert step.moved[0].tolist() == [5 / 3]
    final = last_of(X, np.array([[0.0], [100.0]]))
    assert final.labels.tolist() == [0, 0, 1, 1, 0]


def test_a_position_is_taken_with_what_its_points_weigh():
    X, weight = np.array([[0.0], [1.0], [9.0], [9.0], [4.0]]), np.array([1.0, 2.0, 3.0, 1.0, 2.0])
    step = next(steps(X, np.array([[0.0], [100.0]]), weight))
    assert step.moved.ravel().tolist() == [2.0, 9.0]
    assert step.sums_after.weight.tolist() == [5.0, 4.0]
    assert step.sums_after.points.ravel().tolist() == [10.0, 36.0]
    assert step.inertia_after_update == pytest.approx(1 * 4 + 2 * 1 + 2 * 4)


def test_what_is_nearest_in_each_cluster_is_not_given_away():
    """Farthest first: 21, 0, 12, 100.5, 99.9; 12 and 99.9 are the last ones of their clusters."""
    X, far = np.array([[0.0], [21.0], [99.9], [100.5], [12.0]]), [1e3, 2e3, 3e3, 4e3]
    step = next(steps(X, np.array([[10.0], [100.0], *([x] for x in far)])))
    assert step.relocated == 3
    assert step.moved.ravel().tolist() == [12.0, 99.9, 21.0, 0.0, 100.5, 4e3]
    *positions, labels = step.visit.farthest(9)
    assert [found.ravel().tolist() for found in (*positions, labels)] == [[21.0, 0.0, 100.5], [1.0] * 3, [0, 0, 1]]
    integers = next(steps(np.array([[0], [21], [100], [104]], np.uint8), np.array([[10.0], [101.0], [1e3]])))
    assert integers.visit.farthest(1)[0].dtype == np.float64


def test_what_is_counted(rng):
    X = rng.normal(size=(40, 2))
    visit = PlainPass(X, None)
    sums = visit(X[:3])
    assert (sums.changed, sums.computed, sums.skipped) == (40, 120, 0)
    assert visit(X[:3]).changed == 0
    assert (visit.again().labels == -1).all()
    assert (visit.labels >= 0).all()
    both = Sums(np.ones((1, 2, 3)), 1, 20, 300) + Sums(np.full((1, 2, 3), 2.0), 4, 50, 600)
    assert (both.changed, both.computed, both.skipped) == (5, 70, 900)
    assert (both.slices == 3).all()


def test_empty_centroids_that_are_kept_count_as_none():
    step = next(steps(np.array([[0.0], [2.0]]), np.array([[0.0], [100.0]]), fill=keep_empty))
    assert step.relocated == 0
    assert step.moved.ravel().tolist() == [1.0, 100.0]


def test_empty_clusters_take_distinct_positions_in_turn_ties_by_coordinates():
    X = np.array([[0, 0], [5, 0], [0, 5], [-5, 0], [0, 0]])
    step = next(steps(X, np.array([[0.0, 0.0], [50.0, 50.0], [60.0, 60.0]])))
    assert step.moved[1].tolist() == [-5.0, 0.0]
    assert step.moved[2].tolist() == [0.0, 5.0]
    assert step.relocated == 2


def test_a_cluster_keeps_its_last_position_and_weightless_points_stay():
    X = np.array([[0.0], [0.0], [10.0], [70.0]])
    weight = np.array([1.0, 1.0, 1.0, 0.0])
    start = np.array([[1.0], [12.0], [500.0]])
    walk = list(steps(X, start, weight))
    assert [step.relocated for step in walk] == [0] * len(walk)
    assert walk[-1].centroids.ravel().tolist() == [0.0, 10.0, 500.0]
    assert walk[-1].stop_reason == "converged"


def test_fewer_positions_than_centroids_ends(rng):
    X = np.repeat(rng.normal(size=(3, 2)), 10, axis=0)
    last = last_of(X, X[[0, 0, 10, 10, 20]])
    assert last.inertia == pytest.approx(0, abs=1e-12)
    assert last.stop_reason == "converged"


def test_positions_whose_distances_underflow_are_not_taken_for_ever():
    X = np.array([[0.0], [1e-200], [1.0]])
    last = last_of(X, np.array([[0.0], [1.0], [50.0], [60.0]]))
    assert last.stop_reason == "converged"


def test_random_points_without_and_with_counts(rng):
    X = np.arange(10)[:, None]
    assert sorted(random_points(X, 10, 0).ravel().tolist()) == list(range(10))
    weight = np.array([3, 0, 1])
    draws = random_points(X[:3], 4, 0, weight)
    assert sorted(draws.ravel().tolist()) == [0, 0, 0, 2]
    repeated = random_points(np.repeat(X[:3], weight, axis=0), 2, 7)
    np.testing.assert_array_equal(random_points(X[:3], 2, 7, weight), repeated)
    many = np.array([100, 0, 300])
    np.testing.assert_array_equal(
        random_points(X[:3], 200, 7, many), random_points(np.repeat(X[:3], many, axis=0), 200, 7)
    )
    fractions = random_points(X[:3], 2, 0, np.array([0.5, 0.0, 0.25]))
    assert sorted(fractions.ravel().tolist()) == [0, 2]
    assert random_points(X, 3, np.random.default_rng(1)).tolist() == random_points(X, 3, 1).tolist()


def test_copies_are_counted_as_far_as_float64_can():
    X = np.arange(2)[:, None]
    assert len(random_points(X, 3, 0, np.array([2.0**53 - 2, 1]))) == 3
    with pytest.raises(ValueError, match="from 1 to the number of points, 2; got 3"):
        random_points(X, 3, 0, np.array([2.0**53 - 1, 1]))


@pytest.mark.parametrize("k", [0, -1, 11])
def test_random_points_refuses_other_numbers(k):
    with pytest.raises(ValueError, match=f"from 1 to the number of points, 10; got {k}"):
        random_points(np.zeros((10, 2)), k, 0)


@pytest.mark.parametrize("weight", [np.ones(9), -np.ones(10), np.full(10, np.nan), 3])
def test_random_points_refuses_other_weights(weight):
    with pytest.raises(ValueError, match=r"weight must have shape \(10,\)"):
        random_points(np.zeros((10, 2)), 2, 0, weight)


def test_one_step_by_hand():
    X = np.array([[1, 1], [2, 1], [8, 9], [9, 9]])
    centroids = random_points(X, 2, rng=0)
    moved = update(lloydq.add_up(X, assign(X, centroids), 2), centroids)
    assert moved.tolist() == next(steps(X, centroids)).moved.tolist()


def test_random_points_follow_the_counts():
    X, weight = np.array([[0], [1]]), np.array([900, 100])
    drawn = np.concatenate([random_points(X, 1, seed, weight) for seed in range(400)])
    assert 20 <= drawn.sum() <= 65


def test_runs_by_itself_in_a_terminal():
    script = Path(lloydq.__file__).parent / "lloyd.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, encoding="utf-8")
    assert "Step 3" in done.stdout
    assert "converged" in done.stdout
    assert done.stderr == ""


def test_whole_numbers_are_cut_as_such():
    """One sum takes small ones; large ones lose nothing beside small ones."""
    assert PlainPass(np.array([[3.0, 250], [0, 7]])).cuts.tolist() == [0.0]
    large = np.array([[2.0**60], [1], [-(2.0**60)], [3]])
    np.testing.assert_array_equal(PlainPass(large).cuts, grids(4, 2.0**60, 2.0**52))
    assert PlainPass(large).mean.tolist() == [1.0]
