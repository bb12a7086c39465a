"""Score records: one row per image, as CSV files and as tables for a terminal.

Every `scores.csv` has the same columns: those of a fold, of `spheroid score` and of
`spheroid compare`. A field that does not apply is empty.
"""

import csv
import dataclasses
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import metrics
from spheroid_jax.report import tables
from spheroid_jax.report.tables import Cell, Table, percent
from spheroid_jax.runtime import files


class ScoresError(UserError, ValueError):
    """A file of scores that cannot be read; the message names the file."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scored:
    """The scores of one image: one row of a `scores.csv`.

    Attributes:
      source: name of the model or tool that made the mask; "" in a fold's own file.
      fold: number of the fold; None where there is none, or where the file lies in the fold.
      dataset: name of the image's dataset.
      image: the image's file name without its suffix.
      group: name of the well or specimen, whose images are not independent; "" if not known.
      height: height in pixels at which the mask was scored; None if not known.
      width: likewise.
      scores: `metrics.Agreement`.
    """

    source: str = ""
    fold: int | None = None
    dataset: str
    image: str
    group: str = ""
    height: int | None = None
    width: int | None = None
    scores: metrics.Agreement


_PLACE = ("source", "fold", "dataset", "image", "group", "height", "width")
_SCORES = metrics.Agreement._fields
# Columns that older versions did not write, or wrote by another name.
_EARLIER_NAMES = {"source": "model"}


def write(path: str | pathlib.Path, rows: Iterable[Scored]):
    """Writes a `scores.csv`: a heading and one row per image; scores in [0, 1].

    Args:
      path: the file, which appears when it is complete.
      rows: `Scored`s.
    """
    with files.replacing(path) as file:
        writer = csv.writer(file)
        writer.writerow([*_PLACE, *_SCORES])
        for row in rows:
            place = (getattr(row, name) for name in _PLACE)
            writer.writerow([*place, *(f"{value:.6f}" for value in row.scores)])


def read(path: str | pathlib.Path) -> list[Scored]:
    """Reads a `scores.csv`, also one of an older version, which has fewer columns.

    Args:
      path: the file.

    Returns:
      The rows in the file's order.

    Raises:
      ScoresError: the file is not a table of scores.
    """
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        try:
            return [_parsed(line) for line in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise ScoresError(
                f"{path}: not the scores that this version writes (missing or wrong: {error}); "
                "launch.py --mode=evaluate writes them anew"
            ) from error


def table(rows: Sequence[Scored]) -> str:
    """Makes a table for a terminal: the paper's mean scores of each dataset, in percent.

    Args:
      rows: `Scored`s of one model.

    Returns:
      Lines, the last without a newline.
    """
    lines = []
    for dataset, scores in sorted(_by_dataset(rows).items()):
        precision, recall, f_score = np.mean(scores, axis=0)[:3]
        count = Cell(len(scores), digits=0)
        lines.append([dataset, count, *(percent(float(v)) for v in (f_score, precision, recall))])
    return tables.terminal(Table("", ["dataset", "images", "F", "P", "R"], lines))


def before_after(
    before: Sequence[Scored], after: Sequence[Scored], rehearsal: Sequence[str]
) -> str:
    """Makes a table for a terminal: mean F-scores before and after fine-tuning, in percent.

    Args:
      before: `Scored`s of the initial model.
      after: `Scored`s of the trained model on the same images.
      rehearsal: names of the old datasets, which come last.

    Returns:
      Lines, the last without a newline.
    """
    old, new = _by_dataset(before), _by_dataset(after)
    lines = []
    for dataset in sorted(new, key=lambda name: (name in rehearsal, name)):
        label = f"{dataset}, rehearsal" if dataset in rehearsal else dataset
        f_before, f_after = (_mean_f_score(scores[dataset]) for scores in (old, new))
        lines.append(
            [
                label,
                Cell(len(new[dataset]), digits=0),
                percent(f_before),
                percent(f_after),
                percent(f_after - f_before)._replace(signed=True),
            ]
        )
    return tables.terminal(Table("", ["dataset", "images", "F before", "F after", "change"], lines))


def _parsed(line):
    """One row of `csv.DictReader` as `Scored`."""
    if None in line:
        raise ValueError("a row with more fields than headings")

    def field(name):
        return line.get(name) or line.get(_EARLIER_NAMES.get(name, name)) or ""

    def number(name):
        return int(field(name)) if field(name) else None

    return Scored(
        source=field("source"),
        fold=number("fold"),
        dataset=line["dataset"],
        image=line["image"],
        group=field("group"),
        height=number("height"),
        width=number("width"),
        scores=metrics.Agreement(*(float(line[name]) for name in _SCORES)),
    )


def _by_dataset(rows):
    """The `Agreement`s of each dataset's images."""
    result = {}
    for row in rows:
        result.setdefault(row.dataset, []).append(row.scores)
    return result


def _mean_f_score(scores):
    return float(np.mean([each.f_score for each in scores]))
