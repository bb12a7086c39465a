"""Scores of the masks of one source, image by image."""

import functools
import pathlib
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from spheroid_jax import images
from spheroid_jax.data.folder import Pair
from spheroid_jax.evaluation import metrics
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.sources import Source
from spheroid_jax.inference import postprocess

_F = metrics.Agreement._fields.index("f_score")


class Packed(NamedTuple):
    """A compressed mask of a few kilobytes, so that the masks of all images fit into memory."""

    shape: tuple[int, ...]
    bits: bytes

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "H W"]):
        """Packs a boolean mask."""
        return cls(mask.shape, zlib.compress(np.packbits(mask).tobytes()))

    def mask(self) -> Bool[np.ndarray, "H W"]:
        """Returns the mask, (H, W) boolean."""
        packed = np.frombuffer(zlib.decompress(self.bits), np.uint8)
        count = self.shape[0] * self.shape[1]
        bits = np.unpackbits(packed, count=count)
        return bits.reshape(self.shape).astype(bool)


class Row(NamedTuple):
    """The scores and masks of one tool on N images.

    Attributes:
      label: the tool's name.
      scores: (N, fields of `metrics.Agreement`); NaN where no threshold could be chosen.
      masks: N `Packed`; None where no threshold could be chosen.
      missing: number of images for which the tool has no mask.
    """

    label: str
    scores: Float[np.ndarray, "N fields"]
    masks: list[Packed | None]
    missing: int


class _Judged(NamedTuple):
    """The scores of one mask, the mask as scored, and whether the tool has no mask."""

    scores: metrics.Agreement
    mask: Packed
    missing: bool


class Rules(NamedTuple):
    """The part of a mask that is scored; the same for truth and prediction.

    Attributes:
      labels: whether masks are label images, whose objects may touch.
      all_objects: whether masks are scored as they are, instead of their largest bodies.
    """

    labels: bool = False
    all_objects: bool = False

    def read(self, path: pathlib.Path) -> Bool[np.ndarray, "H W"]:
        """Reads a mask, (H, W) boolean; from a label image, the largest object."""
        if not self.labels:
            return images.read_mask(path)
        labels = images.read_labels(path)
        if self.all_objects or not labels.any():
            return labels > 0
        numbers, areas = np.unique(labels[labels > 0], return_counts=True)
        return labels == numbers[areas.argmax()]

    def body(self, mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
        """Returns the largest object, however small, with its holes filled."""
        if self.all_objects:
            return mask
        return postprocess.single_body(mask, min_area_px=1)


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
        rows.append(_chosen(source.chosen, rows, pairs))
    return rows


def _judge(pair, masks, *, rules):
    truth = rules.read(pair.mask)
    for label, mask in masks.items():
        if mask is not None and mask.shape != truth.shape:
            raise targets.ScoreError(
                f"{label}: mask of {targets.name(pair)} has {_size(mask)} px, "
                f"and the truth {_size(truth)}"
            )
    truth = rules.body(truth)
    return {label: _scored(mask, truth, rules) for label, mask in masks.items()}


def _scored(mask, truth, rules):
    missing = mask is None
    mask = np.zeros(truth.shape, bool) if missing else rules.body(mask)
    scores = metrics.agreement(mask, truth)
    # In pixels of the paper's frame, so that images of all sizes can be averaged.
    scale = postprocess.PAPER_SIDE_PX / max(truth.shape)
    scores = scores._replace(hausdorff95_px=scale * scores.hausdorff95_px)
    return _Judged(scores, Packed.of(mask), missing)


def _size(mask):
    return f"{mask.shape[1]} x {mask.shape[0]}"


def _chosen(label, rows, pairs):
    """Makes a row that takes, for each image, the row that is best on the dataset's other groups.

    The image's own group does not take part in the choice. Otherwise the row would show the best
    that any choice can reach, and not what a user gets.
    """
    f_scores = np.array([row.scores[:, _F] for row in rows])
    datasets = np.array([pair.dataset for pair in pairs])
    groups = np.array([pair.group for pair in pairs])
    scores = np.full_like(rows[0].scores, np.nan)
    masks: list[Packed | None] = [None] * len(pairs)
    for n in range(len(pairs)):
        others = (datasets == datasets[n]) & (groups != groups[n])
        if others.any():
            best = rows[f_scores[:, others].mean(axis=1).argmax()]
            scores[n], masks[n] = best.scores[n], best.masks[n]
    return Row(label, scores, masks, rows[0].missing)
