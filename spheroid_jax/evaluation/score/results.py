"""The table of scores: one row per dataset and tool, in percent."""

from collections.abc import Sequence

import numpy as np

from spheroid_jax.data.folder import Pair
from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.score import targets
from spheroid_jax.evaluation.score.rules import Rules
from spheroid_jax.evaluation.score.scoring import Row
from spheroid_jax.report.tables import Cell, Table, mark_best, percent

_UNMARKED = ("images", "groups", "from", "to")


def table(rows: Sequence[Row], pairs: Sequence[Pair], rules: Rules) -> Table:
    """Makes a table of the mean scores of each tool on each dataset.

    Args:
      rows: list of `scoring.Row`s.
      pairs: the images, as returned by `targets.find`.
      rules: the rules that the masks were scored by.

    Returns:
      `Table`; where a dataset has several rows, its best values are marked.
    """
    headings, lines = [], []
    for dataset in targets.datasets_of(pairs):
        at = [n for n, pair in enumerate(pairs) if pair.dataset == dataset]
        groups = [pairs[n].group for n in at]
        cells = {
            row.label: _cells(row.scores[at], groups, rules)
            for row in rows
            # No threshold can be chosen in a dataset of one group.
            if row.masks[at[0]] is not None
        }
        headings = ["dataset", "source", *next(iter(cells.values()))]
        own = [[dataset, label, *each.values()] for label, each in cells.items()]
        part = Table("", headings, own)
        if len(own) > 1:
            part = mark_best(part, smaller=rules.smaller, unmarked=(*_UNMARKED, *rules.unmarked))
        lines += part.rows
    return Table(_title(rows, pairs, rules), headings, lines)


def _cells(scores, groups, rules):
    """Returns a dict from heading to cell."""
    first, low, high = statistics.interval(rules.ranks(scores)[np.newaxis], groups)
    return {
        "images": Cell(len(scores), digits=0),
        "groups": Cell(len(set(groups)), digits=0),
        rules.first_heading: percent(first),
        "from": percent(low),
        "to": percent(high),
        **rules.cells(scores),
    }


def _title(rows, pairs, rules):
    group_counts = [
        len({pair.group for pair in pairs if pair.dataset == dataset})
        for dataset in targets.datasets_of(pairs)
    ]
    title = rules.title.format(interval=statistics.interval_name(group_counts))
    missing = ", ".join(f"{row.label} {row.missing}" for row in rows if row.missing)
    return title + (f"; missing, scored as empty: {missing}" if missing else "")
