"""Packages a trained fold's model under a name; see the package's docstring.

The weights are stored as float16, in half the space. What the model was
trained with stays beside it, the places on the machine that trained it do not.
"""

import argparse
import re
import sys

import jax
import numpy as np

from spheroid_jax.data import source
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.training import settings

# What a package may well carry, and a laptop's cores segment with.
_MOST_BYTES = 12_000_000
_MOST_PARAMETERS = 6_000_000
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        print(package(given.fold, given.name, dtype=given.dtype))
    except (OSError, ValueError) as error:
        print(f"spheroid package: {error}", file=sys.stderr)
        return 2
    return 0


def package(fold, name, *, dtype="float16"):
    """Copies a fold's model into the package; one of that name is replaced.

    Args:
      fold: a fold's folder, or its `model` folder.
      name: lower-case words, joined by hyphens.
      dtype: of the stored weights.

    Returns:
      One line on its size, parameters and hash.

    Raises:
      FileNotFoundError: no model there.
      ValueError: a bad name, not one network, too large, or overflow.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name {name!r}: must be words of a-z and 0-9 joined by hyphens")
    model = model_file.load(fold)
    if not isinstance(model, model_file.Params):
        raise ValueError(f"{fold}: several networks; give one fold's folder")
    parameters = _size(model.variables["params"])
    size = _size(model.variables) * np.dtype(dtype).itemsize
    if parameters > _MOST_PARAMETERS or size > _MOST_BYTES:
        raise ValueError(
            f"{fold}: {parameters / 1e6:.1f} M parameters, {size / 1e6:.1f} MB "
            f"as {dtype}; a packaged model has at most "
            f"{_MOST_PARAMETERS / 1e6:g} M and {_MOST_BYTES / 1e6:g} MB"
        )
    folder = pretrained.folder(name)
    model_file.save(
        model, folder, provenance=_without_places(model_file.provenance(fold)), dtype=dtype
    )
    model_file.load(folder)  # Complete and undamaged, or an error.
    return (
        f"{name}: {size / 1e6:.1f} MB of {dtype}, {parameters} parameters, "
        f"SHA-256 {model_file.digest(folder)}"
    )


def _size(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def _without_places(provenance):
    """The provenance without the folders of the machine that trained."""
    config = dict(provenance["config"])
    config.pop("data.cache", None)
    if config.get("init", "") not in ("", *pretrained.names()):
        config["init"] = "a folder"  # Its hash is beside the config.
    if config["data.root"] != source.SYNTHETIC:
        datasets = settings.shares(config["data.datasets"])
        config["data.root"] = ", ".join(datasets)
    return provenance | {"config": config}


def _parser():
    parser = argparse.ArgumentParser(
        prog="spheroid package", description="Packages a trained fold's model under a name."
    )
    parser.add_argument("fold", help="the folder of a trained fold")
    parser.add_argument("name", help="as in spheroid_jax.load(NAME)")
    parser.add_argument(
        "--dtype",
        choices=("float16", "float32"),
        default="float16",
        help="type of the stored weights (%(default)s)",
    )
    return parser
