"""Assembles accepted proposals into a dataset of a data root.

ROOT/DATASET/images, masks    what `data.folder` reads
ROOT/DATASET/methods.csv      stem,method,agreement,source
"""

import pathlib
import shutil
from typing import NamedTuple

from spheroid_jax import images
from spheroid_jax.inference import conventional
from spheroid_jax.runtime import files
from spheroid_jax.truth import propose, table

METHODS_NAME = "methods.csv"
_COLUMNS = ("stem", "method", "agreement", "source")
# Written as a method, it says that a person has drawn or corrected the mask.
MANUAL = "manual"


class Plan(NamedTuple):
    """What is to be done with each row: lists of rows."""

    accepted: list
    rejected: list
    undecided: list
    present: list


def plan(proposals, folder):
    """Sorts the rows by their decision, and checks them; writes nothing.

    Args:
      proposals: the folder that `propose` wrote.
      folder: the dataset's folder, which need not exist.

    Returns:
      `Plan`; an accepted row whose image and mask are in the folder already
      is `present`.

    Raises:
      FileNotFoundError: no table of proposals.
      TableError: a word, a method or a file that is not as it should be.
      ValueError: not such a table.
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
                raise table.TableError("a second row of this stem")
            seen.add(stem)
            _place(row, planned, proposals, there)
        except table.TableError as error:
            problems.append(f"{path}: {stem or row['stem']}: {error}")
    if problems:
        raise table.TableError("\n".join(problems))
    return planned


def add(row, proposals, folder):
    """Adds an accepted image and its mask to the dataset.

    The mask comes last: without it the pair is not there, and is added again.

    Args:
      row: of `Plan.accepted`.
      proposals: the folder that `propose` wrote.
      folder: the dataset's folder.

    Raises:
      OSError, images.ImageError: a file cannot be used.
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
    """Puts a row into one of the plan's lists."""
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
            f"no method {row['method']!r}: one of {', '.join(conventional.METHODS)}, {MANUAL}"
        )
    image, mask = row["image"], _mask_path(proposals, row["image"])
    if not pathlib.Path(image).is_file():
        raise table.TableError(f"no image {image}")
    if not _computed_anew(row) and not mask.is_file():
        raise table.TableError(f"no mask {mask}")


def _is_present(row, there):
    """Whether the pair is in the dataset; another image's name is a clash."""
    image, stem = pathlib.Path(row["image"]), table.stem(row)
    old, mask = there["images"].get(stem), there["masks"].get(stem)
    if old is None and mask is None:
        return False
    if old is None or old.read_bytes() != image.read_bytes():
        raise table.TableError(f"{old or mask} is there already, of another image")
    return mask is not None


def _computed_anew(row):
    return row["method"] not in (row["proposed"], MANUAL)


def _mask(row, proposals, gray):
    if _computed_anew(row):
        return conventional.segment(gray, row["method"])
    path = _mask_path(proposals, row["image"])
    mask = images.read_mask(path)
    if mask.shape != gray.shape:
        raise images.ImageError(
            f"{path}: {mask.shape[1]} x {mask.shape[0]} px, and its image has "
            f"{gray.shape[1]} x {gray.shape[0]}"
        )
    return mask


def _mask_path(folder, image):
    return pathlib.Path(folder) / "masks" / f"{pathlib.Path(image).stem}.png"


def _by_stem(folder, kind):
    folder = pathlib.Path(folder) / kind
    found = propose.images_in(folder) if folder.is_dir() else []
    return {path.stem: path for path in found}
