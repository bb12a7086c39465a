"""What bodies look like: how they absorb, scatter and bend light.

Drawn anew for every image, over wide ranges. Units as in `drawing`.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage, special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.outlines import Body, knots

_Rng, _Array = np.random.Generator, np.ndarray


class Look(NamedTuple):
    """How the bodies of an image absorb, scatter and bend light."""

    tone: float  # transmission where thinnest
    dome: float  # share of the absorption that follows the thickness
    core: float  # absorption added in the middle
    core_size: float
    rim: float  # absorption at the contour; bright where negative
    rim_width: float
    halo: float  # light around it; dark where negative
    halo_width: float
    relief: float  # one side bright, the other dark
    direction: float
    grain: float  # contrast of the cells
    cell: float  # their size
    edge: float  # softness of the contour
    patches: float  # parts that are denser than others, or stained
    patch_edge: float  # how sharply these end
    folds: float
    fold_width: float
    holes: int


def draw(rng: _Rng) -> Look:
    """Draws a look: dark, pale with an outline, or brighter than the ground."""
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
        core=drawing.rarely(rng, 0.45, 0.1, 2.0),
        core_size=rng.uniform(0.3, 0.9),
        rim=rng.uniform(0.25, 1.2) if pale else drawing.rarely(rng, 0.6, -0.5, 1.2),
        rim_width=drawing.between(rng, 0.003, 0.02),
        halo=drawing.rarely(rng, 0.6, -0.2, 0.6),
        halo_width=drawing.between(rng, 0.004, 0.04),
        relief=drawing.rarely(rng, 0.3, 0.05, 0.5),
        direction=rng.uniform(0, math.tau),
        grain=drawing.between(rng, 0.06, 0.45) if pale else drawing.between(rng, 0.01, 0.4),
        cell=drawing.between(rng, 0.004, 0.03),
        edge=drawing.between(rng, 0.001, 0.008),
        patches=drawing.rarely(rng, 0.5, 0.2, 1.2),
        patch_edge=drawing.between(rng, 0.3, 8),
        folds=drawing.rarely(rng, 0.25, 0.1, 1.2),
        fold_width=drawing.between(rng, 0.08, 0.5),
        holes=int(drawing.rarely(rng, 0.15, 1, 7)),
    )


def lay(rng: _Rng, image: _Array, body: Body, look: Look) -> _Array:
    """Lays a body over the image, part by part."""
    for depth in body.parts:
        if (depth > 0).any():  # the frame may cut a part off
            image = _lay_part(rng, image, body, depth, look)
    return image


def _lay_part(rng, image, body, depth, look) -> _Array:
    size = image.shape[0]
    # Thickness of a dome over the body, 0 at the contour, 1 in the middle.
    deepest = max(float(depth.max()), 1 / size)
    height = np.sqrt(np.clip(depth / deepest, 0, 1))
    thick = 1 - look.dome + look.dome * height
    absorbed = -math.log(look.tone) * thick
    absorbed += look.core * special.expit((depth / deepest - (1 - look.core_size)) * 8)
    if look.patches:
        count = knots(drawing.between(rng, 1.0, 4), 2 * body.radius)
        field = drawing.field(rng, count, size)
        step = np.tanh(look.patch_edge * field) / np.tanh(look.patch_edge)
        absorbed *= np.clip(1 + look.patches * step, 0.06, 3)
    uneven = np.clip(1 + 0.6 * drawing.field(rng, 6, size), 0.1, 2)
    absorbed += look.rim * uneven * drawing.bell(depth, look.rim_width)
    absorbed += look.grain * _cells(rng, look, size)
    if look.folds:
        crease = drawing.field(rng, knots(4, 2 * body.radius), size)
        absorbed += look.folds * drawing.bell(crease, look.fold_width)
    for _ in range(look.holes):
        _hole(rng, absorbed, body, size)
    tissue = np.exp(-np.clip(absorbed, -1.5, 4))
    if look.relief:
        smooth = ndimage.gaussian_filter(height, 0.006 * size)
        down, across = np.gradient(smooth, 1 / size)
        slope = math.cos(look.direction) * across
        slope = slope + math.sin(look.direction) * down
        tissue *= np.clip(1 + look.relief * 0.1 * slope, 0.3, 2.5)
    inside = special.expit(2 * depth / look.edge)
    glow = 1 + look.halo * drawing.bell(np.minimum(depth, 0), look.halo_width)
    # A thick body shows less of the uneven ground below it.
    ground = image + rng.random() * inside * (np.mean(image[depth > 0]) - image)
    return (inside * ground * tissue + (1 - inside) * image * glow).astype(np.float32)


def _cells(rng: _Rng, look: Look, size: int) -> _Array:
    """Draws granularity at the cells' size, with clumps and haze."""
    count = int(min(1 / look.cell, 0.6 * size))
    cells = drawing.field(rng, count, size)
    if rng.random() < 0.6:  # membranes
        cells = 1.2 * np.abs(cells) - 0.96
    fine = drawing.field(rng, min(2 * count, size), size)
    clumps = drawing.field(rng, max(count // 3, 3), size)
    haze = drawing.field(rng, max(count // 10, 2), size)
    parts = rng.uniform(0.2, 1, 4)
    return (
        parts[0] * cells + 0.5 * parts[1] * fine + 0.6 * parts[2] * clumps + 0.6 * parts[3] * haze
    )


def _hole(rng: _Rng, absorbed: _Array, body: Body, size: int) -> None:
    """A lumen or vacuole: pale, with a dark line around, part of the body."""
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
