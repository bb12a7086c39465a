"""Files that scoring writes: scores, a table, and pictures of the worst images.

scores.csv                        one row per tool and image, scores in [0, 1]
table.csv  table.md  table.tex    one row per dataset and tool, in percent
worst/TOOL.png                    the worst images, one line per dataset
"""

import pathlib
from collections.abc import Sequence

import numpy as np

from spheroid_jax import images
from spheroid_jax.data.folder import Pair
from spheroid_jax.evaluation import metrics, records
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.scoring import Row, Rules
from spheroid_jax.report import figures, tables

_WORST = 5


def write(
    folder: str | pathlib.Path,
    rows: Sequence[Row],
    pairs: Sequence[Pair],
    table: tables.Table,
    rules: Rules,
):
    """Writes all files.

    Args:
      folder: where to write; made if missing.
      rows: list of `scoring.Row`s.
      pairs: the images, as returned by `targets.find`.
      table: the table, as returned by `results.table`.
      rules: the `scoring.Rules` that the masks were scored by.
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
                title=f"{row.label}: the worst images of each dataset. "
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
    """Returns tiles, the worst first; None fills the rest of each dataset's line."""
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
    except images.ImageError:  # Its mask was scored as empty.
        gray = np.zeros(truth.shape, np.float32)
    return figures.tile(
        pair.stem, f"{pair.dataset}: F {100 * f_score:.1f}", gray, truth, prediction
    )
