"""Tables of a comparison, with scores in percent."""

from collections.abc import Sequence

import numpy as np

from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.compare import aggregate
from spheroid_jax.evaluation.compare.runs import Entry, Images
from spheroid_jax.report import curves
from spheroid_jax.report.tables import Cell, Table, mark_best, percent

# Columns of `beyond`, in the order of `_beyond`.
_BEYOND = (
    "F",
    "from",
    "to",
    "median F",
    "5th percentile F",
    f"% of images below F {100 * curves.USABLE_F:.0f}",
    "IoU",
    "boundary F",
    "HD95, px",
    "area error",
    "area bias",
    "diameter error",
)


def table_2(entries: Sequence[Entry], images: Images) -> Table:
    """Makes the table of mean average F-score, precision and recall (paper, table 2).

    Args:
      entries: list of `runs.Entry`s.
      images: `runs.Images`.

    Returns:
      `Table` with one row per model and one block of columns per dataset.
    """
    rows, headings = [], []
    for entry in entries:
        row = []
        for dataset in images.datasets:
            scores = entry.scores[:, images.of(dataset)]
            table = aggregate.table_2(scores)
            headings = list(table)
            row += [percent(*value) for value in table.values()]
        rows.append([entry.label, *row])
    return mark_best(
        Table(
            "Mean over images, mean and standard deviation over folds, in percent",
            ["model", *headings * len(images.datasets)],
            rows,
            [("", 1), *((d, len(headings)) for d in images.datasets)],
        )
    )


def beyond(entries: Sequence[Entry], images: Images, dataset: str) -> Table:
    """Makes the table of what table 2 leaves out: low scores, contours, and sizes.

    Args:
      entries: list of `runs.Entry`s.
      images: `runs.Images`.
      dataset: name of the dataset.

    Returns:
      `Table` with one row per model.
    """
    at = images.of(dataset)
    groups = [images.groups[n] for n in at]
    count = len(set(groups))
    rows = [[entry.label, *_beyond(entry.scores[:, at], groups)] for entry in entries]
    return Table(
        f"{dataset}: {len(at)} images in {count} group{'s' * (count > 1)}, percent; F with "
        f"{statistics.interval_name([count], over='groups and folds')}",
        ["model", *_BEYOND],
        rows,
    )


def tests(entries: Sequence[Entry], images: Images) -> Table:
    """Makes the table of tests of the first entry against each other entry, on the same images.

    Args:
      entries: list of `runs.Entry`s, at least two.
      images: `runs.Images`.

    Returns:
      `Table` with one row per dataset and other entry.
    """
    first, *others = entries
    pairs = []
    for dataset in images.datasets:
        at = images.of(dataset)
        groups = [images.groups[n] for n in at]
        for other in others:
            ours, theirs = (
                aggregate.field(entry.scores[:, at], "f_score") for entry in (first, other)
            )
            found = statistics.paired(ours, theirs, groups)
            pairs.append((dataset, other.label, found))
    adjusted = statistics.adjusted([found.p for _, _, found in pairs])
    return Table(
        _tests_title(first.label, [found.groups for _, _, found in pairs]),
        [
            "dataset",
            "other model",
            "difference",
            "from",
            "to",
            "groups",
            "effect",
            "p",
            "p adjusted",
        ],
        [
            [
                dataset,
                label,
                *(percent(v) for v in found.difference),
                Cell(found.groups, digits=0),
                Cell(found.effect),
                Cell(found.p, digits=4),
                Cell(float(p), digits=4),
            ]
            for (dataset, label, found), p in zip(pairs, adjusted, strict=True)
        ],
    )


def _tests_title(label, group_counts):
    title = (
        f"F of {label} minus F of each other model, each averaged over its folds, percent points; "
        f"{statistics.interval_name(group_counts)}; Wilcoxon signed-rank test over groups"
    )
    few = statistics.TEST_GROUPS
    if min(group_counts) < few:
        title += f", which cannot reach p < 0.05 with fewer than {few} groups"
    return title


def _beyond(scores, groups):
    f_scores = aggregate.field(scores, "f_score")
    tail = aggregate.tail(scores)

    def mean(name, of=lambda values: values):
        return float(np.nanmean(of(aggregate.field(scores, name))))

    return [
        *(percent(v) for v in statistics.interval(f_scores, groups)),
        *(percent(v) for v in tail),
        percent(mean("iou")),
        percent(mean("boundary_f_score")),
        Cell(mean("hausdorff95_px")),
        percent(mean("area_error", np.abs)),
        percent(mean("area_error")),
        percent(mean("diameter_error", np.abs)),
    ]
