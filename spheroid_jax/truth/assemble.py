"""Datasets made of accepted proposals.

A dataset is a folder of a data root:

ROOT/DATASET/images, masks    image and mask files, as `data.folder` reads them
ROOT/DATASET/methods.csv      how each mask was made: stem,method,agreement,source
"""

import os
import pathlib
import shutil
from typing import NamedTuple

from spheroid_jax import images
from spheroid_jax.inference import conventional
from spheroid_jax.runtime import files
from spheroid_jax.truth import propose, table

METHODS_NAME = "methods.csv"
_COLUMNS = ("stem", "method", "agreement", "source")
# As a row's method, this word means that a person has drawn or corrected the mask.
MANUAL = "manual"


class Plan(NamedTuple):
    """The rows of a table of proposals, sorted by what has to be done.

    Attributes:
      accepted: rows whose image and mask have to be added to the dataset.
      rejected: rows that a person has rejected.
      undecided: rows without a decision.
      present: accepted rows whose image and mask are in the dataset already.
    """

    accepted: list
    rejected: list
    undecided: list
    present: list


def plan(proposals: str | os.PathLike, folder: str | os.PathLike) -> Plan:
    """Checks all rows of a table of proposals, and sorts them by decision; writes nothing.

    Args:
      proposals: the folder with the proposals.
      folder: the dataset's folder, which need not exist.

    Raises:
      FileNotFoundError: there is no table of proposals.
      TableError: a table cannot be read, or a row has an unknown decision or method, lacks a file,
        or has the stem of another image.
    """
    path = pathlib.Path(proposals) / table.NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `propose` writes it")
    if (pathlib.Path(folder) / METHODS_NAME).exists():
        table.read(pathlib.Path(folder) / METHODS_NAME, _COLUMNS)
    there = {kind: _by_stem(folder, kind) for kind in ("images", "masks")}
    planned, problems, seen = Plan([], [], [], []), [], set()
    for row in table.read(path).rows:
        stem = table.stem(row)
        try:
            if stem in seen:
                raise table.TableError("an earlier row has the same stem")
            seen.add(stem)
            _place(row, planned, proposals, there)
        except table.TableError as error:
            problems.append(f"{path}: {stem or row['stem']}: {error}")
    if problems:
        raise table.TableError("\n".join(problems))
    return planned


def add(row: dict, proposals: str | os.PathLike, folder: str | os.PathLike):
    """Adds an accepted image and its mask to the dataset.

    The mask is written last. An image without its mask does not count as present, so that an
    interrupted call is done again.

    Args:
      row: one of `Plan.accepted`.
      proposals: the folder with the proposals.
      folder: the dataset's folder.

    Raises:
      OSError: a file cannot be read or written.
      ImageError: the image or the mask cannot be used.
    """
    folder, image = pathlib.Path(folder), pathlib.Path(row["image"])
    gray = images.read_gray(image)
    mask = _mask(row, proposals, gray)
    with open(image, "rb") as source, files.replacing(folder / "images" / image.name, "wb") as copy:
        shutil.copyfileobj(source, copy)
    entry = {
        "stem": image.stem,
        "method": row["method"],
        "agreement": f"{conventional.edge_agreement(gray, mask):.3f}",
        "source": "manual" if row["method"] == MANUAL else "semi-automatic",
    }
    table.put(folder / METHODS_NAME, entry, _COLUMNS, key="stem")
    with files.replacing(_mask_path(folder, image), "wb") as file:
        images.write_mask(file, mask)


def _place(row, planned, proposals, there):
    """Checks a row, and appends it to one of the plan's lists."""
    decision = row["decision"].lower()
    if decision == table.UNDECIDED:
        planned.undecided.append(row)
    elif decision == table.REJECT:
        planned.rejected.append(row)
    elif decision == table.ACCEPT:
        _check_accepted(row, proposals)
        known = _is_present(row, there)
        (planned.present if known else planned.accepted).append(row)
    else:
        raise table.TableError(
            f"decision {row['decision']!r}; expected {table.ACCEPT}, {table.REJECT} or nothing"
        )


def _check_accepted(row, proposals):
    if row["method"] not in (*conventional.METHODS, MANUAL):
        raise table.TableError(
            f"no method {row['method']!r}; choose one of {', '.join(conventional.METHODS)}, "
            f"{MANUAL}"
        )
    image, mask = row["image"], _mask_path(proposals, row["image"])
    if not pathlib.Path(image).is_file():
        raise table.TableError(f"no image {image}")
    if not _needs_segmentation(row) and not mask.is_file():
        raise table.TableError(f"no mask {mask}")


def _is_present(row, there):
    """Returns whether image and mask are in the dataset.

    Raises:
      TableError: the dataset has another image with the same stem.
    """
    image, stem = pathlib.Path(row["image"]), table.stem(row)
    old, mask = there["images"].get(stem), there["masks"].get(stem)
    if old is None and mask is None:
        return False
    if old is None or old.read_bytes() != image.read_bytes():
        raise table.TableError(f"{old or mask} exists already and belongs to another image")
    return mask is not None


def _needs_segmentation(row):
    """Returns whether a person has chosen another method than the one of the proposed mask."""
    return row["method"] not in (row["proposed"], MANUAL)


def _mask(row, proposals, gray):
    """Returns the accepted mask: of the chosen method, or from the folder of the proposals."""
    if _needs_segmentation(row):
        return conventional.segment(gray, row["method"])
    path = _mask_path(proposals, row["image"])
    mask = images.read_mask(path)
    if mask.shape != gray.shape:
        raise images.ImageError(
            f"{path}: the mask has {mask.shape[1]} x {mask.shape[0]} px, but its image has "
            f"{gray.shape[1]} x {gray.shape[0]} px"
        )
    return mask


def _mask_path(folder, image):
    return pathlib.Path(folder) / "masks" / f"{pathlib.Path(image).stem}.png"


def _by_stem(folder, kind):
    folder = pathlib.Path(folder) / kind
    found = propose.images_in(folder) if folder.is_dir() else []
    return {path.stem: path for path in found}
