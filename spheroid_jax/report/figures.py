"""Pictures of segmentations."""

from typing import NamedTuple

import numpy as np
from matplotlib import figure

from spheroid_jax import files

# Okabe and Ito's colour-blind safe blue and orange.
_PREDICTED, _TRUE = "#56b4e9", "#e69f00"
_SIDE_IN = 2.1


class Example(NamedTuple):
    """One image with what was made of it, all (H, W) on the grid."""

    title: str
    image: np.ndarray
    probability: np.ndarray
    mask: np.ndarray
    truth: np.ndarray


def segmentations(path, examples):
    """Draws a row an example: image, probability, mask, truth.

    Args:
      path: the PNG file to write.
      examples: at least one `Example`.
    """
    picture = figure.Figure(
        figsize=(4 * _SIDE_IN, (_SIDE_IN + 0.25) * len(examples)),
        layout="constrained",
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
    """A part of a contact sheet; image in [0, 1] and mask, both (H, W)."""

    title: str
    image: np.ndarray
    mask: np.ndarray


def contact_sheet(path, tiles, *, columns=5):
    """Draws images side by side, each with its mask's contour.

    Args:
      path: the PNG file to write.
      tiles: at least one `Tile`.
      columns: how many stand in a row.
    """
    rows = -(-len(tiles) // columns)
    picture = figure.Figure(
        figsize=(columns * _SIDE_IN, rows * (_SIDE_IN + 0.45)),
        layout="constrained",
    )
    axes = picture.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[len(tiles) :]:
        axis.set_axis_off()
    for axis, tile in zip(axes, tiles, strict=False):
        axis.imshow(tile.image, cmap="gray", vmin=0, vmax=1)
        # The frame stays: many an image is as white as the sheet.
        axis.set(xticks=(), yticks=())
        # A file's name may have dollars, which are no mathematics.
        axis.set_title(tile.title, fontsize=8, parse_math=False)
        if tile.mask.any():
            axis.contour(
                tile.mask, levels=[0.5], colors=[_TRUE], linewidths=1.2
            )
    with files.replacing(path, "wb") as file:
        picture.savefig(file, dpi=110, format="png")
