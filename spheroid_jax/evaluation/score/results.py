"""The table of scores: one row per dataset and tool, in percent."""

from collections.abc import Sequence

import numpy as np

from spheroid_jax.data.folder import Pair
from spheroid_jax.evaluation import metrics, statistics
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.scoring import Row
from spheroid_jax.inference import postprocess
from spheroid_jax.report.tables import Cell, Table, mark_best, percent

_SMALLER = ("HD95, px", "area error")
_UNMARKED = ("images", "groups", "from", "to")
_HEADINGS = (
    "dataset",
    "source",
    "images",
    "groups",
    "F",
    "from",
    "to",
    "P",
    "R",
    "IoU",
    "boundary F",
    *_SMALLER,
)


def table(rows: Sequence[Row], pairs: Sequence[Pair], *, all_objects: bool) -> Table:
    """Makes a table of the mean scores of each tool on each dataset.

    Args:
      rows: list of `scoring.Row`s.
      pairs: the images, as returned by `targets.find`.
      all_objects: whether masks were scored as they are.

    Returns:
      `Table`; where a dataset has several rows, its best values are marked.
    """
    lines = []
    for dataset in targets.datasets_of(pairs):
        at = [n for n, pair in enumerate(pairs) if pair.dataset == dataset]
        groups = [pairs[n].group for n in at]
        own = [
            [dataset, row.label, *_cells(row.scores[at], groups)]
            for row in rows
            # No threshold can be chosen in a dataset of one group.
            if row.masks[at[0]] is not None
        ]
        part = Table("", _HEADINGS, own)
        if len(own) > 1:
            part = mark_best(part, smaller=_SMALLER, unmarked=_UNMARKED)
        lines += part.rows
    return Table(_title(rows, pairs, all_objects), _HEADINGS, lines)


def _cells(scores, groups):
    fields = metrics.Agreement(*scores.T)
    return [
        Cell(len(scores), digits=0),
        Cell(len(set(groups)), digits=0),
        *map(percent, statistics.interval(np.asarray([fields.f_score]), groups)),
        percent(_mean(fields.precision)),
        percent(_mean(fields.recall)),
        percent(_mean(fields.iou)),
        percent(_mean(fields.boundary_f_score)),
        Cell(_mean(fields.hausdorff95_px)),
        percent(_mean(np.abs(fields.area_error))),
    ]


def _mean(values):
    """Returns the mean of the values that are not NaN."""
    there = values[~np.isnan(values)]
    return float(np.mean(there)) if len(there) else np.nan


def _title(rows, pairs, all_objects):
    group_counts = [
        len({pair.group for pair in pairs if pair.dataset == dataset})
        for dataset in targets.datasets_of(pairs)
    ]
    title = (
        f"{'All objects' if all_objects else 'The largest body'} of truth and "
        f"prediction; percent; F with {statistics.interval_name(group_counts)}; HD95 in px at a "
        f"longer side of {postprocess.PAPER_SIDE_PX}"
    )
    missing = ", ".join(f"{row.label} {row.missing}" for row in rows if row.missing)
    return title + (f"; missing, scored as empty: {missing}" if missing else "")
