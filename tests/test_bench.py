"""The benchmarks run, judge what they measure, and say so; how fast anything is decides nothing here."""

import copy
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

for needed in ("pytest_benchmark", "rich", "sklearn", "threadpoolctl"):
    pytest.importorskip(needed, reason="benchmarks (extra: bench)")
ROOT = Path(__file__).parents[1]
if not (ROOT / "bench").is_dir():
    pytest.skip("bench/ is not beside tests/", allow_module_level=True)

from rich.console import Console

import lloydq
from bench import RESULTS, cases, contenders, data, fairness, rows, table


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A run of all benchmarks at tiny size, as people start it."""
    path = tmp_path_factory.mktemp("bench") / "smoke.json"
    command = [sys.executable, "-m", "bench", "--smoke", "--json", str(path)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}  # it is alone
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, *rows.read(path)


def test_every_case_runs_with_everybody_who_is_here(smoke):
    _, record, found = smoke
    ran = {(row.group, row.case, row.name) for row in found}
    out = {(one["group"], one["case"], one["name"]) for one in record["left_out"]}
    for case in cases.cases(2):
        if case.group.startswith("threads"):
            continue
        people = contenders.CONTENDERS if isinstance(case, cases.Case) else contenders.MAPPERS
        for name in case.names:
            if people[name].here and people[name].takes_part(case):
                assert (case.group, case.name, name) in ran | out
    groups = {group for group, *_ in ran}
    assert any(group.startswith("quantizers in memory") for group in groups)
    assert any(group.startswith("quantizers as whole processes") for group in groups)
    assert any(group.startswith("a process of its own") for group in groups)
    assert record["set"] == "smoke"
    assert record["machine_info"]["versions"]["numpy"] == np.__version__
    assert record["pools"]


def test_equal_work_has_an_equal_result(smoke):
    for row in smoke[2]:
        if "excess" in row.info and row.equal:
            assert abs(row.info["excess"]) < fairness.SAME or "other optimum" in row.info["marks"], row
        if row.name.startswith("lloydq") and "excess" in row.info:
            assert row.equal
            alone = row.group.startswith(("a process", "memory"))  # in f4, broken off: so are the centroids
            assert abs(row.info["excess"]) < (1e-6 if alone else 1e-9)
            assert not row.info.get("wrong")


def test_the_table_shows_every_row(smoke):
    text, record, found = smoke
    for group in {row.group for row in found}:
        assert group.split(":")[0] in text
    wide = io.StringIO()
    table.show(record, found, Console(file=wide, width=300))
    lines = [line.split("  ")[0] for line in wide.getvalue().splitlines()]
    assert lines.count("lloydq") == sum(row.name == "lloydq" for row in found), wide.getvalue()


def test_the_report_needs_nothing_else():
    report = pytest.importorskip("bench.report", reason="plots (extra: bench)")
    record, found = rows.read(RESULTS / "full.json")
    page = report.page(record, found)
    assert page.count("<svg") > 10
    assert "src=" not in page
    assert "<link" not in page
    assert "url(http" not in page
    for row in found:
        assert report.escape(row.name) in page


@pytest.fixture
def case():
    return cases.Case("a group", "a case", lambda: data.mixture(500, 3), 4, n_iter=3)


def judged(case, centroids, n_iter=None, who="scipy", dtype="f8"):
    return fairness.judge(fairness.setting(case, 1), contenders.CONTENDERS[who], dtype, centroids, n_iter)


def fit(case, n_iter):
    there = fairness.setting(case, 1)
    return lloydq.KMeans(case.k, init=there.start, tol=0, max_iter=n_iter).fit(there.X).cluster_centers_


@pytest.mark.filterwarnings("ignore::lloydq.ConvergenceWarning")
def test_fewer_iterations_are_marked(case):
    assert "other result" not in judged(case, fit(case, 3), 3)["marks"]
    assert "other result" in judged(case, fit(case, 1), 1)["marks"]
    assert "other result" in judged(case, fit(case, 2), 3)["marks"]  # whatever it says of itself
    assert judged(case, fit(case, 1), 1)["excess"] > 0.001


@pytest.mark.filterwarnings("ignore::lloydq.ConvergenceWarning")
def test_who_stops_too_early_is_marked(case):
    case = replace(case, n_iter=None)
    assert judged(case, fit(case, None), 9)["marks"] == ["one thread", "told when to stop"]
    assert "not converged" in judged(case, fit(case, 2), 2)["marks"]


def labelled(there, centroids, labels, dtype="f8"):
    least = there.distances(centroids, lloydq.nearest(there.X, centroids))
    return fairness.judge_labels(there, contenders.MAPPERS["lloydq"], dtype, centroids, least, labels)


def test_a_label_that_is_not_nearest_is_counted(case):
    there = fairness.setting(case, 1)
    labels = lloydq.nearest(there.X, there.start)
    assert labelled(there, there.start, labels)["wrong"] == 0
    labels = labels.copy()
    labels[7] = (labels[7] + 1) % 4
    found = labelled(there, there.start, labels)
    assert found["wrong"] == 1
    assert found["marks"] == ["wrong labels"]
    assert found["excess"] > 0


def test_equally_near_is_not_wrong():
    there = fairness.Setting(np.array([[1.0, 0.0]]), None, None, False, None, 1)
    assert labelled(there, np.array([[0.0, 0.0], [2.0, 0.0]]), [1])["wrong"] == 0


def test_the_start_is_put_where_a_library_draws():
    X = np.arange(20.0)[:, None]
    for rows_, places in (([3, 1, 2], [0, 1, 2]), ([5, 6], [6, 5]), ([0, 19, 7], [7, 0, 3])):
        task = contenders.Task(X, X[rows_], np.array(rows_), 1, False, None, 1)
        moved = contenders.placed(task, np.array(places))
        assert moved[places].ravel().tolist() == [float(row) for row in rows_]
        assert sorted(moved.ravel()) == X.ravel().tolist()


def test_the_rows_that_geokmeans_draws():
    geokmeans = pytest.importorskip("geokmeans", reason="a contender (extra: bench)")
    X = np.random.default_rng(0).normal(size=(900, 3))
    rows_ = contenders.drawn_by_geokmeans(900, 7)
    found = geokmeans.GeoKMeans(7, algorithm="lloyd", max_iter=0, random_state=1).fit(X).cluster_centers_
    assert np.abs(found - X[rows_]).max() < 1e-6


@pytest.mark.parametrize("n", [10, 11, 1000, 70_000])
def test_the_order_in_which_superkmeans_draws(n):
    superkmeans = pytest.importorskip("superkmeans", reason="a contender (extra: bench)")
    X = np.random.default_rng(0).normal(size=(n, 16)).astype("f4")
    options = {"hierarchical": False, "sampling_fraction": 1.0, "early_termination": False, "iters": 1}
    order = contenders.drawn_by_superkmeans(n)
    k = min(n, 2000)
    assert sorted(order) == list(range(n))
    X[order[k:]] = X[order[np.arange(n - k) % k]]  # then each of the first k is alone the nearest to its copies
    found = superkmeans.SuperKMeans(k, 16, **options).train(X)
    assert np.abs(found - X[order[:k]]).max() < 1e-4


def test_ratios_are_of_pairs_and_losses_are_told():
    info = {"case": {"group": "g", "name": "c"}, "name": "faiss", "beside": [2.0, 4.0, 6.0], "marks": ["float32"]}
    row = rows.row({"extra_info": info, "stats": {"data": [1.0, 1.0, 1.0]}})
    assert row.ratio == 0.25
    assert row.faster
    assert rows.times(row) == "0.25× (0.17–0.50)"
    assert not replace(row, ratio=0.96).faster
    assert not replace(row, info=info | {"marks": ["subsampled"]}).faster
    assert rows.times(replace(row, info=info | {"marks": ["subsampled"]})) == "[0.25× (0.17–0.50)]"


def test_readme_shows_what_was_recorded():
    readme = pytest.importorskip("bench.readme", reason="plots (extra: bench)")
    text = readme.README.read_text(encoding="utf-8")
    assert readme.BEGIN in text
    assert readme.written(text, *rows.read(readme.RECORD)) == text


def test_an_earlier_run_is_compared(smoke):
    _, _, found = smoke
    info = {"case": {"group": "g", "name": "c"}, "name": "faiss", "beside": [2.0, 4.0, 6.0]}
    now = rows.row({"extra_info": info, "stats": {"data": [1.0, 1.0, 1.0]}})
    then = rows.row({"extra_info": info, "stats": {"data": [1.1, 1.1, 1.1]}})
    slower = rows.row({"extra_info": info, "stats": {"data": [1.2, 1.2, 1.2]}})
    assert rows.moved([now], [then]) == ([(now, then)], [])
    assert rows.moved([now], [slower]) == ([(now, slower)], [(now, slower)])
    assert rows.moved([now], found) == ([], [])


def test_a_group_is_measured_again_and_says_so():
    earlier, _ = rows.read(RESULTS / "full.json")

    def where(one):
        return one["extra_info"]["case"]["group"], one["extra_info"]["case"]["name"]

    again = [one for one in copy.deepcopy(earlier["benchmarks"]) if where(one)[0] == "nearest"]
    for one in again:
        one["stats"]["data"] = [7.0]
    out = [one for one in earlier["left_out"] if one["group"] == "nearest"]
    now = earlier | {"datetime": "2030-01-01T00:00:00", "benchmarks": again, "left_out": out, "took": {}}
    found = rows.renewed(copy.deepcopy(earlier), now)
    assert len(found["benchmarks"]) == len(earlier["benchmarks"])
    assert sorted(map(str, found["left_out"])) == sorted(map(str, earlier["left_out"]))
    for one, before in zip(found["benchmarks"], earlier["benchmarks"], strict=True):
        assert where(one) == where(before)
        changed = where(one)[0] == "nearest"
        assert (one["stats"]["data"] == [7.0]) == changed
        if changed:
            assert one["extra_info"]["again"][0] == "2030-01-01T00:00:00"
    other = now | {"machine_info": now["machine_info"] | {"versions": {}}}
    with pytest.raises(ValueError, match="different machines"):
        rows.renewed(earlier, other)


def test_bad_options_are_told():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--set=all"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "invalid choice" in done.stdout + done.stderr
    assert json.dumps("smoke")[1:-1] in done.stdout + done.stderr
