"""Score records: one row per image, as CSV files and as tables for a terminal.

Every `scores.csv` has the same columns, whether training, `spheroid score` or `spheroid compare`
wrote the file; an `instances.csv` has other scores. A field that does not apply is empty.
"""

import csv
import dataclasses
import pathlib
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np

from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import matching, metrics
from spheroid_jax.report import tables
from spheroid_jax.report.tables import Cell, Table, percent
from spheroid_jax.runtime import files

# The scores of pixels, or those of bodies.
Scores = TypeVar("Scores", metrics.Agreement, matching.InstanceScores)


class ScoresError(UserError, ValueError):
    """A file of scores that cannot be read; the message names the file."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scored(Generic[Scores]):
    """The scores of one image: one row of a `scores.csv` or of an `instances.csv`.

    Attributes:
      source: name of the model or tool that made the mask; "" in the file of a fold.
      fold: number of the fold; None without folds, and in the file of a fold.
      dataset: name of the image's dataset.
      image: the image's file name without its suffix.
      group: name of the well or specimen, whose images are not independent; "" if not known.
      height: height of the scored mask in pixels; None if not known.
      width: width of the scored mask in pixels; None if not known.
      scores: the scores, `metrics.Agreement` or `matching.InstanceScores`.
    """

    source: str = ""
    fold: int | None = None
    dataset: str
    image: str
    group: str = ""
    height: int | None = None
    width: int | None = None
    scores: Scores


_PLACE = ("source", "fold", "dataset", "image", "group", "height", "width")
_SCORES = metrics.Agreement._fields
# Names that older versions gave to columns.
_EARLIER_NAMES = {"source": "model"}


def write(
    path: str | pathlib.Path,
    rows: Iterable[Scored],
    fields: type[metrics.Agreement] | type[matching.InstanceScores] = metrics.Agreement,
):
    """Writes a row of headings, then one row per image with scores in [0, 1].

    Args:
      path: the file, which appears when it is complete.
      rows: the score records.
      fields: the type of their scores.
    """
    with files.replacing(path) as file:
        writer = csv.writer(file)
        writer.writerow([*_PLACE, *fields._fields])
        kinds = fields.__annotations__.values()
        for row in rows:
            place = (getattr(row, name) for name in _PLACE)
            writer.writerow([*place, *map(_text, row.scores, kinds)])


def read(path: str | pathlib.Path) -> list[Scored]:
    """Reads a `scores.csv`; an older version's file, with fewer columns, can be read too.

    Args:
      path: the file.

    Returns:
      The score records, in the order of the rows.

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
    """Makes a table for a terminal: mean F-score, precision and recall per dataset, in percent.

    Args:
      rows: the score records of one model.

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
      before: score records of the initial model.
      after: score records of the fine-tuned model on the same images.
      rehearsal: names of the rehearsal datasets, which come last.

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


def _text(value, kind):
    """Returns a score with six digits, and a number of bodies without."""
    return f"{value:.0f}" if kind is int else f"{value:.6f}"


def _parsed(line):
    """Converts one row of `csv.DictReader` to a `Scored`."""
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
    """Returns a dict from dataset to the `Agreement`s of its images."""
    result = {}
    for row in rows:
        result.setdefault(row.dataset, []).append(row.scores)
    return result


def _mean_f_score(scores):
    return float(np.mean([each.f_score for each in scores]))
