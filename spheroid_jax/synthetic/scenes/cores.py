"""Bodies with a dense core in a pale rim or halo: invading cells, thin rims, fading halos.

The label is the whole body, with its rim; `core` is the dense part.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.scenes import blobs, crowds, distractors, scene
from spheroid_jax.synthetic.scenes.blobs import Blob
from spheroid_jax.synthetic.scenes.scene import Sketch

# Share of each kind of rim: strands of invading cells, a smooth pale rim, or fading cells.
_RIMS = {"strands": 0.35, "smooth": 0.4, "fading": 0.25}


def cored(rng: Rng, size: int) -> Sketch:
    """Draws one to five bodies with a dense core in a pale rim."""
    rim = drawing.choose(rng, _RIMS)
    count = 1 if rng.random() < 0.7 else int(rng.integers(2, 6))
    width = drawing.log_uniform(rng, max(0.12, 2 * scene.least_width(size)), 0.7 / math.sqrt(count))
    radii = width / 2 * rng.uniform(0.75, 1.1, count)
    light = scene.ground(rng, size)
    if rng.random() < 0.3:
        distractors.add_some(rng, light, most=2, but=() if width > 0.2 else distractors.SPOTS)
    _scatter_cells(rng, light, width)
    before = light.copy()
    labels, core = scene.no_bodies(size), np.zeros((size, size), bool)
    spiky = rng.uniform(0.15, 0.7) if rim == "strands" else 0.0
    whole = blobs.draw_family(rng, count=4, spiky=spiky)
    inner = blobs.draw_family(rng, count=4, wild=rng.uniform(0.3, 1))
    look = _draw_look(rng, size, width, rim)
    for number, spot in enumerate(crowds.scatter(rng, radii, "apart", 0.0), 1):
        margin = 0.3 * spot.radius + 3 * look.edge + 3 / size
        body = blobs.draw(
            rng, size, whole, spot.radius, spot.x, spot.y, margin=margin, bend=look.bend
        )
        if not body.depth.size:
            continue
        within = _core_depth(rng, size, body, inner, look.core_share)
        _lay(rng, light, body, within, look)
        inside = body.depth > 0
        labels[body.window][inside] = number
        core[body.window] |= inside & (within > 0)
    light = scene.visible(before, light, (labels > 0) & ~core, least=0.08)
    return Sketch(light, labels, core, detail=0.5 * width)


def _core_depth(rng: Rng, size: int, body: Blob, family: blobs.Family, share: float) -> np.ndarray:
    """Draws a core inside a body; returns the distance from the core's contour, in its window."""
    radius = share * body.radius
    loose = 0.5 * max(0.8 * body.radius - radius, 0)
    angle, away = rng.uniform(0, math.tau), loose * rng.random()
    x, y = body.x + away * math.cos(angle), body.y + away * math.sin(angle)
    core = blobs.draw(rng, size, family, radius, x, y, margin=3.0)  # the whole frame
    return np.minimum(core.depth[body.window], body.depth - 0.02 * body.radius)


class Look(NamedTuple):
    """The look of the bodies of a frame.

    Attributes:
      rim: name in `_RIMS`.
      core_share: width of the core, divided by that of the whole.
      core_absorption: absorption added in the core; bright where negative.
      core_edge: width of the core's soft contour.
      pale: absorption of the rim.
      dome: share of the core's absorption that follows its depth.
      radial: contrast of strands that run outwards.
      line: absorption of the line at the contour of the whole.
      halo: light around the whole.
      width: width of that line; the halo is twice as wide.
      edge: width of the soft contour of the whole.
      bend: shifts along x and y that bend outlines and strands.
      grain: absorption of cells.
    """

    rim: str
    core_share: float
    core_absorption: float
    core_edge: float
    pale: float
    dome: float
    radial: float
    line: float
    halo: float
    width: float
    edge: float
    bend: tuple[Picture, Picture]
    grain: Picture


def _draw_look(rng: Rng, size: int, width: float, rim: str) -> Look:
    """Draws the look of bodies of this width."""
    strands = rim == "strands"
    bright = rng.random() < 0.12
    weak = 0.4 if strands else 1.0
    soft = {"strands": (0.01, 0.03), "smooth": (0.006, 0.03), "fading": (0.06, 0.2)}[rim]
    # Strands are not straight.
    bend = width * (rng.uniform(0.015, 0.05) if strands else rng.uniform(0, 0.02))
    knots = int(min(drawing.log_uniform(rng, 3, 7) / width, 0.6 * size))
    cells = int(min(drawing.log_uniform(rng, 12, 40) / width, 0.6 * size))
    grain = drawing.field(rng, size, cells) + 0.6 * drawing.field(rng, size, max(cells // 4, 3))
    return Look(
        rim=rim,
        core_share=rng.uniform(0.3, 0.65) if strands else rng.uniform(0.3, 0.85),
        core_absorption=rng.uniform(0.7, 2.4) * (-0.5 if bright else 1),
        core_edge=width * drawing.log_uniform(rng, 0.01, 0.12),
        pale=rng.uniform(0.08, 0.45) * (-1 if bright or rng.random() < 0.15 else 1),
        dome=rng.random(),
        radial=rng.uniform(0.2, 1.0),
        line=weak * drawing.sometimes(rng, 0.6, -0.3, 0.9),
        halo=weak * drawing.sometimes(rng, 0.5, -0.1, 0.4),
        width=max(width * drawing.log_uniform(rng, 0.01, 0.04), 0.8 / size),
        edge=max(width * drawing.log_uniform(rng, *soft), 0.5 / size),
        bend=(bend * drawing.field(rng, size, knots), bend * drawing.field(rng, size, knots)),
        grain=drawing.log_uniform(rng, 0.03, 0.35) * grain,
    )


def _lay(rng: Rng, light: Picture, body: Blob, within: np.ndarray, look: Look) -> None:
    """Draws one body onto the light, in place; `within` is the depth of its core."""
    window, depth = body.window, body.depth
    inside = special.expit(2 * depth / look.edge)
    core = special.expit(2 * within / look.core_edge) * inside
    grain = look.grain[window]
    if look.rim == "strands":
        right, below = _from_middle(body, len(light))
        _, angle = drawing.polar(right + look.bend[0][window], below + look.bend[1][window])
        strands = drawing.angular_noise(rng, rng.uniform(25, 70))[angle]
        grain = grain * (1 + look.radial * strands)
    deep = np.sqrt(np.clip(within / max(float(within.max()), 1e-3), 0, 1))
    thick = 1 - look.dome + look.dome * deep
    absorbed = (look.pale + grain) * inside
    absorbed += look.core_absorption * core * (0.4 + 0.6 * thick)
    if look.rim != "fading":
        absorbed += look.line * drawing.bell(depth - look.width, look.width)
        around = drawing.bell(np.minimum(depth, 0), 2 * look.width) * (1 - inside)
        absorbed -= look.halo * around
    light[window] *= np.exp(-np.clip(absorbed, -1.0, 4))


def _from_middle(body: Blob, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the position of each pixel of a body's window, from the body's middle."""
    across, down = drawing.grid(size)
    return across[:, body.window[1]] - body.x, down[body.window[0]] - body.y


def _scatter_cells(rng: Rng, light: Picture, width: float) -> None:
    """Draws loose cells in the gel, all of them much smaller than a body, in place."""
    radius = width * rng.uniform(0.008, 0.025)
    dark, ring = rng.uniform(0.1, 0.5), bool(rng.random() < 0.6)
    for _ in range(int(drawing.sometimes(rng, 0.6, 0, 90))):
        x, y = rng.random(2).tolist()
        drawing.stamp(light, x, y, radius * rng.uniform(0.6, 1.4), dark, ring=ring)
