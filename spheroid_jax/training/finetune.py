"""Fine-tuning: training that starts from a trained model, the initial model.

The rehearsal datasets hold images like those that the initial model was trained on. Training goes
on drawing from these datasets, so that the model does not forget them (A. Robins, Catastrophic
forgetting, rehearsal and pseudorehearsal, Connection Science 1995).

The folder of a fold gets two more files, so that training that is resumed is compared with the same
initial model:

    WORKDIR/fold_2/init.json   hash and validation scores of the initial model
    WORKDIR/fold_2/before.csv  scores of the initial model on the test partition
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from spheroid_jax import models
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores, records
from spheroid_jax.inference import model_file

# Fields that say how a network is computed or trained, and do not change its variables.
_FREE_FIELDS = ("parent", "name", "dtype", "remat", "norm_momentum")


class InitialModelError(UserError, ValueError):
    """An initial model that does not fit the config or the fold; the message says why."""


class Initial(NamedTuple):
    """The variables of the initial model, and the SHA-256 of its weights."""

    variables: dict
    sha256: str


def load(init, *, size, model):
    """Loads the initial model.

    Args:
      init: argument of `model_file.load`: a folder, or the name of a packaged model.
      size: side of the grid in pixels.
      model: keyword arguments of `models.build` for the network to be trained.

    Returns:
      `Initial`.

    Raises:
      FileNotFoundError: there is no model.
      InitialModelError: the model has several networks, or another network or grid than the
        config; the message names the differences.
    """
    loaded = model_file.load(init)
    if not isinstance(loaded, model_file.Params):
        raise InitialModelError(f"config.init = {init!r}: several networks; give one fold's folder")
    module = models.build(**model)
    here = {"data.size": size, **_fields(model["name"], module)}
    there = {"data.size": loaded.size, **_fields(loaded.network, loaded.model())}
    variables = loaded.variables
    for maps in ("model.markers", "model.cores"):
        if here.get(maps) and not there[maps]:
            # A model without markers or cores gets a new map for them.
            there[maps] = True
            new = models.initial_variables(module, 1, seed=0)
            variables = variables | {"params": new["params"] | variables["params"]}
    differing = [
        f"config.{key} = {here[key]!r} here, {value!r} there"
        for key, value in there.items()
        if key in here and here[key] != value
    ]
    if differing:
        raise InitialModelError(
            f"config.init = {init!r} does not fit the model to be trained: {'; '.join(differing)}"
        )
    return Initial(variables, model_file.digest(init))


def _fields(name, module):
    """Returns the fields that the variables of a network, and their meaning, depend on."""
    fields = (field.name for field in dataclasses.fields(module))
    return {"model.name": name} | {
        f"model.{field}": getattr(module, field) for field in fields if field not in _FREE_FIELDS
    }


def measure(model, sha256, fold, *, validation, test):
    """Scores the initial model and writes the scores; reads them if they are written already.

    Args:
      model: the initial model, as `Params`.
      sha256: hash of the initial model's weights.
      fold: `workdir.Fold`.
      validation: grids, labels and names of the validation images, as returned by
        `Dataset.partition`.
      test: the same for the test images.

    Returns:
      Validation scores, as returned by `grid_scores.validation_scores`.

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
        # Older versions wrote the mean over the datasets as one more dataset.
        datasets = {dataset for dataset, _ in validation[2]}
        return {name: f for name, f in begun["validation"].items() if name in datasets}
    grids, labels, names = test
    maps = grid_scores.probabilities(model, grids)
    records.write(fold.before, grid_scores.score(maps, labels, names))
    f_scores = grid_scores.validation_scores(model, *validation)
    # Written last: where this file is, the others are complete.
    fold.write_initial(sha256, f_scores)
    return f_scores


def check_datasets(datasets, rehearsal):
    """Checks that all rehearsal datasets exist, and that there is a dataset to adapt to.

    Args:
      datasets: names of the datasets that training draws from.
      rehearsal: names of the rehearsal datasets.

    Raises:
      InitialModelError: a rehearsal dataset is missing, or all datasets are rehearsal datasets.
    """
    missing = sorted(set(rehearsal) - set(datasets))
    if missing:
        raise InitialModelError(f"config.data.rehearsal: there is no dataset {', '.join(missing)}")
    if not set(datasets) - set(rehearsal):
        raise InitialModelError(
            f"config.data.rehearsal: {', '.join(datasets)} are all datasets that there are; none "
            "is left to adapt to"
        )


def criterion(before, *, rehearsal, margin):
    """Makes the function that ranks checkpoints by their validation scores.

    Args:
      before: the initial model's validation scores, by dataset.
      rehearsal: names of the rehearsal datasets, at least one.
      margin: how much lower than the initial model's the score on each rehearsal dataset may be.

    Returns:
      Function `rank(scores)`, which takes scores by dataset. Its value is the mean score over the
      datasets that are not for rehearsal, or None if the score on any rehearsal dataset has dropped
      by more than the margin.
    """
    new = [name for name in before if name not in rehearsal]

    def rank(scores):
        if any(scores[name] < before[name] - margin for name in rehearsal):
            return None
        return _mean(scores, new)

    return rank


def _mean(scores, datasets):
    return float(np.mean([scores[name] for name in datasets]))
