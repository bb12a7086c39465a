"""Proposals of masks, and contact sheets that show the proposals to a person.

The folder of the proposals has these files:

OUTPUT/masks/STEM.png    proposed mask, with the size of its image
OUTPUT/proposals.csv     one row per image, see `table`
OUTPUT/sheet_1.png ...   contact sheets with thirty proposals each
"""

import os
import pathlib
from collections.abc import Iterable

from spheroid_jax import images
from spheroid_jax.errors import UserError
from spheroid_jax.inference import conventional
from spheroid_jax.report import figures
from spheroid_jax.runtime import files
from spheroid_jax.truth import table

_TILES_PER_SHEET = 30


class ProposalsError(UserError, ValueError):
    """Raised if no masks can be proposed for the given files and folders."""


def images_in(folder: str | os.PathLike) -> list[pathlib.Path]:
    """Lists the image files in a folder, sorted by name, without hidden files."""
    return [
        path
        for path in sorted(pathlib.Path(folder).iterdir())
        if path.suffix.lower() in images.SUFFIXES and not path.name.startswith(".")
    ]


def find_images(
    given: Iterable[str | os.PathLike], output: str | os.PathLike
) -> list[pathlib.Path]:
    """Finds the image files that files and folders stand for.

    Args:
      given: paths of image files, and of folders with image files.
      output: the folder of the proposals.

    Returns:
      Absolute paths of the image files.

    Raises:
      ProposalsError: a folder has no images, a folder is the folder of the proposals, or two images
        have the same stem.
    """
    output, paths = pathlib.Path(output).resolve(), []
    for path in map(pathlib.Path, given):
        found = images_in(path) if path.is_dir() else [path]
        if not found:
            raise ProposalsError(f"{path}: no images in this folder")
        if path.resolve() in (output, output / "masks"):
            raise ProposalsError(f"{path}: holds proposals; choose another --output")
        paths += [image.resolve() for image in found]
    paths = list(dict.fromkeys(paths))
    _check_stems(paths, output)
    return paths


def add(path: pathlib.Path, output: str | os.PathLike):
    """Proposes a mask for one image, unless the image has a proposal already.

    Existing rows and masks are never changed, so that running the command again does not destroy a
    person's work. If only the mask is missing, the method that proposed it makes it again.

    Args:
      path: absolute path of the image.
      output: the folder of the proposals.

    Raises:
      OSError: a file cannot be read or written.
      ImageError: the image cannot be used.
      TableError: the table cannot be used.
    """
    row = {table.stem(row): row for row in _rows(output)}.get(path.stem)
    mask_path = _mask_path(output, path)
    if row is not None:
        if not mask_path.exists():
            gray = images.read_gray(path)
            mask = conventional.segment(gray, row["proposed"])
            _write_mask(mask_path, mask)
        return
    proposal = conventional.propose(images.read_gray(path))
    _write_mask(mask_path, proposal.mask)
    row = {
        "stem": path.stem,
        "image": str(path),
        "method": proposal.method,
        "agreement": f"{proposal.agreement:.3f}",
        "decision": table.UNDECIDED,
        "proposed": proposal.method,
    }
    table.put(pathlib.Path(output) / table.NAME, row)


def draw_sheets(output: str | os.PathLike) -> list[str]:
    """Draws the contact sheets of all proposals, and removes sheets that are no longer needed.

    Args:
      output: the folder of the proposals.

    Returns:
      One message per proposal that could not be drawn.
    """
    output = pathlib.Path(output)
    rows, problems, sheets = _rows(output), [], []
    for start in range(0, len(rows), _TILES_PER_SHEET):
        tiles = []
        for row in rows[start : start + _TILES_PER_SHEET]:
            try:
                tiles.append(_tile(output, row))
            except (OSError, images.ImageError) as error:
                problems.append(str(error))
        if tiles:
            sheets.append(output / f"sheet_{len(sheets) + 1}.png")
            figures.contact_sheet(sheets[-1], tiles)
    for path in output.glob("sheet_*.png"):
        if path not in sheets:
            path.unlink()
    return problems


def _rows(output):
    path = pathlib.Path(output) / table.NAME
    return table.read(path).rows if path.exists() else []


def _check_stems(paths, output):
    """Raises an error if two images of this run or of earlier runs would share a mask file."""
    claimed = {table.stem(row): pathlib.Path(row["image"]) for row in _rows(output)}
    for path in paths:
        other = claimed.setdefault(path.stem, path)
        if other != path:
            raise ProposalsError(
                f"{path}: same stem as {other}; rename one, or choose another --output"
            )


def _write_mask(path, mask):
    with files.replacing(path, "wb") as file:
        images.write_mask(file, mask)


def _mask_path(output, image):
    return pathlib.Path(output) / "masks" / f"{pathlib.Path(image).stem}.png"


def _tile(output, row):
    return figures.tile(
        table.stem(row),
        f"{row['proposed']} {row['agreement']} {row['decision']}",
        images.read_gray(row["image"]),
        images.read_mask(_mask_path(output, row["image"])),
    )
