"""Files that scoring writes: scores, a table, and pictures of the worst images.

scores.csv or instances.csv       one row per tool and image, scores in [0, 1]
table.csv  table.md  table.tex    one row per dataset and tool, in percent
worst/TOOL.png                    the worst images, one line per dataset
"""

import pathlib
from collections.abc import Sequence

import numpy as np

from spheroid_jax import images
from spheroid_jax.data.folder import Pair
from spheroid_jax.evaluation import records
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.rules import Rules
from spheroid_jax.evaluation.score.scoring import Row
from spheroid_jax.report import figures, tables

COLUMNS = 5  # worst images of each dataset


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
      rules: the rules that the masks were scored by.
    """
    folder = pathlib.Path(folder)
    records.write(folder / rules.file, _records(rows, pairs, rules), rules.fields)
    tables.write(folder / "table", table)
    for row in rows:
        tiles = worst(row, pairs, rules)
        if tiles:
            figures.contact_sheet(
                folder / "worst" / f"{row.label}.png",
                tiles,
                columns=COLUMNS,
                title=f"{row.label}: the worst images of each dataset. "
                "Orange: truth, blue: prediction",
            )


def _records(rows, pairs, rules):
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
                scores=rules.fields(*scores),
            )


def worst(row: Row, pairs: Sequence[Pair], rules: Rules) -> list[figures.Tile | None]:
    """Makes tiles of a tool's worst images of each dataset, `COLUMNS` per dataset.

    Args:
      row: `scoring.Row` of the tool.
      pairs: the images, as returned by `targets.find`.
      rules: the rules that the masks were scored by.

    Returns:
      Tiles, the worst first; None fills the rest of each dataset's line.
    """
    ranks = rules.ranks(row.scores)
    tiles = []
    for dataset in targets.datasets_of(pairs):
        at = [
            (n, mask)
            for n, (pair, mask) in enumerate(zip(pairs, row.masks, strict=True))
            if pair.dataset == dataset and mask is not None
        ]
        chosen = sorted(at, key=lambda each: ranks[each[0]])[:COLUMNS]
        line = [_tile(pairs[n], ranks[n], mask.mask(), rules) for n, mask in chosen]
        if line:
            tiles += line + [None] * (COLUMNS - len(line))
    return tiles


def _tile(pair, score, prediction, rules):
    truth = rules.reduce(rules.read(pair.mask))
    try:
        gray = images.read_gray(pair.image)
    except images.ImageError:  # Its mask was scored as empty.
        gray = np.zeros(truth.shape, np.float32)
    note = f"{pair.dataset}: {rules.first_heading} {100 * score:.1f}"
    return figures.tile(pair.stem, note, gray, truth, prediction)
