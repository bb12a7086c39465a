"""Where the images come from: a folder of the user's, or synthetic ones."""

import pathlib

from absl import logging

from spheroid_jax.data import folder, synthetic

SYNTHETIC = "synthetic"


def open_root(root, cache, recipe):
    """Returns the data root, drawing the synthetic one if that is named.

    Args:
      root: a folder, or `SYNTHETIC`.
      cache: folder for the synthetic images.
      recipe: keyword arguments of `synthetic.write_data_root`.
    """
    if root != SYNTHETIC:
        return pathlib.Path(root)
    name = "-".join(f"{key}{value}" for key, value in sorted(recipe.items()))
    name += f"-v{synthetic.RECIPE_VERSION}"
    return synthetic.write_data_root(
        pathlib.Path(cache) / "synthetic" / name, **recipe
    )


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
