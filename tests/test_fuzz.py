"""Strangers' files: what once broke something, and some mutations more. `.ci/nightly` tries 100,000."""

import sys

import fuzz
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="asks for the peak of memory as Unix tells it")


def test_mutated_input_gives_a_result_or_an_error_that_is_told():
    fuzzer = fuzz.Fuzzer(seed=7).run(1_500)
    assert not fuzzer.broken, fuzzer.broken[0]
    assert fuzzer.growth < fuzz.GROWTH


def test_what_once_broke():
    found = list(fuzz.FOUND.glob("[cp]*-*"))
    assert found
    for path in found:
        run, given = fuzz.kept(path)
        assert fuzz.attempt(run, given) is None, path
