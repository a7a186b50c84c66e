"""What is taken for points, weights, numbers and colours: the last value that counts, the first that does not, and
every word that says so."""

import re
import sys

import numpy as np
import pytest

from lloydq import checks

HUGE = np.finfo(np.float64).max


def taken(found, wanted, dtype):
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == dtype
    return True


@pytest.mark.parametrize(
    ("given", "wanted", "dtype"),
    [
        ([[1, 2]], [[1, 2]], np.int64),
        ([[True], [False]], [[1], [0]], np.uint8),
        (np.array([[1.5]], np.longdouble), [[1.5]], np.float64),
        (np.array([[1.5]], np.float16), [[1.5]], np.float16),
        (np.array([[1, 2.5], [None, 3]], object)[:1], [[1, 2.5]], np.float64),
        (np.ma.MaskedArray([[1.0, 2.0]]), [[1, 2]], np.float64),
        (np.full((1, 1), np.sqrt(HUGE / 4)), [[np.sqrt(HUGE / 4)]], np.float64),
        (np.full((2, 2), -np.sqrt(HUGE / 16)), np.full((2, 2), -np.sqrt(HUGE / 16)), np.float64),
    ],
)
def test_points(given, wanted, dtype):
    assert taken(checks.points(given), wanted, dtype)


def test_points_are_no_copy_of_an_array():
    X = np.ones((2, 2))
    assert checks.points(X) is X


def test_objects_where_pandas_is_not_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert taken(checks.points(np.array([[1, 2.5]], object)), [[1, 2.5]], np.float64)


class Sparse:
    nnz, toarray = 3, None


ABOVE = np.nextafter(np.sqrt(HUGE / 16), np.inf)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Sparse(), "Y is sparse. Sparse data was passed, but dense data is required: pass Y.toarray()"),
        (np.ma.MaskedArray([[1.0]], [[True]]), "Y has masked values; k-means needs them all: fill them, or drop their "
            "rows"),
        (np.array([[1j]]), "Complex data not supported: Y must hold real numbers; got dtype complex128"),
        ([["a"]], "Y must hold real numbers; got dtype <U1"),
        (np.array([["a"]], object), "Y must hold real numbers; it holds strings"),
        (np.array([[b"a"]], object), "Y must hold real numbers; it holds strings"),
        (np.array([[{}]], object), "Y must hold real numbers; float() argument must be a string or a real number, not "
            "'dict'"),
        (np.array([[None]], object), "Input Y contains NaN; all its numbers must be finite"),
        (np.ones(3), "Y must have shape (n, d). Expected 2D array, got 1D array instead, of shape (3,). Reshape your "
            "data: array.reshape(-1, 1) if it has a single feature, array.reshape(1, -1) if it is a single sample"),
        (np.ones((0, 2)), "Y must have shape (n, d), with at least one row and one column: found array with 0 "
            "sample(s) (shape=(0, 2)) while a minimum of 1 is required."),
        (np.ones((2, 0)), "Y must have shape (n, d), with at least one row and one column: found array with 0 "
            "feature(s) (shape=(2, 0)) while a minimum of 1 is required."),
        ([[10**400]], "Y must hold real numbers; int too large to convert to float"),
        (np.array([["1e4000"]], object).astype(np.longdouble), "Input Y contains infinity; all its numbers must be "
            "finite"),
        ([[1, np.nan]], "Input Y contains NaN; all its numbers must be finite"),
        ([[1, -np.inf]], "Input Y contains infinity; all its numbers must be finite"),
        (np.full((2, 2), ABOVE), "Y reaches 3.35e+153; above 3.35e+153 squared distances overflow: scale it down"),
        (np.full((2, 2), -ABOVE), "Y reaches 3.35e+153; above 3.35e+153 squared distances overflow: scale it down"),
    ],
)  # fmt: skip
def test_no_points(given, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checks.points(given, "Y")


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_what_is_of_the_wrong_kind_is_both_errors(error):
    with pytest.raises(error):
        checks.points([["a"]])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(3, [3, 3]), ([0, 2], [0, 2]), ([True, False], [1, 0]), (np.array([1, 0.5], object), [1, 0.5])],
)
def test_weights(given, wanted):
    assert taken(checks.weights(given, 2), wanted, np.float64)
    assert checks.weights(None, 2) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a", "b"], "w must hold real numbers; got dtype <U1"),
        (np.array(["a", 1], object), "w must hold real numbers; it holds strings"),
        ([1j, 1], "w must hold real numbers; got dtype complex128"),
        ([1, 2, 3], "w must have shape (2,), one weight for each point; got (3,)"),
        ([[1, 2]], "w must have shape (2,), one weight for each point; got (1, 2)"),
        ([1, np.nan], "Input w contains NaN; all weights must be finite"),
        ([1, -1e-300], "w must not be negative; the smallest is -1e-300"),
        ([1, np.inf], "w must be finite, and its sum too; the largest is inf"),
        ([HUGE, HUGE], f"w must be finite, and its sum too; the largest is {HUGE}"),
        (np.array(["1e4000", "1"]).astype(np.longdouble), "w must be finite, and its sum too; the largest is inf"),
        (10**400, "w must hold real numbers; int too large to convert to float"),
        ([5e-324, 1e-291], "w is so small, 1e-291 at most, that its products lose digits: scale it up"),
        ([0, 0], "w must not be all zero"),
        (0, "w must not be all zero"),
    ],
)
def test_no_weights(given, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checks.weights(given, 2, "w")


def test_weights_within_reach():
    """The sum of w·x² of two columns, and each w·x by as many as there are rows, within a quarter of float64."""
    X = np.array([[10.0, 1.0], [-20.0, 3.0]])
    most = HUGE / 4 / 2 / 20 / 20
    checks.reach(X, np.array([most / 2, most / 2]))
    checks.reach(X, None)
    one = np.zeros((4, 1))  # numbers below 1 are taken for 1
    checks.reach(one, np.array([HUGE / 4 / 4, 0, 0, 0]))
    many = np.array([[2.0], *[[0.0]] * 999])  # of few rows that weigh anything, w·x is what is too large
    checks.reach(many, np.array([HUGE / 4 / 1000 / 2, *[0] * 999]))
    message = "^sample_weight times the squares of X overflows: scale one of them down$"
    for points, weight in (
        (X, [most / 2, most / 2 * (1 + 1e-9)]),
        (-X, [most / 2, most / 2 * (1 + 1e-9)]),
        (one, [HUGE / 4 / 4 * (1 + 1e-9), 0, 0, 0]),
        (many, [HUGE / 4 / 1000 / 2 * (1 + 1e-9), *[0] * 999]),
    ):
        with pytest.raises(ValueError, match=message):
            checks.reach(points, np.array(weight))


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: checks.integer(np.int8(1), "a"), 1),
        (lambda: checks.integer(0, "a", least=0), 0),
        (lambda: checks.integer(7, "a", most=7), 7),
        (lambda: checks.tolerance(np.float32(0)), 0.0),
        (lambda: checks.tolerance(2), 2.0),
        (lambda: checks.fraction(0, "a"), 0.0),
        (lambda: checks.fraction(1, "a"), 1.0),
        (lambda: checks.clusters(3, 3), 3),
        (lambda: checks.switch(True, "a"), 1),
        (lambda: checks.switch(np.bool_(False), "a"), 0),
        (lambda: checks.switch(2, "a"), 2),
        (lambda: checks.iterations(None), None),
        (lambda: checks.iterations(1), 1),
        (lambda: checks.number_of_starts("auto"), None),
        (lambda: checks.number_of_starts(2), 2),
        (lambda: checks.one_of("b", "a", ("b", "c")), "b"),
        (lambda: checks.threads(None), None),
        (lambda: checks.threads(1), 1),
        (lambda: checks.init("random", 2, 2), "random"),
        (lambda: checks.init("k-means++", 2, 2), "k-means++"),
        (lambda: checks.init(max, 2, 2), max),
        (lambda: checks.alpha("keep"), "keep"),
        (lambda: checks.alpha("drop"), "drop"),
        (lambda: checks.alpha("#fff"), "#fff"),
    ],
)
def test_values(call, wanted):
    found = call()
    assert found == wanted
    assert type(found) is type(wanted)


CENTERS = "The shape of the initial centers (2, 2) does not match the number of "
WRITTEN = "a colour is written '#rrggbb', '#rgb' or, with alpha, '#rrggbbaa'; got "
BEHIND = "alpha must be 'keep', 'drop' or a colour like '#ffffff' to put behind; got "


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: checks.integer(True, "a"), "a must be a whole number; got True"),
        (lambda: checks.integer(1.0, "a"), "a must be a whole number; got 1.0"),
        (lambda: checks.integer(0, "a"), "a must be at least 1; got 0"),
        (lambda: checks.integer(8, "a", most=7), "a must be from 1 to 7; got 8"),
        (lambda: checks.integer(8, "a", 2, 7, "a few"), "a must be from 2 to 7, a few; got 8"),
        (lambda: checks.tolerance(True), "tol must be a number; got True"),
        (lambda: checks.tolerance("1"), "tol must be a number; got '1'"),
        (lambda: checks.tolerance(-1e-9), "tol must be finite and not negative; got -1e-09"),
        (lambda: checks.tolerance(np.inf), "tol must be finite and not negative; got inf"),
        (lambda: checks.tolerance(10**400), f"tol must be finite and not negative; got {10**400}"),
        (lambda: checks.tolerance(-(10**400)), f"tol must be finite and not negative; got -{10**400}"),
        (lambda: checks.fraction(10**400, "a"), f"a must be a number from 0 to 1; got {10**400}"),
        (lambda: checks.fraction(True, "a"), "a must be a number from 0 to 1; got True"),
        (lambda: checks.fraction("1", "a"), "a must be a number from 0 to 1; got '1'"),
        (lambda: checks.fraction(1.001, "a"), "a must be a number from 0 to 1; got 1.001"),
        (lambda: checks.fraction(-0.001, "a"), "a must be a number from 0 to 1; got -0.001"),
        (lambda: checks.clusters(4, 3), "n_samples=3 should be >= n_clusters=4."),
        (lambda: checks.clusters(0, 3), "n_clusters must be at least 1; got 0"),
        (lambda: checks.switch(-1, "a"), "a must be True, False or a whole number from 0; got -1"),
        (lambda: checks.switch(0.5, "a"), "a must be True, False or a whole number from 0; got 0.5"),
        (lambda: checks.iterations(0), "max_iter must be at least 1; got 0"),
        (lambda: checks.number_of_starts(0), "n_init must be at least 1; got 0"),
        (lambda: checks.number_of_starts("many"), "n_init must be 'auto' or a whole number; got 'many'"),
        (lambda: checks.one_of("d", "a", ("b", "c")), "a must be one of 'b', 'c'; got 'd'"),
        (lambda: checks.one_of(["b"], "a", ("b", "c")), "a must be one of 'b', 'c'; got ['b']"),
        (lambda: checks.threads(0), "n_threads must be at least 1; got 0"),
        (lambda: checks.same_columns(np.ones((1, 3)), 2, "KMeans"),
            "X has 3 features, but KMeans is expecting 2 features as input."),
        (lambda: checks.init("best", 2, 2),
            "init must be 'k-means++', 'random', an array or a function; got 'best'"),
        (lambda: checks.init(None, 2, 2), "init must be 'k-means++', 'random', an array or a function; got None"),
        (lambda: checks.starts(np.ones((2, 2)), 3, 2), CENTERS + "clusters 3."),
        (lambda: checks.starts(np.ones((2, 2)), 2, 3), CENTERS + "features of the data 3."),
        (lambda: checks.starts([[np.nan]], 1, 1), "Input init contains NaN; all its numbers must be finite"),
        (lambda: checks.palette((1, 2, 3)), "a palette is a list of colours; for one colour write [(1, 2, 3)]"),
        (lambda: checks.palette([1, 2, 3, 4]), "a palette is a list of colours; for one colour write [(1, 2, 3, 4)]"),
        (lambda: checks.palette(np.ones((1, 5))),
            "a palette has shape (k, 3) or (k, 4), 1 to 65,536 colours of R, G, B and perhaps alpha; got (1, 5)"),
        (lambda: checks.palette(np.ones((3, 3)), 2),
            "a palette has shape (k, 3) or (k, 4), 1 to 2 colours of R, G, B and perhaps alpha; got (3, 3)"),
        (lambda: checks.palette([[0, 0, 256]]), "the palette's values must be from 0 to 255; they go from 0 to 256"),
        (lambda: checks.palette([[-1, 0, 0]]), "the palette's values must be from 0 to 255; they go from -1 to 0"),
        (lambda: checks.palette([["a", "b", "c"]]), "the palette must hold real numbers; got dtype <U1"),
        (lambda: checks.color("#12345"), WRITTEN + "'#12345'"),
        (lambda: checks.color("12345x"), WRITTEN + "'12345x'"),
        (lambda: checks.color("#0123456789abcdefx"[:10]), WRITTEN + "'#012345678'"),
        (lambda: checks.color(123456), WRITTEN + "123456"),
        (lambda: checks.color(None), WRITTEN + "None"),
        (lambda: checks.alpha("white"), BEHIND + "'white'"),
        (lambda: checks.alpha("#ffffff80"), BEHIND + "'#ffffff80'"),
        (lambda: checks.generator("x", "rng"), "rng must be None, a seed ≥ 0 or a NumPy generator; got 'x'"),
        (lambda: checks.generator(-1, "rng"), "rng must be None, a seed ≥ 0 or a NumPy generator; got -1"),
    ],
)  # fmt: skip
def test_no_such_values(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_starts_are_a_copy_in_one_order_and_dtype():
    given = np.array([[1, 2], [3, 4]], np.float64, order="F")
    found = checks.starts(given, 2, 2)
    assert not np.shares_memory(found, given)
    assert found.flags.c_contiguous
    assert taken(checks.starts([[1, 2]], 1, 2), [[1, 2]], np.float64)
    X = np.ones((2, 3))
    assert checks.same_columns(X, 3, "KMeans") is X


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("#102030", [[16, 32, 48]]),
        (["102030", "#fff"], [[16, 32, 48], [255, 255, 255]]),
        (["#10203040", "#FFF", (1, 2, 3)], [[16, 32, 48, 64], [255, 255, 255, 255], [1, 2, 3, 255]]),
        ([[0.4, 0.6, 254.5], [255, 0, 1.5]], [[0, 1, 254], [255, 0, 2]]),
        ({(1, 2, 3): 0}.keys(), [[1, 2, 3]]),
        (["#0123456789abcdef"[:7], "#89abcdef"[:7]], [[1, 35, 69], [137, 171, 205]]),
        (["#0123efcd"], [[1, 35, 239, 205]]),
    ],
)
def test_palettes(given, wanted):
    assert taken(checks.palette(given), wanted, np.uint8)


def test_as_many_colours_as_a_palette_may_have():
    assert len(checks.palette(np.zeros((1 << 16, 3)))) == 1 << 16
    with pytest.raises(ValueError, match="1 to 65,536 colours"):
        checks.palette(np.zeros(((1 << 16) + 1, 3)))


def test_generators():
    given = np.random.default_rng(3)
    assert checks.generator(given, "rng") is given
    assert checks.generator(3, "rng").random() == np.random.default_rng(3).random()
    words = np.random.RandomState(5).randint(0, 2**32, 4, dtype=np.uint32)
    assert checks.generator(np.random.RandomState(5), "rng").random() == np.random.default_rng(words).random()
    assert checks.generator(None, "rng").random() != checks.generator(None, "rng").random()
