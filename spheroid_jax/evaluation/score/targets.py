"""Images to score, with their true masks."""

import pathlib
from collections.abc import Iterable

from spheroid_jax.data import folder
from spheroid_jax.errors import UserError


class ScoreError(UserError, ValueError):
    """Images or masks cannot be scored."""


def find(root: str | pathlib.Path) -> list[folder.Pair]:
    """Finds all datasets under a folder, and pairs their images with masks.

    Args:
      root: one dataset, or a folder with datasets at any depth.

    Returns:
      list of `folder.Pair`s; a dataset's name is its path below the root.

    Raises:
      FileNotFoundError: the folder does not exist.
      ScoreError: the folder contains no dataset.
      folder.DataRootError: a dataset has problems, such as an image without a mask.
    """
    root = pathlib.Path(root).resolve()
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    datasets = sorted(_datasets(root))
    if not datasets:
        raise ScoreError(f"{root}: no dataset there (a folder with images/ and masks/)")
    # A root that is itself a dataset is named by its folder.
    base = root.parent if datasets == [root] else root
    names = [path.relative_to(base).as_posix() for path in datasets]
    pairs, problems = folder.find_pairs(base, names)
    if problems:
        raise folder.DataRootError(root, problems)
    return pairs


def datasets_of(pairs: Iterable[folder.Pair]) -> list[str]:
    """Returns the names of the pairs' datasets, in order of appearance."""
    return list(dict.fromkeys(pair.dataset for pair in pairs))


def name(pair: folder.Pair) -> str:
    """Returns an image's name in messages: DATASET/STEM."""
    return f"{pair.dataset}/{pair.stem}"


def _datasets(place):
    """Yields the folders of all datasets at or below a folder."""
    if (place / "images").is_dir() and (place / "masks").is_dir():
        yield place
        return
    for child in place.iterdir():
        if child.is_dir() and not child.name.startswith("."):
            yield from _datasets(child)
