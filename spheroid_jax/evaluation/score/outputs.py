"""What scoring leaves in a folder.

scores.csv                        one row per tool and image, scores in [0, 1]
table.csv  table.md  table.tex    the table, in percent
worst/TOOL.png                    the worst images, a line a data set
"""

import pathlib

import numpy as np

from spheroid_jax import images
from spheroid_jax.evaluation import metrics, records
from spheroid_jax.evaluation.score import targets
from spheroid_jax.report import figures, tables

_WORST = 5


def write(folder, rows, pairs, table, rules):
    """Writes everything.

    Args:
      folder: made if missing.
      rows: list of `scoring.Row`s.
      pairs: of `targets.find`.
      table: of `results.table`.
      rules: what truth was read by, as in `scoring.score`.
    """
    folder = pathlib.Path(folder)
    records.write(folder / "scores.csv", _records(rows, pairs))
    tables.write(folder / "table", table)
    for row in rows:
        tiles = _worst(row, pairs, rules)
        if tiles:
            figures.contact_sheet(
                folder / "worst" / f"{row.label}.png",
                tiles,
                columns=_WORST,
                title=f"{row.label}: the worst images of each data set. "
                "Orange: truth, blue: prediction",
            )


def _records(rows, pairs):
    """Yields the scores of each tool's masks."""
    for row in rows:
        for pair, mask, scores in zip(pairs, row.masks, row.scores, strict=True):
            if mask is None:
                continue
            height, width = mask.shape
            yield records.Scored(
                source=row.label,
                dataset=pair.dataset,
                image=pair.stem,
                group=pair.group,
                height=height,
                width=width,
                scores=metrics.Agreement(*scores),
            )


def _worst(row, pairs, rules):
    """Tiles, the worst first; empty places fill a data set's line."""
    f_scores = np.asarray(metrics.Agreement(*row.scores.T).f_score)
    tiles = []
    for dataset in targets.datasets_of(pairs):
        at = [
            n
            for n, pair in enumerate(pairs)
            if pair.dataset == dataset and row.masks[n] is not None
        ]
        worst = sorted(at, key=lambda n: f_scores[n])[:_WORST]
        line = [_tile(pairs[n], f_scores[n], row.masks[n].mask(), rules) for n in worst]
        if line:
            tiles += line + [None] * (_WORST - len(line))
    return tiles


def _tile(pair, f_score, prediction, rules):
    truth = rules.body(rules.read(pair.mask))
    try:
        gray = images.read_gray(pair.image)
    except images.ImageError:  # Scored as empty; there is nothing to see.
        gray = np.zeros(truth.shape, np.float32)
    return figures.tile(
        pair.stem, f"{pair.dataset}: F {100 * f_score:.1f}", gray, truth, prediction
    )
