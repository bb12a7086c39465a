"""Simulated tissue: how bodies absorb, scatter and bend light.

The look of the tissue is drawn anew for every image, over wide ranges. `drawing` defines the units.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage, special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.outlines import Body, knots


class Look(NamedTuple):
    """Optical properties of the bodies of an image.

    An absorption is an exponent: the transmission is exp(-absorption).
    """

    tone: float  # transmission of the thinnest tissue
    dome: float  # share of the absorption that follows the thickness
    core: float  # absorption added in the middle
    core_size: float  # size of the core, divided by that of the body
    rim: float  # absorption added at the contour; bright where negative
    rim_width: float
    halo: float  # light around the body; dark where negative
    halo_width: float
    relief: float  # contrast between the body's two sides
    direction: float  # angle of the relief
    grain: float  # contrast of the cells
    cell: float  # size of the cells
    edge: float  # width of the soft contour
    patches: float  # contrast of parts that are denser than others, or stained
    patch_edge: float  # sharpness of the patches' borders
    folds: float  # absorption added in folds
    fold_width: float  # width of the folds, in standard deviations of their field
    holes: int  # number of lumina and vacuoles


def draw(rng: Rng) -> Look:
    """Draws a look: dark, pale with an outline, or brighter than the background."""
    kind = drawing.choose(rng, {"dark": 0.54, "pale": 0.33, "bright": 0.13})
    tone = {
        "dark": rng.uniform(0.12, 0.8),
        "pale": rng.uniform(0.82, 1.0),
        "bright": rng.uniform(1.15, 3.0),
    }[kind]
    pale = kind == "pale"
    return Look(
        tone=tone,
        dome=rng.random(),
        core=drawing.sometimes(rng, 0.45, 0.1, 2.0),
        core_size=rng.uniform(0.3, 0.9),
        rim=rng.uniform(0.25, 1.2) if pale else drawing.sometimes(rng, 0.6, -0.5, 1.2),
        rim_width=drawing.log_uniform(rng, 0.003, 0.02),
        halo=drawing.sometimes(rng, 0.6, -0.2, 0.6),
        halo_width=drawing.log_uniform(rng, 0.004, 0.04),
        relief=drawing.sometimes(rng, 0.3, 0.05, 0.5),
        direction=rng.uniform(0, math.tau),
        grain=drawing.log_uniform(rng, 0.06, 0.45) if pale else drawing.log_uniform(rng, 0.01, 0.4),
        cell=drawing.log_uniform(rng, 0.004, 0.03),
        edge=drawing.log_uniform(rng, 0.001, 0.008),
        patches=drawing.sometimes(rng, 0.5, 0.2, 1.2),
        patch_edge=drawing.log_uniform(rng, 0.3, 8),
        folds=drawing.sometimes(rng, 0.25, 0.1, 1.2),
        fold_width=drawing.log_uniform(rng, 0.08, 0.5),
        holes=int(drawing.sometimes(rng, 0.15, 1, 7)),
    )


def lay(rng: Rng, image: Picture, body: Body, look: Look) -> Picture:
    """Draws a body onto an image, part by part.

    Args:
      rng: generator.
      image: light that reaches the body.
      body: body, as returned by `outlines.draw`.
      look: look, as returned by `draw`.

    Returns:
      The light that has passed the body.
    """
    for depth in body.parts:
        if (depth > 0).any():  # the frame may cut a part off
            image = _lay_part(rng, image, body, depth, look)
    return image


def _lay_part(rng: Rng, image: Picture, body: Body, depth: Picture, look: Look) -> Picture:
    """Draws one part of a body onto an image; `depth` is the distance from the part's contour."""
    size = image.shape[0]
    # Thickness of a dome over the body: 0 at the contour, 1 in the middle.
    deepest = max(float(depth.max()), 1 / size)
    height = np.sqrt(np.clip(depth / deepest, 0, 1))
    tissue = np.exp(-np.clip(_absorption(rng, body, depth / deepest, depth, look), -1.5, 4))
    if look.relief:
        smooth = ndimage.gaussian_filter(height, 0.006 * size)
        down, across = np.gradient(smooth, 1 / size)
        slope = math.cos(look.direction) * across
        slope = slope + math.sin(look.direction) * down
        tissue *= np.clip(1 + look.relief * 0.1 * slope, 0.3, 2.5)
    inside = special.expit(2 * depth / look.edge)
    glow = 1 + look.halo * drawing.bell(np.minimum(depth, 0), look.halo_width)
    # Behind a thick body the background looks more even.
    ground = image + rng.random() * inside * (np.mean(image[depth > 0]) - image)
    return (inside * ground * tissue + (1 - inside) * image * glow).astype(np.float32)


def _absorption(rng: Rng, body: Body, relative: Picture, depth: Picture, look: Look) -> Picture:
    """Draws the absorption of one part of a body.

    Args:
      rng: generator.
      body: the whole body.
      relative: `depth` divided by its maximum.
      depth: distance from the contour of the part; positive inside.
      look: look, as returned by `draw`.
    """
    size = len(depth)
    thick = 1 - look.dome + look.dome * np.sqrt(np.clip(relative, 0, 1))
    absorbed = -math.log(look.tone) * thick
    absorbed += look.core * special.expit((relative - (1 - look.core_size)) * 8)
    if look.patches:
        count = knots(drawing.log_uniform(rng, 1.0, 4), 2 * body.radius)
        field = drawing.field(rng, size, count)
        step = np.tanh(look.patch_edge * field) / np.tanh(look.patch_edge)
        absorbed *= np.clip(1 + look.patches * step, 0.06, 3)
    uneven = np.clip(1 + 0.6 * drawing.field(rng, size, 6), 0.1, 2)
    absorbed += look.rim * uneven * drawing.bell(depth, look.rim_width)
    absorbed += look.grain * _cells(rng, size, look)
    if look.folds:
        crease = drawing.field(rng, size, knots(4, 2 * body.radius))
        absorbed += look.folds * drawing.bell(crease, look.fold_width)
    for _ in range(look.holes):
        _make_hole(rng, absorbed, body)
    return absorbed


def _cells(rng: Rng, size: int, look: Look) -> Picture:
    """Draws the grain of cells, with clumps of cells and haze."""
    count = int(min(1 / look.cell, 0.6 * size))
    cells = drawing.field(rng, size, count)
    if rng.random() < 0.6:  # membranes
        cells = 1.2 * np.abs(cells) - 0.96
    fine = drawing.field(rng, size, min(2 * count, size))
    clumps = drawing.field(rng, size, max(count // 3, 3))
    haze = drawing.field(rng, size, max(count // 10, 2))
    parts = rng.uniform(0.2, 1, 4)
    return (
        parts[0] * cells + 0.5 * parts[1] * fine + 0.6 * parts[2] * clumps + 0.6 * parts[3] * haze
    )


def _make_hole(rng: Rng, absorbed: Picture, body: Body) -> None:
    """Draws a lumen or a vacuole, pale with a dark line around it, in place."""
    size = len(absorbed)
    rows, columns = np.nonzero(body.depth > 0.15 * body.radius)
    if not len(rows):
        return
    at = rng.integers(len(rows))
    x, y = drawing.grid(size)
    distance = np.sqrt((x - columns[at] / size) ** 2 + (y - rows[at] / size) ** 2)
    reach = body.radius * rng.uniform(0.1, 0.4)
    within = special.expit((reach - distance) / 0.004)
    absorbed *= 1 - rng.uniform(0.3, 0.9) * within
    absorbed += rng.uniform(0, 0.5) * drawing.bell(distance - reach, 0.008)
