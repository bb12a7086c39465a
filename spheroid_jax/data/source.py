"""Where the images come from: a folder of the user's, synthetic ones, both."""

import hashlib
import os
import pathlib
import tempfile

from absl import logging

from spheroid_jax.data import folder, synthetic

SYNTHETIC = "synthetic"


def open_root(root, cache, recipe, *, beside=False):
    """Returns the data root, drawing the synthetic images if they are named.

    Args:
      root: a folder, or `SYNTHETIC`.
      cache: folder for the synthetic images.
      recipe: keyword arguments of `synthetic.write_data_root`.
      beside: whether the synthetic images come beside the root's, as datasets
        called easy, hard and varied.
    """
    if root != SYNTHETIC and not beside:
        return pathlib.Path(root)
    name = "-".join(f"{key}{value}" for key, value in sorted(recipe.items()))
    name += f"-v{synthetic.RECIPE_VERSION}"
    drawn = synthetic.write_data_root(
        pathlib.Path(cache) / "synthetic" / name, **recipe
    )
    return _join(drawn, root, cache) if beside else drawn


def _join(drawn, root, cache):
    """Makes one data root of two: a folder of links to their datasets."""
    links = {}
    if root != SYNTHETIC:
        root = pathlib.Path(root)
        links = {name: root / name for name in folder.datasets_in(root)}
    for flavour, name in synthetic.DATASETS.items():
        if (drawn / name).is_dir():
            links[flavour] = drawn / name
    links = {name: str(path.resolve()) for name, path in links.items()}
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
        # Another process was faster; its links are the same.
        if not joined.is_dir():
            raise
    return joined


def choose_datasets(root, shares):
    """Keeps the datasets that the root has.

    A root may have one dataset where the config names two; the others' shares
    then make the whole. It is said, since it may be a misspelling.

    Args:
      root: the data root.
      shares: dict from dataset to share.

    Returns:
      The part of `shares` whose folders exist.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: none of the datasets is there.
    """
    there = folder.datasets_in(root)
    chosen = {name: share for name, share in shares.items() if name in there}
    if not chosen:
        raise ValueError(
            f"{root}: none of {', '.join(shares)} is a folder there with "
            "images/ and masks/"
            + (f"; there are {', '.join(there)}" if there else "")
            + " (--config.data.datasets=NAME:SHARE,... names others)"
        )
    missing = sorted(shares.keys() - chosen.keys())
    if missing:
        logging.warning(
            "%s has no dataset %s: drawing from %s alone.",
            *(root, ", ".join(missing), ", ".join(chosen)),
        )
    unused = sorted(set(there) - shares.keys())
    if unused:
        logging.info(
            "Not used (not in config.data.datasets): %s", ", ".join(unused)
        )
    return chosen
