"""Scores of the masks of one source, image by image."""

import functools
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.data.folder import Pair
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.rules import Mask, Rules, Scores
from spheroid_jax.evaluation.score.sources import Source


class Packed(NamedTuple):
    """A compressed mask of a few kilobytes, so that the masks of all images fit into memory."""

    shape: tuple[int, ...]
    content: bytes
    dtype: str = "bool"

    @classmethod
    def of(cls, mask: Mask):
        """Packs a mask."""
        return cls(mask.shape, zlib.compress(mask.tobytes()), mask.dtype.str)

    def mask(self) -> Mask:
        """Returns the mask, read-only."""
        return np.frombuffer(zlib.decompress(self.content), self.dtype).reshape(self.shape)


class Row(NamedTuple):
    """The scores and masks of one tool on N images.

    Attributes:
      label: the tool's name.
      scores: (N, `Rules.fields`); NaN where no threshold could be chosen.
      masks: N `Packed`; None where no threshold could be chosen.
      missing: number of images for which the tool has no mask.
    """

    label: str
    scores: Float[np.ndarray, "N fields"]
    masks: list[Packed | None]
    missing: int


class _Judged(NamedTuple):
    """The scores of one mask, the mask as scored, and whether the tool has no mask."""

    scores: Scores
    mask: Packed
    missing: bool


def score(source: Source, pairs: Sequence[Pair], rules: Rules) -> list[Row]:
    """Scores the masks of a source.

    Args:
      source: `sources.Source`.
      pairs: the images, as returned by `targets.find`.
      rules: `Rules`.

    Returns:
      list of `Row`s.

    Raises:
      ScoreError: a mask has another size than its image, or cannot be used.
    """
    judged = list(source.each(pairs, functools.partial(_judge, rules=rules)))
    rows = []
    for label in source.labels:
        own = [each[label] for each in judged]
        rows.append(
            Row(
                label,
                np.array([item.scores for item in own]),
                [item.mask for item in own],
                sum(item.missing for item in own),
            )
        )
    if source.chosen is not None:
        rows.append(_chosen(source.chosen, rows, pairs, rules))
    return rows


def _judge(pair, masks, *, rules):
    truth = rules.read(pair.mask)
    for label, mask in masks.items():
        if mask is not None and mask.shape != truth.shape:
            raise targets.ScoreError(
                f"{label}: mask of {targets.name(pair)} has {_size(mask)} px, "
                f"and the truth {_size(truth)}"
            )
    truth = rules.reduce(truth)
    return {label: _scored(mask, truth, rules) for label, mask in masks.items()}


def _scored(mask, truth, rules):
    missing = mask is None
    mask = np.zeros_like(truth) if missing else rules.reduce(mask)
    return _Judged(rules.score(mask, truth), Packed.of(mask), missing)


def _size(mask):
    return f"{mask.shape[1]} x {mask.shape[0]}"


def _chosen(label, rows, pairs, rules):
    """Makes a row that takes, for each image, the row that is best on the dataset's other groups.

    The image's own group does not take part in the choice. Otherwise the row would show the best
    that any choice can reach, and not what a user gets.
    """
    ranks = np.array([rules.ranks(row.scores) for row in rows])
    datasets = np.array([pair.dataset for pair in pairs])
    groups = np.array([pair.group for pair in pairs])
    scores = np.full_like(rows[0].scores, np.nan)
    masks: list[Packed | None] = [None] * len(pairs)
    for n in range(len(pairs)):
        others = (datasets == datasets[n]) & (groups != groups[n])
        if others.any():
            best = rows[ranks[:, others].mean(axis=1).argmax()]
            scores[n], masks[n] = best.scores[n], best.masks[n]
    return Row(label, scores, masks, rows[0].missing)
