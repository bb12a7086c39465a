"""Data root of the packaged model's training, assembled from the laboratories that may train.

    python -m benchmarks.training_root --data DIR --out ROOT
    python -m benchmarks.training_root --data DIR --out ROOT --without tumour-tiles

DIR is a folder as `benchmarks.sets` describes it. ROOT gets links to the images and masks of DIR,
so it takes no space and breaks when DIR moves. --without leaves out all images of one laboratory.

A dataset of fewer than six groups has no six partitions, so the sets neurospheres, mcf7-collagen
and no-body share the dataset "few". The images of no-body have empty masks.
"""

import argparse
import csv
import os
import pathlib
import shutil
import sys
import tempfile

import numpy as np

from benchmarks import sets
from spheroid_jax import images
from spheroid_jax.commands import failures
from spheroid_jax.data import folder, partitions
from spheroid_jax.errors import UserError
from spheroid_jax.runtime import files

NAME = "python -m benchmarks.training_root"
FEW = "few"
_SHARED = ("neurospheres", "mcf7-collagen")
_NO_BODY = "training/no-body"
# The laboratories of the images without a body, by the beginning of their names.
_NO_BODY_LABS = {"a673": "dataset1", "a_s": "tumour-tiles"}


class RootError(UserError, ValueError):
    """A training root that cannot be assembled; the message says why."""


def main(arguments=None):
    """Assembles a root; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _run, given)


def _run(given):
    counts = assemble(given.data, given.out, without=given.without)
    for name, count in counts.items():
        print(f"{name}: {count} images")


def assemble(
    data: pathlib.Path, out: pathlib.Path, *, without: str | None = None
) -> dict[str, int]:
    """Makes a data root of links; the folder gets its name only when it is complete.

    Args:
      data: folder with the sets of images.
      out: the root to make.
      without: a laboratory that is left out; None for none.

    Returns:
      The number of images of each dataset.

    Raises:
      RootError: there is no such laboratory, or `out` exists.
      sets.SetError: no set is there.
      folder.DataRootError: a set has problems.
    """
    if without is not None and without not in sets.LABS:
        raise RootError(f"{without}: no laboratory; there are {', '.join(sets.LABS)}")
    if out.exists():
        raise RootError(f"{out} exists; name another folder, or remove it")
    data = data.resolve()
    training = [each for each in sets.SETS if each.trains and each.lab != without]
    there = sets.present(data, training)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        counts = {}
        for each in there:
            if each.name not in _SHARED:
                counts[each.name] = _link_dataset(data, each, partial / each.name)
        shared = [each for each in there if each.name in _SHARED]
        few = _shared_pairs(data, shared) + _no_body(data, without)
        if few:
            counts[FEW] = _link_few(few, partial / FEW)
        os.replace(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return counts


def _link_dataset(data, each, target):
    """Links one set as a dataset; returns its number of images."""
    found = sets.pairs(data, each)  # Checks the set.
    source = data / each.place
    if (source / "labels").is_dir():
        target.mkdir()
        (target / "images").symlink_to(source / "images")
        (target / "masks").symlink_to(source / "labels")
        if (source / "groups.csv").exists():
            (target / "groups.csv").symlink_to(source / "groups.csv")
    else:
        target.symlink_to(source)
    return len(found)


def _shared_pairs(data, shared):
    """Lists name, image, mask and group of the images of small sets."""
    return [
        (
            f"{each.name}_{pair.stem}",
            pair.image,
            pair.mask,
            pair.group if each.group else f"{each.name}_{pair.group}",
        )
        for each in shared
        for pair in sets.pairs(data, each)
    ]


def _no_body(data, without):
    """Lists name, image, None and group of the images without a body."""
    place = data / _NO_BODY
    if not (place / "images").is_dir():
        print(f"{data}: no {_NO_BODY}; left out", file=sys.stderr)
        return []
    found, problems = folder.by_stem(place / "images")
    if problems:
        raise folder.DataRootError(place, problems)
    return [
        (f"no-body_{stem}", path, None, f"no-body_{stem}")
        for stem, path in found.items()
        if without is None or lab_of(stem) != without
    ]


def lab_of(stem: str) -> str:
    """Returns the laboratory of an image without a body.

    Raises:
      RootError: the image is of none that is known, so it cannot be left out with its laboratory.
    """
    for beginning, lab in _NO_BODY_LABS.items():
        if stem.startswith(beginning):
            return lab
    raise RootError(f"{_NO_BODY}: {stem} is of no known laboratory ({', '.join(_NO_BODY_LABS)})")


def _link_few(few, target):
    """Links images of several sets as one dataset; returns their number."""
    for kind in ("images", "masks"):
        (target / kind).mkdir(parents=True)
    groups = {name: group for name, _, _, group in few}
    if len(set(groups.values())) < partitions.PARTITIONS:
        print(
            f"{FEW}: fewer than {partitions.PARTITIONS} groups, so each image is its own group",
            file=sys.stderr,
        )
        groups = {name: name for name in groups}
    for name, image, mask, _ in few:
        (target / "images" / f"{name}{image.suffix}").symlink_to(image)
        place = target / "masks" / f"{name}{'.png' if mask is None else mask.suffix}"
        if mask is None:
            images.write_mask(place, np.zeros(images.read_gray(image).shape, bool))
        else:
            place.symlink_to(mask)
    with files.replacing(target / "groups.csv") as file:
        csv.writer(file).writerows([("stem", "group"), *groups.items()])
    return len(few)


def _parser():
    parser = argparse.ArgumentParser(prog=NAME, description=str(__doc__).split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="ROOT")
    parser.add_argument("--without", choices=sets.LABS, metavar="LAB", help=", ".join(sets.LABS))
    return parser


if __name__ == "__main__":
    sys.exit(main())
