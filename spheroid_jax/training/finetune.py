"""Fine-tuning: training that starts from a model, and keeps what it can.

Beside what every training leaves there is, of the model that it starts from,

    WORKDIR/fold_2/init.json   its hash, and its validation F-scores
    WORKDIR/fold_2/before.csv  its scores on the test partition

so training that goes on after an interruption is held against the very same
model. The rehearsal datasets are the old images, which training goes on seeing
and must not get worse at (A. Robins, Catastrophic forgetting, rehearsal and
pseudorehearsal, Connection Science 1995).
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from spheroid_jax import models
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores, records
from spheroid_jax.inference import model_file

# How a network is computed or trained: its variables fit whatever these are.
_FREE_FIELDS = ("parent", "name", "dtype", "remat", "norm_momentum")


class InitialModelError(UserError, ValueError):
    """Training cannot start from a model, or go on from it; the message says why."""


class Initial(NamedTuple):
    """What training starts from: variables, and the model's SHA-256."""

    variables: dict
    sha256: str


def load(init, *, size, model):
    """Loads the model that training starts from.

    Args:
      init: what `model_file.load` takes: a folder, or a packaged model's name.
      size: side of the grid that is trained on.
      model: the arguments of `models.build`.

    Returns:
      `Initial`.

    Raises:
      FileNotFoundError: no model there.
      InitialModelError: several networks, or another network or grid than is to be
        trained; says what differs.
    """
    loaded = model_file.load(init)
    if not isinstance(loaded, model_file.Params):
        raise InitialModelError(f"config.init = {init!r}: several networks; give one fold's folder")
    here = {"data.size": size, **_fields(model["name"], models.build(**model))}
    there = {"data.size": loaded.size, **_fields(loaded.network, loaded.model())}
    differing = [
        f"config.{key} = {here[key]!r} here, {value!r} there"
        for key, value in there.items()
        if key in here and here[key] != value
    ]
    if differing:
        raise InitialModelError(
            f"config.init = {init!r} is another model than the one to be "
            f"trained: {'; '.join(differing)}"
        )
    return Initial(loaded.variables, model_file.digest(init))


def _fields(name, module):
    """What a network's variables, and what they compute, depend on."""
    fields = (field.name for field in dataclasses.fields(module))
    return {"model.name": name} | {
        f"model.{field}": getattr(module, field) for field in fields if field not in _FREE_FIELDS
    }


def measure(model, sha256, fold, *, validation, test):
    """Scores the initial model, once: what is written is only read again.

    Args:
      model: the initial `Params`.
      sha256: of `Initial`.
      fold: `workdir.Fold`.
      validation: grids, labels and names of `Dataset.partition`.
      test: likewise.

    Returns:
      The validation F-scores, of `grid_scores.validation_f_scores`.

    Raises:
      InitialModelError: the fold was begun from another model.
    """
    begun = fold.read_initial()
    if begun is not None:
        if begun["sha256"] != sha256:
            raise InitialModelError(
                f"{fold.path} was begun from another model than config.init "
                f"now is: SHA-256 {begun['sha256'][:12]} there, {sha256[:12]} "
                "here; restore it, or give another --workdir"
            )
        # Older versions wrote the mean over the datasets as one more.
        datasets = {dataset for dataset, _ in validation[2]}
        return {name: f for name, f in begun["validation"].items() if name in datasets}
    grids, labels, names = test
    maps = grid_scores.probabilities(model, grids)
    records.write(fold.before, grid_scores.score(maps, labels, names))
    f_scores = grid_scores.validation_f_scores(model, *validation)
    # Last: where it is, the rest is there.
    fold.write_initial(sha256, f_scores)
    return f_scores


def check_datasets(datasets, rehearsal):
    """Checks that there are images of both kinds, old and new.

    Args:
      datasets: names of those that training draws from.
      rehearsal: names of the old ones among them.

    Raises:
      InitialModelError: an old one is missing, or there are no others.
    """
    missing = sorted(set(rehearsal) - set(datasets))
    if missing:
        raise InitialModelError(f"config.data.rehearsal: there is no dataset {', '.join(missing)}")
    if not set(datasets) - set(rehearsal):
        raise InitialModelError(
            f"config.data.rehearsal: {', '.join(datasets)} are all datasets "
            "that there are; none is left to adapt to"
        )


def criterion(before, *, rehearsal, margin):
    """Makes the function that ranks checkpoints by their validation.

    Args:
      before: the initial model's validation F-scores by dataset.
      rehearsal: names of the old datasets among them, at least one.
      margin: by how much the mean F-score over these may be lower than the
        initial model's.

    Returns:
      `rank(scores)`: the mean F-score over the other datasets; None where the
      old ones got worse by more than the margin.
    """
    new = [name for name in before if name not in rehearsal]
    least = _mean(before, rehearsal) - margin

    def rank(scores):
        if _mean(scores, rehearsal) < least:
            return None
        return _mean(scores, new)

    return rank


def _mean(scores, datasets):
    return float(np.mean([scores[name] for name in datasets]))
