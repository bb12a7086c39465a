"""Random pictures for the tests of images."""

import numpy as np
import pytest
from pictures import H, W


@pytest.fixture
def gray(rng):
    """A gray picture of 8 bits."""
    return rng.integers(0, 256, (H, W), np.uint8)


@pytest.fixture
def rgb(rng):
    """A colour picture of 8 bits."""
    return rng.integers(0, 256, (H, W, 3), np.uint8)
