"""Data that many tests share."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import lloydq
from lloydq.colors import DistinctColors

sys.path.insert(0, str(Path(__file__).parent))

try:
    from hypothesis import settings
except ImportError:  # the property tests say so
    pass
else:
    settings.register_profile("quick", deadline=None, max_examples=150)
    settings.register_profile("nightly", deadline=None, max_examples=5000)
    settings.load_profile("quick")

PHOTO = Path(lloydq.__file__).parent / "data" / "dandelion.jpg"


@pytest.fixture(scope="module", autouse=True)
def environment():
    """What a cluster sets for its workers (OMP_NUM_THREADS) would stay set in this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def photo_path():
    return PHOTO


@pytest.fixture(scope="session")
def photo():
    """The pixels of the shipped photograph in rows."""
    return lloydq.pixels(PHOTO)


@pytest.fixture(scope="session")
def photo_colors(photo):
    """Its distinct colours, and their counts as weights."""
    distinct = DistinctColors(photo)
    return distinct.colors, distinct.counts.astype(np.float64)


@pytest.fixture
def rng():
    return np.random.default_rng(12345)
