"""Crops of real images at random zoom: training data in which bodies have any size in the frame.

    CROPPED/images/a.png             link to the whole image
    CROPPED/images/a__crop_003.png   a square cut out of image a, or what the frame holds of it,
                                     normalised by its own percentiles as in inference
    CROPPED/masks/...                label images of the same
    CROPPED/groups.csv               each crop is in the group of its image

Crop n of an image depends only on the image's name, n and the seed.
"""

import concurrent.futures
import csv
import hashlib
import os
import pathlib
import shutil
import tempfile
import zlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer

from spheroid_jax import images
from spheroid_jax.data import folder
from spheroid_jax.synthetic import windows

# Must be raised whenever the crops change.
_VERSION = 2
# Share of the crops that are the whole image, so that its many bodies are seen together.
_WHOLE = 0.25
# How often a crop is drawn anew where it has one gray level.
_MOST_TRIES = 50
# A crop is not enlarged by more than this.
_MOST_ENLARGED = 2.0


class Recipe(NamedTuple):
    """How crops are cut.

    Attributes:
      count: number of crops per dataset, divided among its images.
      size: longer side of a crop as it is stored, in pixels.
      seed: number of the collection of crops.
    """

    count: int
    size: int
    seed: int = 0


def cropped(dataset: pathlib.Path, recipe: Recipe, cache: pathlib.Path) -> pathlib.Path:
    """Returns a folder with the images of a dataset and crops of them; makes it if need be.

    Args:
      dataset: a folder with images/ and masks/; masks may be label images.
      recipe: how crops are cut.
      cache: folder of the user's prepared data.

    Raises:
      folder.DataRootError: the dataset has problems; the message names all of them.
    """
    pairs, problems = folder.find_pairs(dataset.parent, [dataset.name])
    if problems:
        raise folder.DataRootError(dataset, problems)
    key = hashlib.sha256(
        f"{dataset.resolve()} {folder.fingerprint(pairs, 0)} {recipe} {_VERSION}".encode()
    ).hexdigest()
    target = cache / "crops" / f"{dataset.name}-{key[:16]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(dir=target.parent))
    try:
        _write(partial, pairs, recipe)
        os.replace(partial, target)
    except OSError:
        # Another process has made the same crops in the meantime.
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def cut(
    labels: Integer[np.ndarray, "H W"], rng: np.random.Generator, least_px: float
) -> tuple[slice, ...]:
    """Draws the place of a crop.

    Args:
      labels: the bodies of the whole image.
      rng: generator.
      least_px: smallest side of a crop, in pixels of the image.

    Returns:
      The slices of rows and columns, inside the image.
    """
    if rng.random() < _WHOLE:
        return tuple(slice(0, side) for side in labels.shape)
    return windows.draw_window(labels, rng, least_px)


def _cut_visible(gray, labels, rng, least_px):
    """Draws the place of a crop that is not of one gray level; the whole image if need be."""
    for _ in range(_MOST_TRIES):
        place = cut(labels, rng, least_px)
        if np.ptp(gray[place]) > 0:
            return place
    return (slice(None), slice(None))


def _write(target, pairs, recipe):
    """Writes links to the images, their crops, and the table of groups."""
    for name in ("images", "masks"):
        (target / name).mkdir()
    counts = [len(part) for part in np.array_split(np.arange(recipe.count), len(pairs))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(_write_pair, target, pair, count, recipe)
            for pair, count in zip(pairs, counts, strict=True)
        ]
        rows = [row for job in jobs for row in job.result()]
    with open(target / "groups.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("stem", "group"), *rows])


def _write_pair(target, pair, count, recipe):
    """Writes what belongs to one image; returns rows of stem and group."""
    for name, path in (("images", pair.image), ("masks", pair.mask)):
        (target / name / path.name).symlink_to(path.resolve())
    gray = images.to_gray(images.read_image(pair.image))
    labels = folder.read_bodies(pair.mask)
    rows = [(pair.stem, pair.group)]
    for number in range(count):
        rng = np.random.default_rng([recipe.seed, zlib.crc32(pair.stem.encode()), number])
        place = _cut_visible(gray, labels, rng, recipe.size / _MOST_ENLARGED)
        stem = f"{pair.stem}__crop_{number:03}"
        box = images.grid_box(gray[place].shape, recipe.size)
        crop = images.resample(images.normalise(gray[place]), (box.height, box.width))
        images.write_gray(target / "images" / f"{stem}.png", np.rint(255 * crop).astype(np.uint8))
        bodies = images.nearest(labels[place], (box.height, box.width))
        _, numbers = np.unique(np.append(bodies.ravel(), 0), return_inverse=True)
        images.write_gray(
            target / "masks" / f"{stem}.png",
            numbers[:-1]
            .reshape(bodies.shape)
            .astype(np.uint8 if numbers.max() < 256 else np.uint16),
        )
        rows.append((stem, pair.group))
    return rows
