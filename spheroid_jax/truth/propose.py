"""Proposes a mask for each image, and shows all of them to a person.

OUTPUT/masks/STEM.png    the proposed mask, at the image's own size
OUTPUT/proposals.csv     a row an image: `table`
OUTPUT/sheet_1.png ...   the proposals, thirty a sheet
"""

import pathlib

from spheroid_jax import images
from spheroid_jax.errors import UserError
from spheroid_jax.inference import conventional
from spheroid_jax.report import figures
from spheroid_jax.runtime import files
from spheroid_jax.truth import table

_TILES_A_SHEET = 30


class ProposalsError(UserError, ValueError):
    """Images that masks cannot be proposed for: none, of one name, or proposals themselves."""


def images_in(folder):
    """The image files in a folder, by name; hidden ones are passed over."""
    return [
        path
        for path in sorted(pathlib.Path(folder).iterdir())
        if path.suffix.lower() in images.SUFFIXES and not path.name.startswith(".")
    ]


def find_images(given, output):
    """Resolves files and folders to image files.

    Args:
      given: paths of files, and of folders, which stand for their images.
      output: the folder of the proposals.

    Returns:
      Absolute paths.

    Raises:
      ValueError: a folder without images, the output's own, or two images of
        one stem.
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


def add(path, output):
    """Proposes a mask for one image, unless that has been done.

    A row is never changed, and a mask that is there is not replaced, so that
    neither an interrupted run nor a repeated one loses a person's work.

    Args:
      path: the image's absolute path.
      output: the folder of the proposals.

    Raises:
      OSError, ValueError: the image or the table cannot be used.
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


def draw_sheets(output):
    """Draws all proposals, and removes sheets that are no longer needed.

    Returns:
      what could not be drawn, a line each.
    """
    output = pathlib.Path(output)
    rows, problems, sheets = _rows(output), [], []
    for start in range(0, len(rows), _TILES_A_SHEET):
        tiles = []
        for row in rows[start : start + _TILES_A_SHEET]:
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
    """Two images must not claim one mask, in this run or with an earlier."""
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
