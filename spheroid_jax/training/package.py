"""Packaging of a trained model under a name, so that `spheroid_jax.load(NAME)` finds the model.

Weights stored as float16 take half the space. The config is stored beside the weights, without the
folders of the machine that trained the model.
"""

import re

import jax
import numpy as np

from spheroid_jax.data import source
from spheroid_jax.errors import UserError
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.training import settings

# Limits, so that the package stays small and a laptop can segment with the model.
_MOST_BYTES = 12_000_000
_MOST_PARAMETERS = 6_000_000
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PackageError(UserError, ValueError):
    """A name or a model that cannot be packaged."""


def package(fold, name, *, dtype="float16"):
    """Copies a fold's model into the package, where it replaces an older model of the same name.

    Args:
      fold: a fold's folder, or its `model` folder.
      name: lower-case words, joined by hyphens.
      dtype: type of the stored weights, "float16" or "float32".

    Returns:
      One line with the model's size, number of parameters and hash.

    Raises:
      FileNotFoundError: `fold` holds no model.
      PackageError: the name is bad, or the model has several networks or is too large.
      ModelError: a weight is too large for `dtype`.
    """
    if not _NAME.fullmatch(name):
        raise PackageError(f"name {name!r}: must be words of a-z and 0-9 joined by hyphens")
    model = model_file.load(fold)
    if not isinstance(model, model_file.Params):
        raise PackageError(f"{fold}: several networks; give one fold's folder")
    parameters = _size(model.variables["params"])
    size = _size(model.variables) * np.dtype(dtype).itemsize
    if parameters > _MOST_PARAMETERS or size > _MOST_BYTES:
        raise PackageError(
            f"{fold}: {parameters / 1e6:.1f} M parameters, {size / 1e6:.1f} MB "
            f"as {dtype}; a packaged model has at most "
            f"{_MOST_PARAMETERS / 1e6:g} M and {_MOST_BYTES / 1e6:g} MB"
        )
    folder = pretrained.folder(name)
    model_file.save(
        model, folder, provenance=_without_places(model_file.provenance(fold)), dtype=dtype
    )
    model_file.load(folder)  # Raises an error if the copy is incomplete or damaged.
    return (
        f"{name}: {size / 1e6:.1f} MB of {dtype}, {parameters} parameters, "
        f"SHA-256 {model_file.digest(folder)}"
    )


def _size(variables):
    """Counts the numbers in a network's variables."""
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def _without_places(provenance):
    """Returns the provenance without the folders of the machine that trained the model."""
    values = dict(provenance["config"])
    values.pop("data.cache", None)
    if values.get("init", "") not in ("", *pretrained.names()):
        values["init"] = "a folder"  # The hash of that model is beside the config.
    if values["data.root"] != source.SYNTHETIC:
        datasets = settings.shares(values["data.datasets"])
        values["data.root"] = ", ".join(datasets)
    return provenance | {"config": values}
