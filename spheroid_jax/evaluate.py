"""Scores of a fold on images with ground truth (paper, section 3.1)."""

import csv
from typing import NamedTuple

import numpy as np

from spheroid_jax import files, images, metrics, predict

# Images a dispatch; the last batch is filled up, so one program serves all.
_BATCH = 4


class Row(NamedTuple):
    """The scores of one image, a line of `scores.csv`."""

    dataset: str
    image: str
    precision: float
    recall: float
    f_score: float


def probabilities(params, grids):
    """Computes the probability maps of any number of images.

    Args:
      params: `Params`.
      grids: (N, S, S), float32, of `images.preprocess`.

    Yields:
      N arrays (S, S), float32.
    """
    for start in range(0, len(grids), _BATCH):
        batch = np.asarray(grids[start : start + _BATCH])
        padding = ((0, _BATCH - len(batch)), (0, 0), (0, 0))
        full = np.pad(batch, padding)
        yield from np.asarray(predict.grid_probability(params, full))[
            : len(batch)
        ]


def score(params, grids, labels, names):
    """Scores each image on the grid.

    Args:
      params: `Params`.
      grids: (N, S, S), float32, of `images.preprocess`.
      labels: (N, S, S), uint8, of `images.mask_to_grid`.
      names: N pairs (dataset, image).

    Returns:
      N `Row`s, in order.
    """
    return [
        Row(*name, *_pixel_scores(probability, label))
        for name, probability, label in zip(
            names, probabilities(params, grids), labels, strict=True
        )
    ]


def means(rows):
    """The mean of each score, as dict from dataset to `metrics.Scores`."""
    return {
        dataset: metrics.Scores(
            *np.mean([r[2:] for r in rows if r.dataset == dataset], axis=0)
        )
        for dataset in sorted({row.dataset for row in rows})
    }


def mean_f_score(rows):
    """The datasets' mean F-scores, averaged: each dataset counts the same."""
    return float(np.mean([scores.f_score for scores in means(rows).values()]))


def table(rows):
    """A table for people: a line a dataset, scores in percent."""
    lines = [f"{'dataset':<16}{'images':>7}{'F':>8}{'P':>8}{'R':>8}"]
    for dataset, scores in means(rows).items():
        count = sum(row.dataset == dataset for row in rows)
        values = (scores.f_score, scores.precision, scores.recall)
        lines.append(
            f"{dataset:<16}{count:>7}"
            + "".join(f"{100 * value:>8.2f}" for value in values)
        )
    return "\n".join(lines)


def write_scores(path, rows):
    """Writes `scores.csv`: a heading and a line an image."""
    with files.replacing(path) as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        for row in rows:
            writer.writerow([*row[:2], *(f"{value:.6f}" for value in row[2:])])


def read_scores(path):
    """Reads what `write_scores` wrote, as a list of `Row`s."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            Row(
                row["dataset"],
                row["image"],
                *map(float, list(row.values())[2:]),
            )
            for row in csv.DictReader(file)
        ]


def _pixel_scores(probability, label):
    return metrics.pixel_scores(
        predict.grid_mask(probability, label), label == images.FOREGROUND
    )
