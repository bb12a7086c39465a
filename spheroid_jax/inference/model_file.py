"""Trained models in memory and on disk: loading, saving and checking.

On disk a model is a folder with two files. `model.json` holds the format, the architecture, the
grid size, the provenance, and the name and SHA-256 of the file of weights. The weights are one
NumPy archive of plain arrays: float32 or, in half the space, float16. Loading a model runs no code
from the files and needs neither orbax nor TensorFlow.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
from typing import Any

import jax
import numpy as np
from flax import core, struct, traverse_util
from flax import linen as nn

from spheroid_jax import models
from spheroid_jax.errors import UserError
from spheroid_jax.inference import presence, pretrained
from spheroid_jax.inference.presence import Presence
from spheroid_jax.runtime import files
from spheroid_jax.workdir import Fold, Workdir

# Format 2 records whether flips are averaged; format 1 has no such field, which means no.
FORMAT = 2
DESCRIPTION = "model.json"


@struct.dataclass
class Params:
    """A trained model; a pytree whose leaves are the variables.

    Attributes:
      variables: Linen variables of the network (`params`, `batch_stats`).
      network: name of the network in `models.NETWORKS`.
      fields: fields of the network as sorted (name, value) pairs.
      size: side in pixels of the grid that the network was trained on.
      flips: whether the probabilities of an image and of its three flips are averaged, which is
        steadier and takes four times as long.
      presence: by what a model with markers says whether there is a body at all; None where nothing
        was calibrated, and every body that is found counts.
    """

    variables: dict
    network: str = struct.field(pytree_node=False)
    fields: tuple = struct.field(pytree_node=False)
    size: int = struct.field(pytree_node=False)
    flips: bool = struct.field(pytree_node=False, default=False)
    presence: Presence | None = struct.field(pytree_node=False, default=None)

    @classmethod
    def create(
        cls,
        variables: dict | core.FrozenDict,
        *,
        name: str,
        size: int,
        flips: bool = False,
        **fields: Any,
    ) -> "Params":
        """Makes a model from variables and the arguments of `models.build`."""
        return cls(
            variables=core.unfreeze(variables),
            network=name,
            fields=tuple(sorted(fields.items())),
            size=size,
            flips=flips,
        )

    def model(self) -> nn.Module:
        """Builds the Linen module to which `variables` belong."""
        return models.build(self.network, **dict(self.fields))

    @property
    def members(self) -> tuple["Params", ...]:
        """This model alone, so that a model can stand for an ensemble of one."""
        return (self,)


@struct.dataclass
class Ensemble:
    """An ensemble of the models of all folds, whose probabilities are averaged.

    Attributes:
      members: models with the same grid.
    """

    members: tuple[Params, ...]

    @property
    def size(self) -> int:
        """Side of the grid in pixels."""
        return self.members[0].size

    @property
    def presence(self) -> Presence | None:
        """What the first member says of presence."""
        return self.members[0].presence


class ModelError(UserError, ValueError):
    """A folder does not hold a usable model; the message says why."""


def save(
    params: Params, directory: str | os.PathLike, *, provenance: Any, dtype: str = "float32"
) -> None:
    """Writes a model; an older model in `directory` is replaced as a whole.

    Args:
      params: model.
      directory: folder, created if missing.
      provenance: facts about the training in JSON types, such as config, step and score.
      dtype: type of the stored weights; "float16" takes half the space and rounds the weights.

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
    # The description names the file of weights, so replacing the description replaces the model.
    files.write_json(directory / DESCRIPTION, description)
    for old in directory.glob("weights-*.npz"):
        if old.name != weights:
            old.unlink()


def _stored(name, value, dtype):
    """Converts an array to the type on disk."""
    value = np.asarray(value)
    if np.abs(value).max(initial=0) > np.finfo(dtype).max:
        raise ModelError(f"variable {name}: too large for {dtype}")
    return value.astype(dtype)


def load(path: str | os.PathLike) -> Params | Ensemble:
    """Loads a trained model, or the ensemble of the five folds of a work directory.

    Args:
      path: folder of a fold ("runs/adver/fold_2"), or its folder `model`; or a work directory
        ("runs/adver"), whose folds make an ensemble; or, if no such folder exists, the name of a
        packaged model.

    Returns:
      Model or ensemble, the first argument of `segment`.

    Raises:
      FileNotFoundError: there is no model, or a fold of the ensemble has none.
      ModelError: the model is damaged, or was written by a newer version.
    """
    path = _place(path)
    if any(fold.path.exists() for fold in Workdir(path).folds):
        return Ensemble(tuple(_load(fold.path) for fold in _folds(path)))
    return _load(path)


def _place(path):
    """Returns the folder for a path or for the name of a packaged model."""
    place, packaged = pathlib.Path(path), pretrained.names()
    if place.exists():
        return place
    if os.fspath(path) in packaged:
        return pretrained.folder(path)
    raise FileNotFoundError(
        f"{path}: no model here, and no model with this name is packaged"
        + (f" ({', '.join(packaged)})" if packaged else "")
    )


def folders(path: str | os.PathLike) -> list[pathlib.Path]:
    """Lists the folders of a model's files: one, or five of a run's ensemble.

    Args:
      path: as for `load`.

    Raises:
      FileNotFoundError: no model there, or not of all five folds.
    """
    path = _place(path)
    if any(fold.path.exists() for fold in Workdir(path).folds):
        return [_model_directory(fold.path) for fold in _folds(path)]
    return [_model_directory(path)]


def is_model(path: str | os.PathLike) -> bool:
    """Returns whether a folder holds a model, or a work directory the model of any fold."""
    path = pathlib.Path(path)
    folders = (path, Fold(path).model, *(fold.model for fold in Workdir(path).folds))
    return any((folder / DESCRIPTION).is_file() for folder in folders)


def _folds(run):
    """Returns the five folds of a work directory; raises if a fold has no model."""
    folds = Workdir(run).folds
    missing = [fold.path.name for fold in folds if not (fold.model / DESCRIPTION).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{run}: an ensemble needs the models of all five folds, but there is no model yet of "
            f"{', '.join(missing)}; to load a single fold, give the folder of the fold"
        )
    return folds


def _load(path):
    directory = _model_directory(path)
    try:
        description = json.loads((directory / DESCRIPTION).read_text("utf-8"))
        if description["format"] not in range(1, FORMAT + 1):
            raise ModelError(
                f"{directory}: model format {description['format']}, but this version reads only "
                f"formats 1 to {FORMAT}; install the version that wrote the model"
            )
        with np.load(directory / description["weights"], allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        # The hash is that of the stored arrays, because rounding could hide damage.
        if _digest(arrays) != description["sha256"]:
            raise ModelError(
                f"{directory}: damaged: the hash of the weights differs from the recorded hash"
            )
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
    # A damaged archive or description can raise many types of errors.
    except Exception as error:
        raise ModelError(f"{directory}: not a readable model: {error}") from error
    return jax.tree.map(
        jax.numpy.asarray, dataclasses.replace(params, presence=_presence(directory, params))
    )


def _presence(directory, params):
    """Returns the presence that is calibrated for a model with markers, or None."""
    path = directory / presence.FILE
    if not dict(params.fields).get("markers", False) or not path.is_file():
        return None
    return presence.read(path)


def provenance(path: str | os.PathLike) -> Any:
    """Returns the provenance of a model, as given to `save`."""
    return _description(path)["provenance"]


def tells_bodies_apart(path: str | os.PathLike) -> bool:
    """Returns whether a model's network has markers, without reading its weights."""
    return all(
        json.loads((folder / DESCRIPTION).read_text("utf-8"))["fields"].get("markers", False)
        for folder in folders(path)
    )


def digest(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of the weights of a model, in hexadecimal digits."""
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
            f"{path}: this fold has checkpoints but no finished model; wait until its training "
            "ends, or run launch.py with --mode=evaluate to make a model from the best checkpoint "
            "so far"
        )
    raise FileNotFoundError(f"{path}: no model here: neither {DESCRIPTION} nor model/{DESCRIPTION}")


def _digest(arrays):
    """Returns the SHA-256 of the names, types, shapes and bytes of all arrays."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check_shapes(params):
    """Raises `ModelError` if the variables do not fit the architecture."""
    image = jax.ShapeDtypeStruct((1, params.size, params.size, 1), np.float32)
    expected = jax.eval_shape(params.model().init, jax.random.key(0), image)
    expected = traverse_util.flatten_dict(dict(expected), sep="/")
    actual = traverse_util.flatten_dict(params.variables, sep="/")
    for name in sorted(expected.keys() | actual.keys()):
        want = getattr(expected.get(name), "shape", None)
        have = getattr(actual.get(name), "shape", None)
        if want != have:
            raise ModelError(
                f"variable {name}: shape {have} on disk, but the network {params.network} needs "
                f"{want}"
            )
