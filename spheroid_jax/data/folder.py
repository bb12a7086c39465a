"""A data root on disk: what is there, what is wrong with it, its samples.

    ROOT/dataset1/images/a.tif    any name, format and size `images` reads
    ROOT/dataset1/masks/a.png     the same stem; 0 and one other value
    ROOT/dataset1/groups.csv      optional: stem,group
    ROOT/dataset2/...

Files of other kinds are passed over.
"""

import concurrent.futures
import csv
import hashlib
import os
import pathlib
from typing import NamedTuple

import numpy as np

from spheroid_jax import images
from spheroid_jax.errors import UserError

_BATCH = 64
_MOST_PROBLEMS = 20


class DataRootError(UserError, ValueError):
    """All that is wrong with a data root, one line a problem."""

    def __init__(self, root, problems):
        """Keeps `problems`; the message shows the first twenty."""
        self.problems = list(problems)
        shown = self.problems[:_MOST_PROBLEMS]
        if len(self.problems) > len(shown):
            shown.append(f"and {len(self.problems) - len(shown)} more")
        count = len(self.problems)
        head = f"{root}: {count} problem{'s' * (count > 1)} in the data root:"
        super().__init__("\n  ".join([head, *shown]))


class Pair(NamedTuple):
    """An image with its mask."""

    dataset: str
    stem: str
    image: pathlib.Path
    mask: pathlib.Path
    group: str


class Sample(NamedTuple):
    """A pair on the grid.

    Attributes:
      image: (S, S), float32 in [0, 1].
      label: (S, S), uint8: `images.BACKGROUND`, `FOREGROUND`, `OUTSIDE`.
      digest: SHA-256 of both files' bytes.
    """

    image: np.ndarray
    label: np.ndarray
    digest: str


def datasets_in(root):
    """Names of the folders under `root` that hold `images` and `masks`."""
    root = pathlib.Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    return sorted(
        folder.name
        for folder in root.iterdir()
        if (folder / "images").is_dir() and (folder / "masks").is_dir()
    )


def find_pairs(root, datasets):
    """Pairs images with masks by stem.

    Args:
      root: the data root.
      datasets: names of folders under it.

    Returns:
      pairs, in the order of `datasets` and sorted by stem, and a list of
      problems found.
    """
    pairs, problems = [], []
    for dataset in datasets:
        # Messages name the files themselves, not a link to their folder.
        folder = (pathlib.Path(root) / dataset).resolve()
        found, repeated = by_stem(folder / "images")
        masks, more = by_stem(folder / "masks")
        problems += repeated + more
        if not found and not masks:
            problems.append(f"{folder / 'images'}: no images")
        problems += [
            f"{found[stem]}: no mask {folder / 'masks' / stem}.*"
            for stem in sorted(found.keys() - masks.keys())
        ]
        problems += [
            f"{masks[stem]}: no image {folder / 'images' / stem}.*"
            for stem in sorted(masks.keys() - found.keys())
        ]
        groups, wrong = _groups(folder / "groups.csv")
        problems += wrong
        # A name with its suffix would split a group without a word.
        named = [name for name in groups if pathlib.Path(name).stem in found]
        wrong = sorted(set(named) - found.keys())
        if wrong:
            problems.append(
                f"{folder / 'groups.csv'}: stems have no suffix: "
                + ", ".join(wrong[:3])
                + (", ..." if len(wrong) > 3 else "")
            )
        pairs += [
            Pair(dataset, stem, found[stem], masks[stem], groups.get(stem, stem))
            for stem in sorted(found.keys() & masks.keys())
        ]
    return pairs, problems


def read_samples(root, pairs, size, problems=()):
    """Reads all pairs, in order, several at a time.

    Args:
      root: the data root, for messages.
      pairs: of `find_pairs`.
      size: the grid's side in pixels.
      problems: those that `find_pairs` found.

    Yields:
      (pair, `Sample`) for each pair that can be read.

    Raises:
      DataRootError: after the last pair, naming everything that is wrong.
    """
    problems = list(problems)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # In batches, so that few images are in memory at once.
        for start in range(0, len(pairs), _BATCH):
            batch = pairs[start : start + _BATCH]
            jobs = [pool.submit(_read_sample, pair, size) for pair in batch]
            for pair, job in zip(batch, jobs, strict=True):
                sample, wrong = job.result()
                problems += wrong
                if sample is not None:
                    yield pair, sample
    if problems:
        raise DataRootError(root, problems)


def fingerprint(pairs, size):
    """A short hash that changes with the files' names, sizes and times."""
    digest = hashlib.sha256(f"size {size}\n".encode())
    for pair in pairs:
        for path in (pair.image, pair.mask):
            stat = path.stat()
            digest.update(
                f"{pair.dataset}/{path.parent.name}/{path.name} "
                f"{stat.st_size} {stat.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()[:16]


def _read_sample(pair, size):
    """Returns a pair's `Sample` or None, and what is wrong with its files."""
    problems = []
    try:
        gray = images.read_gray(pair.image)
    except (images.ImageError, OSError) as error:
        problems.append(str(error))
    try:
        mask = images.read_mask(pair.mask)
    except (images.ImageError, OSError) as error:
        problems.append(str(error))
    if not problems and mask.shape != gray.shape:
        problems.append(
            f"{pair.mask}: {mask.shape[1]} x {mask.shape[0]} px, and its image "
            f"has {gray.shape[1]} x {gray.shape[0]}"
        )
    if problems:
        return None, problems
    digest = hashlib.sha256(pair.image.read_bytes())
    digest.update(pair.mask.read_bytes())
    grid, _ = images.to_grid(gray, size)
    label = images.mask_to_grid(mask, size)
    return Sample(grid, label, digest.hexdigest()), []


def by_stem(folder):
    """Maps stems to image files; files of other kinds are passed over.

    Returns:
      dict from stem to path, and a list of problems found.
    """
    paths, problems = {}, []
    if not folder.is_dir():
        return {}, [f"{folder}: no such folder"]
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix.lower() not in images.SUFFIXES:
            continue
        if path.stem in paths:
            problems.append(f"{path}: same stem as {paths[path.stem].name}")
        else:
            paths[path.stem] = path
    return paths, problems


def _groups(path):
    """Reads `groups.csv`; an image it does not name is its own group."""
    if not path.is_file():
        return {}, []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        return {row["stem"].strip(): row["group"].strip() for row in rows}, []
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error):
        return {}, [f"{path}: expected lines of stem,group under that heading"]
