"""Stateless random draws of training samples: the image, the flips and the rotation.

Sample n of a fold depends only on (seed, fold, n): Philox, a counter-based random generator,
returns four 64-bit words for counter n. Thus a resumed run, another stream or another machine draws
the same samples.
"""

from typing import NamedTuple

import numpy as np

_WORDS = 4


class Draws(NamedTuple):
    """The draws of N samples; the transformations apply in the order of the attributes.

    Attributes:
      index: (N,), int64: position of the image in `arrays.Samples`.
      flip_vertical: (N,), boolean: whether the image is turned upside down.
      flip_horizontal: (N,), boolean: whether left and right are exchanged.
      quarter_turns: (N,), int32: number of counter-clockwise rotations by 90 degrees, 0 to 3.
    """

    index: np.ndarray
    flip_vertical: np.ndarray
    flip_horizontal: np.ndarray
    quarter_turns: np.ndarray


def draw(pools, shares, *, seed, fold, start, stop):
    """Draws the samples `start` to `stop` - 1 (paper, section 2.2).

    First a dataset is drawn, with a probability proportional to its share (in the paper, 70 : 30).
    Then an image of this dataset, two flips and a rotation are drawn uniformly.

    Args:
      pools: one non-empty integer array per dataset: the positions of the training images.
      shares: one positive number per dataset; only the ratios of the numbers matter.
      seed: non-negative integer.
      fold: 0 to 4.
      start: number of the first sample.
      stop: number of the last sample plus 1.

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
    """Maps the upper 53 bits of 64-bit words to [0, 1), without rounding."""
    return (words >> 11) * 2.0**-53
