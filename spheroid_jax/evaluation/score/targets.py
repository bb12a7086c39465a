"""The images that are scored, with their truth."""

import pathlib

from spheroid_jax.data import folder
from spheroid_jax.errors import UserError


class ScoreError(UserError, ValueError):
    """Images or masks that cannot be scored."""


def find(root):
    """Finds all data sets under a folder, and pairs images with masks.

    Args:
      root: a folder with data sets at any depth, or one data set.

    Returns:
      list of `folder.Pair`s, whose data sets are named by their paths below
      the root.

    Raises:
      FileNotFoundError: no such folder.
      ScoreError: no dataset there.
      folder.DataRootError: something is wrong with one.
    """
    root = pathlib.Path(root).resolve()
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    datasets = sorted(_datasets(root))
    if not datasets:
        raise ScoreError(f"{root}: no data set there (a folder with images/ and masks/)")
    # A root that is itself one has its own name.
    base = root.parent if datasets == [root] else root
    names = [path.relative_to(base).as_posix() for path in datasets]
    pairs, problems = folder.find_pairs(base, names)
    if problems:
        raise folder.DataRootError(root, problems)
    return pairs


def datasets_of(pairs):
    """Names of the pairs' data sets, in order."""
    return list(dict.fromkeys(pair.dataset for pair in pairs))


def name(pair):
    """An image's name for people."""
    return f"{pair.dataset}/{pair.stem}"


def _datasets(place):
    if (place / "images").is_dir() and (place / "masks").is_dir():
        yield place
        return
    for child in place.iterdir():
        if child.is_dir() and not child.name.startswith("."):
            yield from _datasets(child)
