"""A trained model: all that inference needs, in memory and on disk.

On disk a model is a folder with `model.json` (format, architecture, grid
size, provenance, and the name and SHA-256 of the weights' file) and one NumPy
archive of plain arrays, float32 or, in half the space, float16. Reading it
runs no code and needs neither orbax nor TensorFlow.
"""

import hashlib
import json
import os
import pathlib

import jax
import numpy as np
from flax import core, struct, traverse_util

from spheroid_jax import models
from spheroid_jax.errors import UserError
from spheroid_jax.inference import pretrained
from spheroid_jax.runtime import files
from spheroid_jax.workdir import Fold, Workdir

# Format 2 says whether flips are averaged; in format 1 they are not.
FORMAT = 2
DESCRIPTION = "model.json"


@struct.dataclass
class Params:
    """What `segment` needs; a pytree whose leaves are the variables.

    Attributes:
      variables: the network's Linen variables (`params`, `batch_stats`).
      network: the network's name in `models.NETWORKS`.
      fields: its fields as sorted (name, value) pairs.
      size: side of the grid, in pixels, that the network was trained on.
      flips: whether the probabilities of an image and of its three flips are
        averaged: steadier, in four times the time.
    """

    variables: dict
    network: str = struct.field(pytree_node=False)
    fields: tuple = struct.field(pytree_node=False)
    size: int = struct.field(pytree_node=False)
    flips: bool = struct.field(pytree_node=False, default=False)

    @classmethod
    def create(cls, variables, *, name, size, flips=False, **fields):
        """Joins variables with the arguments of `models.build`."""
        return cls(
            variables=core.unfreeze(variables),
            network=name,
            fields=tuple(sorted(fields.items())),
            size=size,
            flips=flips,
        )

    def model(self):
        """Builds the Linen module that `variables` belong to."""
        return models.build(self.network, **dict(self.fields))

    @property
    def members(self):
        """The networks whose probabilities are averaged: this one."""
        return (self,)


@struct.dataclass
class Ensemble:
    """The models of a run's folds, whose probabilities are averaged.

    Attributes:
      members: tuple of `Params` on the same grid.
    """

    members: tuple

    @property
    def size(self):
        """Side of the members' grid, in pixels."""
        return self.members[0].size


class ModelError(UserError, ValueError):
    """A folder that is not a usable model; the message says why."""


def save(params, directory, *, provenance, dtype="float32"):
    """Writes a model; an older one in `directory` is replaced as a whole.

    Args:
      params: `Params`.
      directory: the folder, made if missing.
      provenance: JSON-able facts for people: config, step, score.
      dtype: of the stored weights; "float16" takes half the space, and rounds.

    Raises:
      ModelError: a weight is too large for float16.
    """
    directory = pathlib.Path(directory)
    flat = traverse_util.flatten_dict(params.variables, sep="/")
    arrays = {name: _stored(name, flat[name], dtype) for name in flat}
    digest = _digest(arrays)
    weights = f"weights-{digest[:12]}.npz"
    with files.replacing(directory / weights, "wb") as file:
        np.savez(file, **arrays)
    description = {
        "format": FORMAT,
        "network": params.network,
        "fields": dict(params.fields),
        "size": params.size,
        "flips": params.flips,
        "weights": weights,
        "sha256": digest,
        "provenance": provenance,
    }
    # The description names the weights, so replacing it replaces the model.
    files.write_json(directory / DESCRIPTION, description)
    for old in directory.glob("weights-*.npz"):
        if old.name != weights:
            old.unlink()


def _stored(name, value, dtype):
    """An array as it is written."""
    value = np.asarray(value)
    if np.abs(value).max(initial=0) > np.finfo(dtype).max:
        raise ModelError(f"variable {name}: too large for {dtype}")
    return value.astype(dtype)


def load(path):
    """Loads a trained model, or the ensemble of a run's five folds.

    Args:
      path: a fold's folder ("runs/adver/fold_2"), its `model` folder, or a
        run's ("runs/adver"), whose folds' probabilities are then averaged; or,
        where there is no such folder, the name of a packaged model.

    Returns:
      `Params` or `Ensemble`, for `segment`.

    Raises:
      FileNotFoundError: no model there, or not of all five folds.
      ModelError: damaged, or written by a newer version.
    """
    path = _place(path)
    if any(fold.path.exists() for fold in Workdir(path).folds):
        return Ensemble(tuple(_load(fold.path) for fold in _folds(path)))
    return _load(path)


def _place(path):
    """The folder that a path, or a packaged model's name, stands for."""
    place, packaged = pathlib.Path(path), pretrained.names()
    if place.exists():
        return place
    if os.fspath(path) in packaged:
        return pretrained.folder(path)
    raise FileNotFoundError(
        f"{path}: no model here, and none of this name is packaged"
        + (f" ({', '.join(packaged)})" if packaged else "")
    )


def is_model(path):
    """Whether a folder holds a model, or that of at least one fold."""
    path = pathlib.Path(path)
    folders = (path, Fold(path).model, *(fold.model for fold in Workdir(path).folds))
    return any((folder / DESCRIPTION).is_file() for folder in folders)


def _folds(run):
    """The run's five `Fold`s, each with a model."""
    folds = Workdir(run).folds
    missing = [fold.path.name for fold in folds if not (fold.model / DESCRIPTION).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{run}: an ensemble needs the models of all five folds, and "
            f"{', '.join(missing)} has none yet; a fold alone is loaded by its "
            "own folder"
        )
    return folds


def _load(path):
    directory = _model_directory(path)
    try:
        description = json.loads((directory / DESCRIPTION).read_text("utf-8"))
        if description["format"] not in range(1, FORMAT + 1):
            raise ModelError(
                f"{directory}: model format {description['format']}, and this "
                f"version reads 1 to {FORMAT}; install the one that wrote it"
            )
        with np.load(directory / description["weights"], allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        # Of what is stored: rounding must not hide damage.
        if _digest(arrays) != description["sha256"]:
            raise ModelError(f"{directory}: damaged: the weights' hash differs")
        params = Params.create(
            traverse_util.unflatten_dict(
                {k: v.astype(np.float32) for k, v in arrays.items()}, sep="/"
            ),
            name=description["network"],
            size=description["size"],
            flips=description.get("flips", False),
            **description["fields"],
        )
        _check_shapes(params)
    except ModelError:
        raise
    # A damaged archive or description fails in many ways of its own.
    except Exception as error:
        raise ModelError(f"{directory}: not a readable model: {error}") from (error)
    return jax.tree.map(jax.numpy.asarray, params)


def provenance(path):
    """Returns what `save` was told about where a model comes from."""
    return _description(path)["provenance"]


def digest(path):
    """Returns the SHA-256 of a model's weights."""
    return _description(path)["sha256"]


def _description(path):
    directory = _model_directory(_place(path))
    return json.loads((directory / DESCRIPTION).read_text("utf-8"))


def _model_directory(path):
    for directory in (path, Fold(path).model):
        if (directory / DESCRIPTION).is_file():
            return directory
    if Fold(path).checkpoints.is_dir():
        raise FileNotFoundError(
            f"{path}: this fold has checkpoints but no finished model; let "
            "its training end, or run launch.py with --mode=evaluate to "
            "make a model of the best checkpoint so far"
        )
    raise FileNotFoundError(f"{path}: no model here: neither {DESCRIPTION} nor model/{DESCRIPTION}")


def _digest(arrays):
    """SHA-256 over names, types, shapes and bytes of all arrays."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check_shapes(params):
    """Raises where the variables are not those of the architecture."""
    image = jax.ShapeDtypeStruct((1, params.size, params.size, 1), np.float32)
    expected = jax.eval_shape(params.model().init, jax.random.key(0), image)
    expected = traverse_util.flatten_dict(dict(expected), sep="/")
    actual = traverse_util.flatten_dict(params.variables, sep="/")
    for name in sorted(expected.keys() | actual.keys()):
        want = getattr(expected.get(name), "shape", None)
        have = getattr(actual.get(name), "shape", None)
        if want != have:
            raise ModelError(
                f"variable {name}: shape {have} on disk, and the network "
                f"{params.network} has {want}"
            )
