"""Pictures of images with masks, as PNG: examples of a fold, contact sheets."""

import itertools
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Integer, Num
from matplotlib import figure

from spheroid_jax import images
from spheroid_jax.runtime import files

# Okabe and Ito's colour-blind safe blue and orange.
_PREDICTED, _TRUE = "#56b4e9", "#e69f00"
_SIDE_IN = 2.1
_TILE_PX = 240
_LINE = 28  # Characters that fit above a tile.


class Example(NamedTuple):
    """One image with its predicted and true masks, all (H, W) on the grid."""

    title: str
    image: np.ndarray
    probability: np.ndarray
    mask: np.ndarray
    truth: np.ndarray


def segmentations(path: str | pathlib.Path, examples: Sequence[Example]):
    """Draws one row per example: image, probability map, mask, truth.

    Args:
      path: the PNG file to write.
      examples: at least one `Example`.
    """
    picture = figure.Figure(
        figsize=(4 * _SIDE_IN, (_SIDE_IN + 0.25) * len(examples)), layout="constrained"
    )
    axes = picture.subplots(len(examples), 4, squeeze=False)
    for row, example in zip(axes, examples, strict=True):
        panels = (
            (example.title, example.image, None),
            ("probability", example.probability, None),
            ("mask", example.image, (example.mask, _PREDICTED)),
            ("truth", example.image, (example.truth, _TRUE)),
        )
        for axis, (title, background, outline) in zip(row, panels, strict=True):
            axis.imshow(background, cmap="gray", vmin=0, vmax=1)
            axis.set_axis_off()
            axis.set_title(title, fontsize=7)
            if outline is not None:
                _fill(axis, *outline)
    with files.replacing(path, "wb") as file:
        picture.savefig(file, dpi=110, format="png")


def _fill(axis, mask, colour):
    """Draws a mask's contour, and a light tint inside."""
    if mask.any():
        axis.contour(mask, levels=[0.5], colors=[colour], linewidths=1.4)
        axis.contourf(mask, levels=[0.5, 1.5], colors=[colour], alpha=0.18)


class Tile(NamedTuple):
    """One image of a contact sheet; all arrays are (H, W).

    Attributes:
      title: one or several lines of text.
      image: grayscale image in [0, 1].
      truth: true mask.
      prediction: predicted mask, or None.
    """

    title: str
    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray | None


def tile(
    name: str,
    note: str,
    gray: Num[np.ndarray, "H W"],
    truth: Bool[np.ndarray, "H W"] | Integer[np.ndarray, "H W"],
    prediction: Bool[np.ndarray, "H W"] | Integer[np.ndarray, "H W"] | None = None,
) -> Tile:
    """Makes a small `Tile` from arrays of any size; `note` is a line below the name.

    A mask may be a label image. A line of background then parts bodies that touch, so that each
    has a contour.
    """
    # A name has at most two lines: a very long one keeps its beginning and its end.
    if len(name) > 2 * _LINE:
        name = f"{name[: _LINE - 1]}…{name[-_LINE:]}"
    lines = [name[:_LINE], name[_LINE:]] if len(name) > _LINE else [name]
    image, box = images.to_grid(gray, _TILE_PX)

    def reduced(mask):
        inside = images.is_body(box.crop(images.mask_to_grid(mask > 0, _TILE_PX)))
        return inside & ~_seams(images.nearest(mask, inside.shape))

    return Tile(
        "\n".join([*lines, note]),
        box.crop(image),
        reduced(truth),
        None if prediction is None else reduced(prediction),
    )


def _seams(labels):
    """Returns the pixels of bodies whose next pixel below or to the right is another body's."""
    seams = np.zeros(labels.shape, bool)
    for here, labels_here, after in (
        (seams[:-1], labels[:-1], labels[1:]),
        (seams[:, :-1], labels[:, :-1], labels[:, 1:]),
    ):
        here |= (labels_here > 0) & (after > 0) & (labels_here != after)
    return seams


def contact_sheet(
    path: str | pathlib.Path,
    tiles: Sequence[Tile | None],
    *,
    columns: int = 5,
    title: str | None = None,
):
    """Draws images in a table, with the contours of their masks.

    The truth is orange and a prediction is blue, as in every picture.

    Args:
      path: the PNG file to write.
      tiles: at least one `Tile`; None leaves a place empty.
      columns: number of tiles in a row.
      title: the sheet's title.
    """
    rows = -(-len(tiles) // columns)
    picture = figure.Figure(
        figsize=(columns * _SIDE_IN, rows * (_SIDE_IN + 0.45)), layout="constrained"
    )
    if title:
        picture.suptitle(title, fontsize=10, parse_math=False)
    axes = picture.subplots(rows, columns, squeeze=False).ravel()
    for axis, each in itertools.zip_longest(axes, tiles):
        if each is None:
            axis.set_axis_off()
        else:
            _draw(axis, each)
    with files.replacing(path, "wb") as file:
        picture.savefig(file, dpi=110, format="png")


def _draw(axis, each):
    axis.imshow(each.image, cmap="gray", vmin=0, vmax=1)
    # The frame stays, because many images are as white as the sheet.
    axis.set(xticks=(), yticks=())
    # A dollar sign in a file's name must not start a formula.
    axis.set_title(each.title, fontsize=8, parse_math=False)
    for mask, colour in ((each.truth, _TRUE), (each.prediction, _PREDICTED)):
        if mask is not None and mask.any():
            axis.contour(mask, levels=[0.5], colors=[colour], linewidths=1.2)
