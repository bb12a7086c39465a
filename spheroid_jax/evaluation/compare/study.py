"""Table and figure of a study, whose variants of one config are trained on all folds.

WORKDIR/VARIANT/fold_2/...             the files of training; diverged.json if it diverged
WORKDIR/study.csv  study.md  study.svg the table and the figure

A fold that diverged has no scores; the table counts such folds.
"""

import pathlib
from collections.abc import Sequence

import numpy as np

from spheroid_jax.evaluation import held_out
from spheroid_jax.report import curves, f_scores, tables
from spheroid_jax.runtime import files
from spheroid_jax.workdir import Workdir


def write(workdir: str | pathlib.Path, variants: Sequence[str]) -> str:
    """Writes the table and the figure of a study.

    Args:
      workdir: the study's work directory.
      variants: names of the variants, which are folders in the work directory.

    Returns:
      The table as text for a terminal.

    Raises:
      FileNotFoundError: a variant has no fold, or a fold has no scores although it has not
        diverged.
    """
    study = Workdir(workdir)
    runs = {name: Workdir(study.path / name) for name in variants}
    folds = {name: _folds(run) for name, run in runs.items()}
    datasets = {name: _datasets(run) for name, run in runs.items()}
    table = _table(folds, list(dict.fromkeys(sum(datasets.values(), []))))
    for suffix, form in (("csv", tables.csv), ("md", tables.markdown)):
        with files.replacing(study.study(suffix)) as file:
            file.write(form(table))
    figure = f_scores.lambda_study(
        {name: {d: _values(each, d) for d in datasets[name]} for name, each in folds.items()}
    )
    with files.replacing(study.study("svg"), "wb") as file:
        file.write(figure)
    return tables.terminal(table)


def _datasets(run):
    """Returns the names of a variant's datasets, even if all folds diverged."""
    return list(run.read_partitions()["partitions"])


def _folds(run):
    """Returns one dict per trained fold, with its mean F by dataset; empty if the fold diverged."""
    trained = [fold for fold in run.folds if fold.path.is_dir()]
    if not trained:
        raise FileNotFoundError(f"{run.path}: no fold was trained")
    folds = []
    for fold in trained:
        diverged = fold.has_diverged
        if not diverged and not fold.is_scored:
            raise FileNotFoundError(
                f"{fold.path}: neither finished nor diverged; run the study again"
            )
        by_dataset = {}
        for row in [] if diverged else held_out.read_scores(fold):
            by_dataset.setdefault(row.dataset, []).append(row.scores.f_score)
        folds.append(
            {
                "f": {d: np.mean(values) for d, values in by_dataset.items()},
                "fall": _largest_fall(fold),
                "diverged": diverged,
            }
        )
    return folds


def _largest_fall(fold):
    """Returns the largest fall of the validation F from its highest value so far."""
    _, values = curves.by_metric(fold.read_metrics()).get("validation/mean", ((), ()))
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
