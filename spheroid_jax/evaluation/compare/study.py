"""A study: variants of a config, each trained on all folds.

WORKDIR/VARIANT/fold_2/...  what training leaves, and where it diverged
WORKDIR/study.csv  study.md  study.svg

A fold that diverged has no scores, and is counted.
"""

import json
import pathlib

import numpy as np

from spheroid_jax.data import partitions
from spheroid_jax.data.dataset import PARTITIONS_FILE
from spheroid_jax.evaluation import held_out
from spheroid_jax.report import curves, f_scores, tables
from spheroid_jax.runtime import files


def write(workdir, variants):
    """Reports on a study's folds.

    Args:
      workdir: of the study.
      variants: names, folders in it.

    Returns:
      The table, as text for a terminal.

    Raises:
      FileNotFoundError: a fold has neither scores nor diverged.
    """
    workdir = pathlib.Path(workdir)
    folds = {name: _folds(workdir / name) for name in variants}
    datasets = {name: _datasets(workdir / name) for name in variants}
    table = _table(folds, list(dict.fromkeys(sum(datasets.values(), []))))
    for suffix, form in (("csv", tables.csv), ("md", tables.markdown)):
        with files.replacing(workdir / f"study.{suffix}") as file:
            file.write(form(table))
    figure = f_scores.lambda_study(
        {name: {d: _values(each, d) for d in datasets[name]} for name, each in folds.items()}
    )
    with files.replacing(workdir / "study.svg", "wb") as file:
        file.write(figure)
    return tables.terminal(table)


def _datasets(folder):
    """A variant's datasets, also where no fold of it came through."""
    written = json.loads((folder / PARTITIONS_FILE).read_text("utf-8"))
    return list(written["partitions"])


def _folds(folder):
    """Of each trained fold the mean F by dataset, empty where it diverged."""
    trained = [folder / f"fold_{n}" for n in range(partitions.FOLDS)]
    trained = [fold for fold in trained if fold.is_dir()]
    if not trained:
        raise FileNotFoundError(f"{folder}: no fold was trained")
    folds = []
    for fold in trained:
        diverged = (fold / held_out.DIVERGED_FILE).is_file()
        if not diverged and not (fold / held_out.SCORES_FILE).is_file():
            raise FileNotFoundError(f"{fold}: neither finished nor diverged; run the study again")
        by_dataset = {}
        for row in [] if diverged else held_out.read_scores(fold):
            by_dataset.setdefault(row.dataset, []).append(row.scores.f_score)
        folds.append(
            {
                "f": {d: np.mean(values) for d, values in by_dataset.items()},
                "fall": _largest_fall(fold / "metrics.jsonl"),
                "diverged": diverged,
            }
        )
    return folds


def _largest_fall(path):
    """By how much validation F fell at most from its best until then."""
    _, values = curves.read_curves(path).get("validation/mean", ((), ()))
    if not len(values):
        return np.nan
    return float(np.max(np.maximum.accumulate(values) - values))


def _values(folds, dataset):
    return np.array([fold["f"].get(dataset, np.nan) for fold in folds])


def _table(folds, datasets):
    rows = []
    for name, each in folds.items():
        came_through = [fold for fold in each if not fold["diverged"]]
        worst = [np.mean(list(fold["f"].values())) for fold in came_through]
        rows.append(
            [
                name,
                *(_mean(_values(came_through, d)) for d in datasets),
                _percent(min(worst, default=np.nan)),
                _percent(np.nanmedian([fold["fall"] for fold in each])),
                tables.Cell(len(each) - len(came_through), digits=0),
            ]
        )
    return tables.Table(
        "F on the test partition, percent; mean and standard deviation over "
        "the folds that came through",
        ["variant", *datasets, "worst fold", "largest fall", "diverged"],
        rows,
    )


def _mean(values):
    if not len(values):
        return _percent(np.nan)
    std = np.std(values, ddof=1) if len(values) > 1 else np.nan
    return _percent(np.mean(values), 100 * std)


def _percent(value, spread=None):
    value = np.nan if np.isinf(value) else 100 * value
    return tables.Cell(float(value), None if spread is None else float(spread))
