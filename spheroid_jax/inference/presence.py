"""Presence: the log odds that there is a body in an image at all.

A logistic regression on scores of the image (`evidence.Evidence`). Its weights depend on the
network, so they are a part of the file `verdict.json` beside a model; `python -m
benchmarks.verdicts` writes it.
"""

import json
import math
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.errors import UserError

FILE = "verdict.json"
# With a body of this confidence and of this diameter over the longer side, an image has one without
# a closer look. A speck of debris can be as sure, and is smaller.
CLEAR, CLEAR_WIDTH = 0.975, 0.028
# The scores are those of one body: in a crowd of more bodies they say nothing.
FEW = 2
# Scores whose logarithm counts, each with what is added first; the others count as they are.
_LOGARITHMS = {
    "doubt": 0.01,
    "unsure": 0.02,
    "grain": 0.0,
    "plain": 0.01,
    "share": 0.003,
    "disbelief": 0.01,
}
# Scores that presence can rest on; which of them do is said by a model's rules.
SCORES = (*_LOGARITHMS, "darkness", "hollow")
# A score that is far off counts no more than this many standard deviations.
CLIPPED = 4.0


class PresenceError(UserError, ValueError):
    """A damaged file of rules; the message names the file."""


class Presence(NamedTuple):
    """Weights of the presence; the tuples have one entry per score.

    Attributes:
      names: scores that the presence rests on, in the order of `SCORES`.
      intercept: of the log odds.
      weights: of each score.
      mean: mean of each score over the calibration images; of its logarithm where that counts.
      sd: standard deviation of the same.
      threshold: log odds from which an image has a body.
    """

    names: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    threshold: float


def read(path: pathlib.Path) -> Presence:
    """Reads the presence from a file of rules.

    Raises:
      PresenceError: the file is damaged.
    """
    try:
        return of_rules(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise PresenceError(f"{path}: damaged: {error}") from error


def of_rules(rules: dict[str, Any]) -> Presence:
    """Makes the presence of the values in a file of rules."""
    names = tuple(name for name in SCORES if name in rules["weights"])
    weights, mean, sd = (
        tuple(float(rules[key][name]) for name in names) for key in ("weights", "mean", "sd")
    )
    threshold = float(rules["thresholds"]["presence"])
    return Presence(names, float(rules["intercept"]), weights, mean, sd, threshold)


def log_odds(scores: Mapping[str, float], presence: Presence) -> float:
    """Computes the log odds that there is a body; -inf where the network finds none.

    Args:
      scores: value by name, of an `evidence.Evidence`.
      presence: weights.
    """
    if not scores["bodies"]:
        return -math.inf
    return float(presence.intercept + standardised(scores, presence) @ np.array(presence.weights))


def standardised(scores: Mapping[str, float], presence: Presence) -> Float[np.ndarray, " N"]:
    """Returns the scores of the presence with mean 0 and standard deviation 1, clipped.

    A score that could not be measured, as of a body too small for the grid, has the mean.
    """
    values = raw(scores)
    found = [
        (values[name] - mean) / sd
        for name, mean, sd in zip(presence.names, presence.mean, presence.sd, strict=True)
    ]
    return np.clip(np.nan_to_num(found), -CLIPPED, CLIPPED)


def raw(scores: Mapping[str, float]) -> dict[str, float]:
    """Returns the scores that presence can rest on, as logarithms where they count as such."""
    logs = {name: math.log(max(scores[name] + floor, 1e-6)) for name, floor in _LOGARITHMS.items()}
    return {name: logs.get(name, scores[name]) for name in SCORES}
