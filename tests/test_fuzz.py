"""Strangers' files: what once broke something, and some mutations more. `.ci/nightly` tries 100,000."""

import sys

import fuzz
import pytest
from PIL import Image

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


def test_each_format_that_pillow_opens_is_mutated():
    opened = {fuzz.kind_of(data)[0] for data in fuzz.pictures()}
    needed = set(Image.OPEN) - {"BUFR", "GRIB", "HDF5"}  # for which Pillow asks for a program's own reader
    needed -= {"EPS", "PDF"} | (
        {"WMF"} if sys.platform != "win32" else set()
    )  # for which it needs Ghostscript or Windows
    assert needed <= opened
