"""The sets of real images that a model is measured on, by laboratory.

DIR is a folder with one dataset per set: images/, masks/ or labels/, perhaps groups.csv. Its name,
its place below DIR, and what may be done with it are in `SETS`.
"""

import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from spheroid_jax.data import folder
from spheroid_jax.errors import UserError


class SetError(UserError, ValueError):
    """A folder without the sets of images that are to be measured."""


class Set(NamedTuple):
    """One set of real images.

    Attributes:
      name: the set's name in tables.
      place: its folder below DIR.
      lab: laboratory, of which a training without this set must leave out all sets.
      many: whether the frames hold many bodies, which are scored as instances.
      trains: whether the licence allows training weights that are shipped.
      group: function from a stem to a group, for a set without groups.csv whose images belong
        together; None otherwise.
    """

    name: str
    place: str
    lab: str
    many: bool = False
    trains: bool = False
    group: Callable[[str], str] | None = None


def _dish(stem):
    """Fly embryos are named test_DISH-NUMBER or valid_DISH-NUMBER."""
    return stem.split("_")[-1].split("-")[0]


SETS = (
    Set("dataset1", "dataset1", "dataset1", trains=True),
    Set("dataset2", "dataset2", "dataset2"),
    Set("brain-organoid", "unseen/brain-organoid", "brain-organoid"),
    Set("gastruloid", "unseen/gastruloid", "gastruloid"),
    Set("imaginal-disc", "unseen/imaginal-disc", "imaginal-disc", trains=True),
    Set("spheroscan", "unseen/spheroscan", "spheroscan"),
    Set("ipsc-crops", "training/ipsc-crops", "ipsc", trains=True),
    Set("tumour-tiles", "training/tumour-tiles", "tumour-tiles", trains=True),
    Set(
        *("mcf7-collagen", "training/mcf7-collagen", "mcf7-collagen"),
        trains=True,
        group=lambda stem: "mcf7-collagen",  # one specimen
    ),
    Set("ipsc-frames", "training/ipsc-frames", "ipsc", many=True, trains=True),
    Set("neurospheres", "training/neurospheres", "neurospheres", many=True, trains=True),
    Set("orgaquant", "visible/orgaquant", "orgaquant", many=True),
    Set("fly-embryos", "visible/fly-embryos", "fly-embryos", many=True, group=_dish),
)
ONE_BODY = tuple(each for each in SETS if not each.many)
MANY = tuple(each for each in SETS if each.many)
# Laboratories that may train.
LABS = tuple(dict.fromkeys(each.lab for each in SETS if each.trains))


def present(data: pathlib.Path, wanted: Sequence[Set]) -> list[Set]:
    """Returns those sets that a folder has, and names the others on stderr.

    Raises:
      SetError: the folder has none of them.
    """
    there = [each for each in wanted if (data / each.place / "images").is_dir()]
    missing = [each.place for each in wanted if each not in there]
    if not there:
        raise SetError(f"{data}: none of the folders {', '.join(missing)} is there")
    if missing:
        print(f"{data}: no {', '.join(missing)}; left out", file=sys.stderr)
    return there


def pairs(data: pathlib.Path, of: Set, every: int = 1) -> list[folder.Pair]:
    """Lists every n-th image of a set with its truth: labels where there are some, else masks.

    Raises:
      folder.DataRootError: the set has problems; the message names all of them.
    """
    place = data / of.place
    found, problems = folder.find_pairs(place.parent, [place.name])
    labels, wrong = folder.by_stem(place / "labels") if (place / "labels").is_dir() else ({}, [])
    problems += wrong
    if problems:
        raise folder.DataRootError(place, problems)
    return [
        pair._replace(
            dataset=of.name,
            mask=labels.get(pair.stem, pair.mask),
            group=of.group(pair.stem) if of.group else pair.group,
        )
        for pair in found[::every]
    ]
