"""How long things take: each round of a contender beside one of lloydq, so that a noisy machine is noisy for both."""

from itertools import cycle
from time import perf_counter

import pytest

SHORT = 0.05  # s: what takes less is tried three times before it is believed
DOUBT = 2.0  # how far a first look may be wrong: later iterations, or another dtype, may be faster


class Clock:
    """For a run: how long a fit may take, how long a contender is measured, who was left out and why."""

    def __init__(self, limit, budget, most_rounds):
        self.limit, self.budget, self.most_rounds = limit, budget, most_rounds
        self.series = {}  # (group, contender): size and seconds of the last one
        self.left_out = []

    def leave_out(self, case, name, why):
        """Skips a contender; the report tells why."""
        self.left_out.append({"group": case["group"], "case": case["name"], "name": name, "why": why})
        pytest.skip(why)

    def refuse(self, case, name, seconds):
        """Leaves out what takes longer than the limit, and then what is larger along the same axis."""
        if case.get("size"):
            self.series[case["group"], name] = case["size"], seconds
        limit = self.allowed(case)
        if seconds > limit:
            self.leave_out(case, name, f"would take about {seconds:.0f} s, more than the limit of {limit:.0f} s")

    def allowed(self, case):
        """Seconds that a fit may take."""
        return max(self.limit, case.get("limit") or 0.0)

    def hopeless(self, case, seconds):
        """Whether what a first look foresees is so far above the limit that no second look is needed."""
        return seconds > DOUBT * self.allowed(case)

    def too_large(self, case, name):
        """Leaves out what must take longer than the limit, if time grows with the size."""
        if case.get("size") and case["axis"] != "threads":
            before, seconds = self.series.get((case["group"], name), (1, 0.0))
            self.refuse(case, name, seconds * case["size"] / before)

    def typical(self, run, times=1):
        """Seconds of one call: the least of three after one to warm up, where they are short, unless in a hurry."""
        first = timed(run)
        return first if first > SHORT * times or not self.budget else min(timed(run) for _ in range(3))

    def measure(self, benchmark, run, expected, beside=None):
        """The benchmark of `run`, each round next to one of `beside` (and what that takes); what run returned."""
        other, seconds = beside or (None, 0.0)
        rounds = int(self.budget / (expected + seconds + 1e-4))
        rounds = min(max(rounds, 1 if expected > self.budget else 3), self.most_rounds)
        pairs, turns = [], cycle((True, False))  # lloydq comes first in every other round
        comes_first = True

        def before():
            nonlocal comes_first
            comes_first = next(turns)
            if comes_first:
                pairs.append(timed(other))

        def after():
            if not comes_first:
                pairs.append(timed(other))

        around = {} if beside is None else {"setup": before, "teardown": after}
        result = benchmark.pedantic(run, rounds=rounds, iterations=1, **around)
        benchmark.extra_info["beside"] = pairs
        return result


def timed(run):
    start = perf_counter()
    result = run()  # not freed within the time
    seconds = perf_counter() - start
    del result
    return seconds
