"""Outlines of bodies: round, lobed, elongated, folded, joined and ragged.

Each is a level set, measured as the depth below its contour. Units as in
`drawing`.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage, special

from spheroid_jax.synthetic import drawing

_Rng, _Array = np.random.Generator, np.ndarray

# Shares of the shapes.
SHAPES = {
    "round": 0.28,
    "lobed": 0.24,
    "long": 0.17,
    "folded": 0.08,
    "joined": 0.13,
    "ragged": 0.10,
}


class Body(NamedTuple):
    """One body.

    Attributes:
      depth: (S, S), distance from the contour, inwards.
      radius: mean radius.
      parts: depths of the parts that lie over one another; of most bodies
        there is one.
    """

    depth: _Array
    radius: float
    parts: tuple[_Array, ...]


def draw(rng: _Rng, size: int, shape: str, diameter: float, x: float, y: float) -> Body:
    """Draws a body's outline.

    Args:
      rng: source of randomness.
      size: S, in pixels.
      shape: a name in `SHAPES`.
      diameter: of the disc of about the body's area.
      x: of the body's middle.
      y: of the body's middle.
    """
    radius = diameter / 2
    across, down = drawing.grid(size)
    dx, dy = across - x, down - y
    bend = {"ragged": 0.3, "joined": 0.12}.get(shape, 0.07) * radius
    dx = dx + bend * rng.random() * drawing.field(rng, knots(2.2, diameter), size)
    dy = dy + bend * rng.random() * drawing.field(rng, knots(2.2, diameter), size)
    if shape in ("round", "lobed", "ragged"):
        levels = [_star(rng, dx, dy, radius, lobed=shape != "round")]
    else:
        levels = _chain(rng, dx, dy, radius, shape)
    rough = drawing.rarely(rng, 0.6, 0.0, 0.05)
    rough *= 3 if shape == "ragged" else 1
    relief = sum(
        rough * part * radius * drawing.field(rng, knots(count, diameter), size)
        for count, part in ((6, 1.0), (14, 0.5), (30, 0.3))
    )
    insides = [_solid(level + relief > 0) for level in levels]
    parts = tuple(_depth(inside) for inside in insides)
    # Distances to the parts' contours would end where they overlap.
    whole = _depth(np.logical_or.reduce(insides)) if parts[1:] else parts[0]
    return Body(whole, radius, parts)


def _solid(inside: _Array) -> _Array:
    return drawing.solid(inside) if inside.any() else inside


def _depth(inside: _Array) -> _Array:
    """Measures the distance from the contour, in units of the frame."""
    within = ndimage.distance_transform_edt(np.pad(inside, 1, mode="edge"))
    depth = within[1:-1, 1:-1] - ndimage.distance_transform_edt(~inside)
    # Half a pixel in from the contour.
    return ((depth - 0.5 * np.sign(depth)) / len(inside)).astype(np.float32)


def knots(per_body: float, diameter: float) -> int:
    """Knots across the frame that put `per_body` across a body."""
    return int(min(max(per_body / diameter, 2), 160))


def _star(rng, dx, dy, radius, *, lobed) -> _Array:
    """A body with one radius an angle: an ellipse, with lobes or without."""
    distance, angle = drawing.polar(dx, dy)
    theta = np.arange(drawing.TURN) * (math.tau / drawing.TURN)
    tilt = theta - rng.uniform(0, math.tau)
    aspect = drawing.between(rng, 1.0, 1.8 if lobed else 1.35)
    reach = 1 / np.hypot(np.cos(tilt) / aspect, np.sin(tilt))
    if lobed:
        for _ in range(rng.integers(1, 6)):
            away = np.angle(np.exp(1j * (theta - rng.uniform(0, math.tau))))
            lobe = drawing.bell(away, rng.uniform(0.15, 0.7))
            reach += rng.uniform(-0.25, 0.5) * lobe
        reach *= 1 + rng.uniform(0.0, 0.08) * drawing.turn(rng, 5)
    reach = np.maximum(reach, 0.3)
    reach *= radius / math.sqrt(np.mean(reach**2))
    return reach.astype(np.float32)[angle] - distance


def _chain(rng, dx, dy, radius, shape) -> list[_Array]:
    """Discs along a bent line, as one level set; a folded line's as two.

    A few discs make bodies grown together, many an elongated one.
    """
    count = int(rng.integers(2, 4)) if shape == "joined" else 24
    length = (
        radius
        * {
            "joined": rng.uniform(0.9, 2.2),
            "long": rng.uniform(2.5, 7.0),
            "folded": rng.uniform(4.0, 7.0),
        }[shape]
    )
    bend = rng.uniform(-2.2, 2.2) * (rng.random() < 0.7)
    along = np.linspace(-0.5, 0.5, count)
    turn = bend * along
    if shape == "folded":  # within a short part of its length
        fold = rng.uniform(-0.2, 0.2)
        sharp = rng.uniform(5, 20)
        turn += rng.choice([-1, 1]) * rng.uniform(1.6, 3.6) * special.expit(sharp * (along - fold))
    heading = rng.uniform(0, math.tau) + turn
    heading += 0.8 * rng.random() * np.sin(along * rng.uniform(2, 9))
    step = length / (count - 1)
    xs, ys = (np.cumsum(step * np.cos(heading)), np.cumsum(step * np.sin(heading)))
    # Keeps the area near that of a disc of `radius`.
    thin = radius * math.sqrt(math.pi * radius / (2 * length + math.pi * radius))
    if shape == "joined":
        radii = radius * rng.uniform(0.5, 0.85, count)
    else:
        swell = rng.uniform(-0.5, 0.5) * along
        swell = swell + 0.3 * rng.random() * np.sin(along * rng.uniform(3, 12) + rng.uniform(0, 6))
        radii = 1.25 * thin * np.clip(1 + swell, 0.45, 1.8)
    xs, ys = xs - xs.mean(), ys - ys.mean()
    soft = 0.06 * radius  # necks are rounded
    discs = list(zip(xs, ys, radii, strict=True))
    runs = [discs]
    if shape == "folded":
        middle = int(np.searchsorted(along, fold))
        runs = [discs[: middle + 2], discs[middle:]]
    return [_union(dx, dy, run, soft) for run in runs]


def _union(dx, dy, discs, soft) -> _Array:
    """The level set of discs that run into one another."""
    level = np.full(np.broadcast_shapes(dx.shape, dy.shape), 0.0, np.float32)
    for x, y, reach in discs:
        distance = np.sqrt((dx - x) ** 2 + (dy - y) ** 2)
        level += np.exp(np.clip((reach - distance) / soft, -60, 30))
    return soft * np.log(np.maximum(level, 1e-30))
