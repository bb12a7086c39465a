"""Which image, and which flip and rotation, each training sample is.

Sample n of a fold is a function of (seed, fold, n) alone: Philox, a
counter-based generator, gives the four 64-bit words at counter n. So a
resumed run, another stream or another machine draws the very same samples.
"""

from typing import NamedTuple

import numpy as np

_WORDS = 4


class Draws(NamedTuple):
    """What the samples are; one entry each.

    Attributes:
      index: (N,), int64: position of the image in the samples' arrays.
      flip_vertical: (N,), boolean: upside down.
      flip_horizontal: (N,), boolean: left to right, after that.
      quarter_turns: (N,), int32: counter-clockwise by 90 degrees, after that.
    """

    index: np.ndarray
    flip_vertical: np.ndarray
    flip_horizontal: np.ndarray
    quarter_turns: np.ndarray


def draw(pools, shares, *, seed, fold, start, stop):
    """Draws the samples `start` to `stop` - 1 (paper, section 2.2).

    The dataset is drawn by its share (the paper: 70 : 30), the image
    uniformly from it, both flips and the rotation uniformly.

    Args:
      pools: a non-empty integer array a dataset: its training images.
      shares: a positive number a dataset; only their ratios matter.
      seed: non-negative integer.
      fold: 0 to 4.
      start: the first sample's number.
      stop: one past the last sample's number.

    Returns:
      `Draws` of `stop - start` samples.
    """
    key = np.array([seed, fold], np.uint64)
    counter = np.array([start, 0, 0, 0], np.uint64)
    words = np.random.Philox(key=key, counter=counter).random_raw(_WORDS * (stop - start))
    words = words.reshape(-1, _WORDS)
    bounds = np.cumsum(shares)[:-1] / np.sum(shares)
    dataset = np.searchsorted(bounds, _uniform(words[:, 0]), side="right")
    index = np.zeros(len(words), np.int64)
    for number, pool in enumerate(pools):
        chosen = dataset == number
        place = (_uniform(words[chosen, 1]) * len(pool)).astype(np.int64)
        index[chosen] = np.asarray(pool)[place]
    bits = words[:, 2]
    return Draws(
        index=index,
        flip_vertical=(bits & 1).astype(bool),
        flip_horizontal=(bits >> 1 & 1).astype(bool),
        quarter_turns=(bits >> 2 & 3).astype(np.int32),
    )


def _uniform(words):
    """Maps 64-bit words to [0, 1), exactly, by their upper 53 bits."""
    return (words >> 11) * 2.0**-53
