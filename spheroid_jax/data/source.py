"""Source of the images: a data root of the user, drawn images, or both."""

import hashlib
import os
import pathlib
import tempfile

from absl import logging

from spheroid_jax.data import crops, folder
from spheroid_jax.errors import UserError
from spheroid_jax.synthetic import data_root

SYNTHETIC = "synthetic"
# In `config.data.datasets`, this name means all datasets that are not named.
EVERY_OTHER = "*"


class SourceError(UserError, ValueError):
    """The datasets of a config cannot be used; the message says why."""


def open_root(root, cache, recipe, *, beside=False, crop=None):
    """Opens a data root; draws its synthetic images if they do not exist yet.

    Args:
      root: a folder, or `SYNTHETIC` for drawn images only.
      cache: folder for the synthetic images.
      recipe: keyword arguments of `data_root.write_data_root`.
      beside: whether to add drawn datasets, called easy, hard, varied and
        scenes, to those of the root.
      crop: `crops.Recipe` of crops that are added to each dataset of the root; None for none.

    Returns:
      The path of the data root.

    Raises:
      FileNotFoundError: drawn datasets are to be added to a root that does not exist.
      SourceError: drawn datasets are to be added to a root that has no dataset, or that has a
        dataset of the same name.
    """
    if root != SYNTHETIC and not beside and crop is None:
        return pathlib.Path(root)
    # Checked first, because drawing takes a while.
    own = {} if root == SYNTHETIC else _own_datasets(pathlib.Path(root))
    if crop is not None:
        cache = pathlib.Path(cache)
        own = {name: crops.cropped(path, crop, cache) for name, path in own.items()}
    if own and not beside:
        return _join(own, cache)
    name = "-".join(f"{key}{value}" for key, value in sorted(recipe.items()))
    name += f"-v{data_root.RECIPE_VERSION}"
    drawn = data_root.write_data_root(pathlib.Path(cache) / "synthetic" / name, **recipe)
    if not beside:
        return drawn
    for flavour, name in data_root.DATASETS.items():
        if (drawn / name).is_dir():
            own[flavour] = drawn / name
    return _join(own, cache)


def _own_datasets(root):
    """Returns the datasets of a user's data root, a dict from name to folder."""
    own = {name: root / name for name in folder.datasets_in(root)}
    if not own:
        raise SourceError(
            f"{root}: no folder in it has images/ and masks/ "
            f"({root / 'NAME' / 'images'}, {root / 'NAME' / 'masks'})"
        )
    if taken := sorted(own.keys() & data_root.DATASETS.keys()):
        raise SourceError(
            f"{root}: drawn datasets will be called {', '.join(taken)}, "
            "and you have a folder of this name; rename your folder"
        )
    return own


def _join(datasets, cache):
    """Joins datasets, a dict from name to folder, in a data root of links."""
    links = {name: str(path.resolve()) for name, path in datasets.items()}
    key = hashlib.sha256(repr(sorted(links.items())).encode()).hexdigest()
    joined = pathlib.Path(cache) / "joined" / key[:16]
    if joined.is_dir():
        return joined
    joined.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(dir=joined.parent))
    for name, path in links.items():
        (partial / name).symlink_to(path)
    try:
        os.replace(partial, joined)
    except OSError:
        # Another process has made the same links in the meantime.
        if not joined.is_dir():
            raise
    return joined


def choose_datasets(root, shares):
    """Selects the datasets that exist in the data root.

    A dataset that does not exist is left out, with a warning, because its name may be misspelt. The
    share of `EVERY_OTHER` is divided equally among the datasets that are not named.

    Args:
      root: the data root.
      shares: dict from dataset to share.

    Returns:
      dict from existing dataset to share.

    Raises:
      FileNotFoundError: the root does not exist.
      SourceError: none of the datasets exists, or `EVERY_OTHER` stands for no dataset.
    """
    there = folder.datasets_in(root)
    shares = _with_others(shares, there)
    chosen = {name: share for name, share in shares.items() if name in there}
    if not chosen:
        raise SourceError(
            f"{root}: none of {', '.join(shares)} is a folder there with "
            "images/ and masks/"
            + (f"; there are {', '.join(there)}" if there else "")
            + " (to name others: --config.data.datasets=NAME:SHARE,...)"
        )
    missing = sorted(shares.keys() - chosen.keys())
    if missing:
        logging.warning(
            "%s has no dataset %s: only %s will be used.",
            *(root, ", ".join(missing), ", ".join(chosen)),
        )
    unused = sorted(set(there) - shares.keys())
    if unused:
        logging.info("Not used (not in config.data.datasets): %s", ", ".join(unused))
    return chosen


def _with_others(shares, there):
    """Replaces `EVERY_OTHER` by the datasets that are not named."""
    others = [name for name in there if name not in shares]
    if EVERY_OTHER in shares and not others:
        raise SourceError(
            f"config.data.datasets: there is no dataset for {EVERY_OTHER} "
            f"beside {', '.join(there) or 'none'}; give the folder of your images "
            "with --config.data.root=DIR"
        )
    result = {}
    for name, share in shares.items():
        meant = others if name == EVERY_OTHER else [name]
        result |= dict.fromkeys(meant, share / len(meant))
    return result
