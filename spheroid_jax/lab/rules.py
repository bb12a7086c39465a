"""Rules of a model: weights and thresholds of its verdicts, and factors of its error bars.

What a score means depends on the network, so the rules are a file beside the model. `python -m
benchmarks.verdicts` writes them.
"""

import json
import os
import pathlib
from typing import Any, NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.inference import model_file, presence, pretrained
from spheroid_jax.inference.presence import FILE, Presence


class RulesError(UserError, ValueError):
    """A damaged file of rules; the message names the file."""


class Rules(NamedTuple):
    """Weights and thresholds of a model's verdicts, and factors of its error bars.

    Attributes:
      intercept: of the presence of a body.
      weights: of the presence, by score.
      mean: mean of each score over the calibration images; of its logarithm where that counts.
      sd: standard deviation of the same.
      precision: inverse covariance of the standardised scores over the calibration bodies.
      centre: mean of the standardised scores over the calibration bodies.
      thresholds: by name: "presence", "presence_margin", "crowd", "dome", "neck",
        "blur", "signal_to_noise", "specks", "border", "solidity", "ragged_doubt", "distance".
      error_bars: by name: "area_factor", "area_floor", "circularity_factor", "circularity_floor".
    """

    intercept: float
    weights: dict[str, float]
    mean: dict[str, float]
    sd: dict[str, float]
    precision: list[list[float]]
    centre: list[float]
    thresholds: dict[str, float]
    error_bars: dict[str, float]

    @property
    def presence(self) -> Presence:
        """What the presence of a body rests on."""
        return presence.of_rules(self._asdict())


def load(model: str | os.PathLike = pretrained.DEFAULT) -> tuple[Rules, str]:
    """Loads the rules of a model.

    Args:
      model: as for `model_file.load`.

    Returns:
      The rules, and the model that they were calibrated for: a model without rules of its own is
      judged by the rules of the packaged one that has markers as it has, or has none either.

    Raises:
      RulesError: the file is damaged.
    """
    for folder in model_file.folders(model):
        if (folder / FILE).is_file():
            return read(folder / FILE), os.fspath(model)
    return packaged(markers=model_file.tells_bodies_apart(model))


def packaged(*, markers: bool) -> tuple[Rules, str]:
    """Loads the rules of the packaged model with or without markers, and its name."""
    name = pretrained.DEFAULT if markers else pretrained.EARLIER
    return read(pretrained.folder(name) / FILE), name


def read(path: pathlib.Path) -> Rules:
    """Reads a file of rules."""
    try:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Rules(**{name: values[name] for name in Rules._fields})
    except (ValueError, KeyError, TypeError) as error:
        raise RulesError(f"{path}: damaged: {error}") from error
