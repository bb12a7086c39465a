"""Data roots on disk: finds, checks and reads pairs of an image and a mask.

    ROOT/dataset1/images/a.tif    image with any name, in any format and size that `images` reads
    ROOT/dataset1/masks/a.png     mask with the same stem; 0 for background and one other value, or
                                  for training with markers a number per body
    ROOT/dataset1/cores/a.png     optional mask of the dense cores of the bodies, with the same stem
                                  and a PNG; read in training with markers alone
    ROOT/dataset1/groups.csv      optional table with the columns stem,group
    ROOT/dataset2/...

Files of other kinds are ignored.
"""

import concurrent.futures
import csv
import hashlib
import os
import pathlib
from typing import NamedTuple

import numpy as np
from skimage import measure

from spheroid_jax import images
from spheroid_jax.errors import UserError

_BATCH = 64  # pairs read at the same time
_MOST_PROBLEMS = 20  # shown in one message


class DataRootError(UserError, ValueError):
    """The problems of a data root; the message has one line per problem."""

    def __init__(self, root, problems):
        """Keeps all problems; the message shows the first twenty."""
        self.problems = list(problems)
        shown = self.problems[:_MOST_PROBLEMS]
        if len(self.problems) > len(shown):
            shown.append(f"and {len(self.problems) - len(shown)} more")
        count = len(self.problems)
        head = f"{root}: {count} problem{'s' * (count > 1)} in the data root:"
        super().__init__("\n  ".join([head, *shown]))


class Pair(NamedTuple):
    """The files of an image and its mask.

    Attributes:
      dataset: name of a folder in the data root.
      stem: name of both files without the suffix.
      image: path of the image.
      mask: path of the mask.
      group: group given in groups.csv, such as a well; the stem where no group is given.
    """

    dataset: str
    stem: str
    image: pathlib.Path
    mask: pathlib.Path
    group: str

    @property
    def core(self) -> pathlib.Path | None:
        """Path of the mask of the bodies' dense cores; None where there is none."""
        path = self.mask.parent.with_name("cores") / f"{self.stem}.png"
        return path if path.is_file() else None

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """All its files."""
        return (self.image, self.mask) + ((self.core,) if self.core else ())


class Sample(NamedTuple):
    """An image and its mask on the grid.

    Attributes:
      image: (S, S), float32 in [0, 1].
      label: (S, S), uint8: `images.BACKGROUND`, `FOREGROUND`, `OUTSIDE`, `MARKER`,
        and the last but one with `CORE` added.
      digest: SHA-256 of the bytes of its files.
    """

    image: np.ndarray
    label: np.ndarray
    digest: str


def datasets_in(root):
    """Returns the names of the folders in `root` that hold `images` and `masks`, sorted."""
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
      list of `Pair`s, in the order of `datasets` and sorted by stem; and list of problems, one
      text per problem.
    """
    pairs, problems = [], []
    for dataset in datasets:
        # Messages must name the user's files, even if `root` holds links to their folders.
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
        # A name with its suffix would match no image, and so split a group silently.
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


def read_samples(root, pairs, size, problems=(), *, markers=False):
    """Reads all pairs in order, several at the same time.

    Args:
      root: the data root, named in messages.
      pairs: list of `Pair`s, as returned by `find_pairs`.
      size: side of the grid in pixels.
      problems: list of problems, as returned by `find_pairs`.
      markers: whether labels have the markers of the bodies. Masks may then be label images; each
        connected part of a mask of two values is a body.

    Yields:
      (`Pair`, `Sample`) for each pair that can be read.

    Raises:
      DataRootError: there is any problem; raised after the last pair, so that all are named.
    """
    problems = list(problems)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # Batches keep the number of images in memory small.
        for start in range(0, len(pairs), _BATCH):
            batch = pairs[start : start + _BATCH]
            jobs = [pool.submit(_read_sample, pair, size, markers) for pair in batch]
            for pair, job in zip(batch, jobs, strict=True):
                sample, wrong = job.result()
                problems += wrong
                if sample is not None:
                    yield pair, sample
    if problems:
        raise DataRootError(root, problems)


def fingerprint(pairs, size):
    """Returns a short hash of the names, sizes and times of all files, and of the grid's size."""
    digest = hashlib.sha256(f"size {size}\n".encode())
    for pair in pairs:
        for path in pair.files:
            stat = path.stat()
            digest.update(
                f"{pair.dataset}/{path.parent.name}/{path.name} "
                f"{stat.st_size} {stat.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()[:16]


def _read_sample(pair, size, markers):
    """Returns the `Sample` of a pair, or None, and a list of problems with its files."""
    problems = []
    try:
        gray = images.read_gray(pair.image)
    except (images.ImageError, OSError) as error:
        problems.append(str(error))
    try:
        mask = read_bodies(pair.mask) if markers else images.read_mask(pair.mask)
    except (images.ImageError, OSError) as error:
        problems.append(str(error))
    core = None
    if markers and pair.core:
        try:
            core = images.read_mask(pair.core)
        except (images.ImageError, OSError) as error:
            problems.append(str(error))
    if not problems:
        problems += [
            f"{path}: {found.shape[1]} x {found.shape[0]} px, and its image "
            f"has {gray.shape[1]} x {gray.shape[0]}"
            for path, found in ((pair.mask, mask), (pair.core, core))
            if found is not None and found.shape != gray.shape
        ]
    if problems:
        return None, problems
    digest = hashlib.sha256()
    for path in pair.files if markers else (pair.image, pair.mask):
        digest.update(path.read_bytes())
    grid, _ = images.to_grid(gray, size)
    label = images.labels_to_grid(mask, size, core) if markers else images.mask_to_grid(mask, size)
    return Sample(grid, label, digest.hexdigest()), []


def read_bodies(path):
    """Reads a label image; the parts of a mask of two values get the numbers 1, 2, ..."""
    labels = images.read_labels(path)
    if len(np.unique(labels)) > 2:
        return labels
    return measure.label(labels > 0, connectivity=2)


def by_stem(folder):
    """Finds the image files of a folder; files of other kinds are ignored.

    Returns:
      dict from stem to path; and list of problems, one text per problem.
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
    """Reads `groups.csv`; returns a dict from stem to group, and a list of problems."""
    if not path.is_file():
        return {}, []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        return {row["stem"].strip(): row["group"].strip() for row in rows}, []
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error):
        return {}, [f"{path}: expected a table with the columns stem,group"]
