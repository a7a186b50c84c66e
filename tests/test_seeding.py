"""Starting centroids."""

import numpy as np
import pytest

from lloydq import KMeans, assign, kernels, kmeans_plusplus, seeding
from lloydq.positions import ColorPositions, DistinctPositions, PartedPositions, SortedPositions, passed, sum_of_columns
from lloydq.seeding import Starts, _Plain, as_bytes, positions_of, random_positions

INITS = ["k-means++", "random"]


def start(X, k, init, seed, weight=None, kind=None, n_threads=None):
    starts = Starts(X, weight, k, init, n_threads, given=X)
    if kind is not None:
        starts.positions = kind(X, weight, n_threads)
    return starts.draw(np.random.default_rng(seed))


@pytest.mark.parametrize("init", INITS)
def test_every_start_is_a_row_and_none_repeats(init, rng):
    X = np.repeat(rng.normal(size=(100, 2)), rng.integers(1, 30, 100), axis=0)
    found = start(X, 60, init, 0)
    assert len(np.unique(found, axis=0)) == 60
    assert {tuple(c) for c in found} <= {tuple(x) for x in X}


def test_indices_are_those_of_the_centers(rng):
    for X in (rng.normal(size=(500, 2)), rng.normal(size=(500, 2)).astype(np.float32), rng.integers(0, 9, (500, 2))):
        centers, indices = kmeans_plusplus(X, 20, random_state=1)
        np.testing.assert_array_equal(centers, X[indices])
        assert centers.dtype == (np.float32 if X.dtype == np.float32 else np.float64)


@pytest.mark.parametrize("k", [2, 12])
@pytest.mark.parametrize("init", INITS)
def test_kernels_and_numpy_draw_the_same_on_any_number_of_threads(init, k, rng, monkeypatch):
    for X in (rng.normal(size=(20_000, 3)), rng.integers(0, 256, (20_000, 3)).astype(np.uint8)):
        for weight in (None, rng.random(20_000)):
            with monkeypatch.context() as patch:
                patch.setattr(seeding, "tiny", lambda X, k: True)
                plain = start(X, k, init, 5, weight, SortedPositions)
            for kind in (SortedPositions, PartedPositions):
                for n_threads in (1, 3):
                    np.testing.assert_array_equal(start(X, k, init, 5, weight, kind, n_threads), plain)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("n", [50, 3_000, 140_000])
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_the_same_numbers_in_another_dtype_begin_the_same_way(d, n, init, rng):
    X = rng.integers(0, 256, (n, d))
    models = [KMeans(9, init=init, n_init=1, random_state=4, max_iter=1, tol=9) for _ in range(4)]
    first, *others = (model.fit(X.astype(dtype)) for model, dtype in zip(models, ("u1", "i8", "f4", "f8"), strict=True))
    for other in others:
        np.testing.assert_allclose(other.cluster_centers_, first.cluster_centers_, rtol=1e-6)


def test_only_bytes_are_taken_for_bytes(rng):
    pixels = rng.integers(0, 256, (100_000, 3))
    for dtype in (np.uint8, np.int64, np.float32, np.float64):
        np.testing.assert_array_equal(as_bytes(pixels.astype(dtype)), pixels)
    for other in (0.5, -1.0, 256.0, 1e30, 255.0 + 1e-9):
        X = pixels.astype(np.float64)
        X[-1, 2] = other
        assert as_bytes(X) is None


def test_parts_of_colours_that_are_left_out_change_nothing(rng, monkeypatch):
    """Boxes in the kernel, every distance in NumPy."""
    pixels = np.concatenate([rng.integers(0, 256, (9_000, 3)), rng.normal(90, 9, (9_000, 3))]).astype(np.uint8)
    for weight in (None, rng.integers(0, 4, len(pixels)).astype(np.float64)):
        for k in (3, 40):
            assert type(positions_of(pixels, weight, k, 3, None)) is ColorPositions
            with monkeypatch.context() as patch:
                patch.setattr(seeding, "tiny", lambda X, k: True)
                plain = start(pixels, k, "k-means++", 5, weight)
            np.testing.assert_array_equal(start(pixels, k, "k-means++", 5, weight), plain)
        centers, rows = kmeans_plusplus(pixels, 40, sample_weight=weight, random_state=1)
        np.testing.assert_array_equal(centers, pixels[rows])
        assert weight is None or weight[rows].all()


def ordinary(rng):
    return rng.normal(size=(9_000, 3))


KINDS = {
    "ordinary": ordinary,
    "far from the origin": lambda rng: ordinary(rng) + 1e6,
    "colours": lambda rng: rng.integers(0, 30, (9_000, 3)).astype(np.uint8),
    "one column": lambda rng: rng.normal(size=(9_000, 1)),
    "one hot": lambda rng: np.eye(40)[rng.integers(0, 40, 9_000)],
    "mostly one point": lambda rng: ordinary(rng) * (rng.random((9_000, 1)) < 0.01),
    "columns that one sum cannot tell apart": lambda rng: rng.integers(0, 9, (9_000, 2)) * [1e17, 1.0],
    "float32": lambda rng: ordinary(rng).astype(np.float32),
    "one hot, standardized: every draw is as good": lambda rng: (np.eye(10)[np.arange(9_000) % 10] - 0.1) / 0.3,
    "wide": lambda rng: rng.normal(size=(5_000, 50)),
}


@pytest.mark.parametrize("way", [SortedPositions, PartedPositions])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("kind", KINDS)
def test_draws_hang_neither_on_the_order_of_rows_nor_on_repetition(kind, init, way, rng):
    X = KINDS[kind](rng)
    weight = rng.integers(0, 4, len(X))
    repeated = np.repeat(X, weight, axis=0)
    shuffled = rng.permutation(len(X))
    for seed in range(3):
        expected = start(X, 30, init, seed, weight.astype(float), kind=way)
        np.testing.assert_array_equal(start(repeated, 30, init, seed, kind=way), expected)
        np.testing.assert_array_equal(start(rng.permutation(repeated), 30, init, seed, kind=way), expected)
        other = start(X[shuffled], 30, init, seed, weight[shuffled].astype(float), kind=way)
        np.testing.assert_array_equal(other, expected)


@pytest.mark.parametrize("init", INITS)
def test_rounding_to_float32_keeps_the_draws(init, rng):
    X = rng.normal(size=(5_000, 4))
    np.testing.assert_allclose(start(X.astype(np.float32), 10, init, 0), start(X, 10, init, 0), rtol=1e-6)


def test_parts_are_ordered_and_hold_every_row_once(rng):
    X = np.concatenate([rng.normal(size=(30_000, 2)), np.zeros((9_000, 2))])
    positions, sums, below = PartedPositions(X, None, 2), sum_of_columns(X), -np.inf
    rows = [positions.rows_of(part) for part in np.unique(positions.parts)]
    assert [positions.alike_in(int(positions.parts[row])) for row in (29_999, 30_000, 38_999)] == [-1, 30_000, 30_000]
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(X)))
    assert len(positions.equals(30_000)) == len(X)
    assert positions.equals(30_005).sum() == 9_000
    for part in rows:
        assert below < sums[part].min()
        below = sums[part].max()
    assert sorted(map(len, rows))[-2] < 3 * len(X) / (positions.many / 2)


def test_running_sums_are_never_left():
    ends = np.array([0.0, 2.0, 2.0, 5.0])
    assert passed(ends, np.array([-1e-17, 0.0, 1.9, 2.0, 5.0, 6.0])).tolist() == [1, 1, 1, 3, 3, 3]


def test_what_is_fixed_is_known_in_any_dtype_and_sign():
    for dtype in (np.uint8, np.int64, np.float32, np.float64):
        X, fixed = np.array([[0.0], [1.0], [0.1]]).astype(dtype), np.array([[-0.0], [0.1]])
        for seed in range(20):
            positions = SortedPositions(X, None, None)
            drawn = random_positions(positions, 1, np.random.default_rng(seed), fixed=fixed)
            assert positions.X[drawn].tolist() == [[1]]


def test_weightless_rows_are_never_drawn():
    X, weight = np.arange(40.0)[:, None], np.zeros(40)
    weight[[3, 7, 30]] = 0.1, 5, 2
    for init in INITS:
        for seed in range(20):
            assert set(start(X, 3, init, seed, weight).ravel()) == {3.0, 7.0, 30.0}


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("d", [2, 3])
def test_whole_weights_are_repetitions_whichever_way_suits(d, init, rng):
    X, weight = rng.integers(0, 256, (300, d)).astype(np.uint8), rng.integers(0, 5, 300)
    repeated = np.repeat(X, weight, axis=0)
    for seed in range(5):
        np.testing.assert_array_equal(start(X, 9, init, seed, weight.astype(float)), start(repeated, 9, init, seed))


@pytest.mark.parametrize("init", INITS)
def test_weightless_rows_that_are_no_bytes_change_nothing(init):
    X, weight = np.array([[-1, 0, 0], [1, 0, 0], [0, 300, 0.5], [0, 2, 0]]), np.array([0.0, 1, 0, 1])
    for seed in range(20):
        np.testing.assert_array_equal(start(X, 2, init, seed, weight), start(X[[1, 3]], 2, init, seed))


def test_rows_repeat_when_every_position_is_taken():
    for init in INITS:
        assert set(start(np.array([[1.0], [2.0], [1.0]]), 3, init, 0).ravel()) == {1.0, 2.0}


def test_far_groups_are_each_hit(rng):
    X = np.concatenate([rng.normal(center, 0.1, (100, 2)) for center in (0, 50, 100, 150)])
    for seed in range(10):
        assert {round(x / 50) for x in start(X, 4, "k-means++", seed)[:, 0]} == {0, 1, 2, 3}


def test_random_positions_follow_the_weights():
    X, weight = np.array([[0.0], [1.0], [2.0], [2.0]]), np.array([1.0, 3.0, 4.0, 2.0])
    positions = SortedPositions(X, weight, None)
    assert positions.weight.tolist() == [1, 3, 6]
    first, pairs = np.zeros(3), np.zeros(3)
    for seed in range(3000):
        drawn = positions.X[random_positions(positions, 2, np.random.default_rng(seed)), 0].astype(int)
        first[drawn[0]] += 1
        pairs[3 - drawn.sum()] += 1  # by which one is left out
    # one after the other: 0.1, 0.3, 0.6; a pair that leaves out i: Σ p_a p_b / (1 − p_a) over its two orders
    p = np.array([0.1, 0.3, 0.6])
    left = [p[a] * p[b] * (1 / (1 - p[a]) + 1 / (1 - p[b])) for a, b in ((1, 2), (0, 2), (0, 1))]
    np.testing.assert_allclose(first / 3000, p, atol=0.03)
    np.testing.assert_allclose(pairs / 3000, left, atol=0.03)


def test_one_trial_is_plain_kmeans_plusplus():
    X = np.array([[0.0], [1.0], [10.0]])
    second = np.zeros(3)
    for seed in range(3000):
        indices = kmeans_plusplus(X, 2, random_state=seed, n_local_trials=1)[1]
        if indices[0] == 0:
            second[indices[1]] += 1
    np.testing.assert_allclose(second / second.sum(), [0, 1 / 101, 100 / 101], atol=0.02)


def test_more_trials_find_better_starts(rng):
    X = rng.normal(size=(300, 2)) + 9 * rng.integers(0, 4, (300, 2))

    def mean(n_local_trials):
        starts = (kmeans_plusplus(X, 12, random_state=seed, n_local_trials=n_local_trials)[0] for seed in range(20))
        return np.mean([((X - centers[assign(X, centers)]) ** 2).sum() for centers in starts])

    assert mean(20) < mean(None) < mean(1)


def test_numpy_measures_what_kernels_do(rng):
    X, weight, nearest = rng.normal(size=(200, 5)), rng.random(200), rng.random(200) * 9
    np.testing.assert_array_equal(
        _Plain.potentials(X, weight, nearest, X[:7]), kernels.potentials(X, weight, nearest, X[:7])
    )


def test_a_function_gets_a_state_that_follows_from_the_seed(rng):
    found = []

    def init(X, k, random_state):
        found.append(random_state.randint(0, 1 << 30))
        return X[:k]

    start(rng.normal(size=(50, 2)), 3, init, 8)
    expected = np.random.RandomState(np.random.default_rng(8).integers(2**32, dtype=np.uint32))
    assert found == [expected.randint(0, 1 << 30)]


@pytest.mark.parametrize("kind", [SortedPositions, PartedPositions])
def test_zero_of_either_sign_is_one_position(kind):
    X = np.array([[0.0], [-0.0], [1.0]])
    for seed in range(30):
        assert sorted(start(X, 2, "random", seed, kind=kind).ravel().tolist()) == [0.0, 1.0]


@pytest.mark.parametrize("kind", [SortedPositions, PartedPositions])
def test_with_odds_by_the_distance_to_what_is_fixed_too(kind):
    """The first draw of k-means++ as if the fixed ones had been drawn before: odds w·D² to them."""
    X, fixed = np.array([[0.0], [1.0], [3.0], [10.0]]), np.array([[10.0], [0.5]])
    drawn = np.zeros(4)
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        drawn[plus_plus_row(kind(X, None, None), 1, rng, trials=1, fixed=fixed)] += 1
    odds = np.array([0.25, 0.25, 6.25, 0])
    np.testing.assert_allclose(drawn / 2000, odds / odds.sum(), atol=0.02)


def plus_plus_row(positions, k, rng, **options):
    return positions.rows(seeding.plus_plus(positions, k, rng, **options))


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("d", [1, 3, 4])
def test_none_that_is_fixed_is_drawn(init, dtype, d, rng):
    X = rng.permutation(256)[:40, None].repeat(d, axis=1).astype(dtype)
    fixed = X[::4].astype(np.float64)
    others = {tuple(x) for x in X.tolist()} - {tuple(x) for x in fixed.tolist()}
    for seed in range(20):
        starts = Starts(X, None, 30, init, None, given=X, fixed=fixed)
        assert {tuple(c) for c in starts.draw(np.random.default_rng(seed)).tolist()} == others
    starts = Starts(X, None, 32, init, None, given=X, fixed=fixed)  # more than there are: some come again
    assert others <= {tuple(c) for c in starts.draw(np.random.default_rng(0)).tolist()}


@pytest.mark.parametrize("init", INITS)
def test_none_fixed_is_as_if_nothing_had_been_said(init, rng):
    X = rng.normal(size=(300, 3))
    for fixed in (None, np.empty((0, 3))):
        starts = Starts(X, None, 9, init, None, given=X, fixed=fixed)
        np.testing.assert_array_equal(starts.draw(np.random.default_rng(3)), start(X, 9, init, 3))


@pytest.mark.parametrize("init", INITS)
def test_draws_beside_fixed_ones_hang_on_neither_threads_nor_kernels(init, rng, monkeypatch):
    for X in (rng.normal(size=(20_000, 3)), rng.integers(0, 256, (20_000, 3)).astype(np.uint8)):
        fixed = X[:5].astype(np.float64)
        found = [Starts(X, None, 12, init, n, X, fixed).draw(np.random.default_rng(5)) for n in (1, 3)]
        with monkeypatch.context() as patch:
            patch.setattr(seeding, "tiny", lambda X, k: True)
            found.append(Starts(X, None, 12, init, None, X, fixed).draw(np.random.default_rng(5)))
        for other in found[1:]:
            np.testing.assert_array_equal(other, found[0])


def test_given_starts(rng):
    X = rng.normal(size=(10, 2))

    def function(X, k, random_state):
        assert isinstance(random_state, np.random.RandomState)
        return X[random_state.permutation(len(X))[:k]]

    found = start(X, 3, function, 0)
    assert found.dtype == np.float64
    assert start(X, 3, lambda X, k, random_state: np.asfortranarray(X[:3]), 0).flags.c_contiguous
    assert {tuple(c) for c in found} <= {tuple(x) for x in X}
    with pytest.raises(ValueError, match=r"initial centers \(10, 2\) does not match the number of clusters 3"):
        start(X, 3, lambda X, k, random_state: X, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_clusters": 11}, "n_samples=10 should be >= n_clusters=11"),
        ({"n_local_trials": 0}, "^n_local_trials must be at least 1; got 0$"),
        ({"sample_weight": -np.ones(10)}, "sample_weight"),
        ({"x_squared_norms": np.ones(9)}, "length of x_squared_norms 9 should be equal to the length of n_samples 10"),
        ({"random_state": "seed"}, "^random_state must be None"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        kmeans_plusplus(np.zeros((10, 2)), **{"n_clusters": 2, **options})


def test_which_way_suits(rng):
    for shape, k, trials, kind in (
        ((1_000, 3), 8, 4, SortedPositions),
        ((40_000, 3), 8, 4, PartedPositions),
        ((40_000, 3), 64, 6, SortedPositions),
        ((3_000, 1), 2, 2, SortedPositions),  # no kernels for so little
        ((seeding.FEW + 1, 3), 256, 7, PartedPositions),
        ((3, 1_000_000), 2, 2, PartedPositions),
    ):
        assert type(positions_of(np.full(shape, 0.5), None, k, trials, None)) is kind


def test_positions_that_are_rows():
    positions = DistinctPositions(np.array([[1, 2], [3, 4]]), None, None)
    assert positions.rows(np.array([1, 0])).tolist() == [1, 0]


@pytest.mark.parametrize("init", INITS)
def test_starts_of_distinct_colours_are_drawn_by_their_counts(init):
    X, counts = np.arange(30, dtype=np.uint8).reshape(10, 3), np.ones(10)
    counts[7] = 1e9
    starts = Starts(X, counts, 1, init, 1, given=X, distinct=True)
    assert starts.draw(np.random.default_rng(0)).tolist() == [X[7].tolist()]
