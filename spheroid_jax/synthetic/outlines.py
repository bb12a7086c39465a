"""Outlines of bodies: round, lobed, elongated, folded, joined and ragged.

An outline is drawn as a level set, positive inside; from it the distance to the contour is
measured. `drawing` defines the units.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import ndimage, special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Mask, Picture, Rng

# Share of each shape.
SHAPES = {
    "round": 0.28,
    "lobed": 0.24,
    "long": 0.17,
    "folded": 0.08,
    "joined": 0.13,
    "ragged": 0.10,
}
# Largest distortion of an outline, divided by its radius.
_BEND = {"ragged": 0.3, "joined": 0.12}
_OTHER_BEND = 0.07


class Body(NamedTuple):
    """The shape of one body, given by distances from its contour.

    Attributes:
      depth: distance from the contour; positive inside.
      radius: mean radius.
      parts: depth of each part of the body; a folded body has two parts, which overlap.
    """

    depth: Picture
    radius: float
    parts: tuple[Picture, ...]


def draw(rng: Rng, size: int, shape: str, diameter: float, x: float, y: float) -> Body:
    """Draws a body.

    Args:
      rng: generator.
      size: S, in pixels.
      shape: name in `SHAPES`.
      diameter: diameter of a disc with about the same area as the body.
      x: horizontal position of the body's middle.
      y: vertical position of the body's middle.
    """
    radius = diameter / 2
    across, down = drawing.grid(size)
    dx, dy = across - x, down - y
    bend = _BEND.get(shape, _OTHER_BEND) * radius
    dx = dx + bend * rng.random() * drawing.field(rng, size, knots(2.2, diameter))
    dy = dy + bend * rng.random() * drawing.field(rng, size, knots(2.2, diameter))
    if shape in ("round", "lobed", "ragged"):
        levels = [_star(rng, dx, dy, radius, lobed=shape != "round")]
    else:
        levels = _chain(rng, dx, dy, radius, shape)
    rough = drawing.sometimes(rng, 0.6, 0.0, 0.05)
    rough *= 3 if shape == "ragged" else 1
    relief = sum(
        rough * part * radius * drawing.field(rng, size, knots(count, diameter))
        for count, part in ((6, 1.0), (14, 0.5), (30, 0.3))
    )
    insides = [_solid(level + relief > 0) for level in levels]
    parts = tuple(_depth(inside) for inside in insides)
    # Where parts overlap, the contours of the parts lie inside the body.
    whole = _depth(np.logical_or.reduce(insides)) if parts[1:] else parts[0]
    return Body(whole, radius, parts)


def knots(per_body: float, diameter: float) -> int:
    """Returns the number of knots along the frame that gives `per_body` knots across a body."""
    return int(min(max(per_body / diameter, 2), 160))


def _solid(inside: Mask) -> Mask:
    """Applies `drawing.solid`; a body that lies outside the frame stays empty."""
    return drawing.solid(inside) if inside.any() else inside


def _depth(inside: Mask) -> Picture:
    """Measures the distance from the contour, positive inside."""
    within = ndimage.distance_transform_edt(np.pad(inside, 1, mode="edge"))
    depth = within[1:-1, 1:-1] - ndimage.distance_transform_edt(~inside)
    # The contour lies half a pixel away from the pixels' centres.
    return ((depth - 0.5 * np.sign(depth)) / len(inside)).astype(np.float32)


def _star(rng: Rng, dx: Picture, dy: Picture, radius: float, *, lobed: bool) -> Picture:
    """Draws the level set of a body with one radius per angle: an ellipse, lobed or not."""
    distance, angle = drawing.polar(dx, dy)
    theta = np.arange(drawing.TURN) * (math.tau / drawing.TURN)
    tilt = theta - rng.uniform(0, math.tau)
    aspect = drawing.log_uniform(rng, 1.0, 1.8 if lobed else 1.35)
    reach = 1 / np.hypot(np.cos(tilt) / aspect, np.sin(tilt))
    if lobed:
        for _ in range(rng.integers(1, 6)):
            away = np.angle(np.exp(1j * (theta - rng.uniform(0, math.tau))))
            lobe = drawing.bell(away, rng.uniform(0.15, 0.7))
            reach += rng.uniform(-0.25, 0.5) * lobe
        reach *= 1 + rng.uniform(0.0, 0.08) * drawing.angular_noise(rng, 5)
    reach = np.maximum(reach, 0.3)
    reach *= radius / math.sqrt(np.mean(reach**2))
    return reach.astype(np.float32)[angle] - distance


def _chain(rng: Rng, dx: Picture, dy: Picture, radius: float, shape: str) -> list[Picture]:
    """Draws discs along a bent line: one level set, or two for a folded line.

    Two or three discs make bodies that have grown together, many discs an elongated body.
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
    along = np.linspace(-0.5, 0.5, count)
    heading, fold = _heading(rng, along, folded=shape == "folded")
    step = length / (count - 1)
    xs, ys = (np.cumsum(step * np.cos(heading)), np.cumsum(step * np.sin(heading)))
    if shape == "joined":
        radii = radius * rng.uniform(0.5, 0.85, count)
    else:
        # The area stays near that of a disc of `radius`.
        thin = radius * math.sqrt(math.pi * radius / (2 * length + math.pi * radius))
        swell = rng.uniform(-0.5, 0.5) * along
        swell = swell + 0.3 * rng.random() * np.sin(along * rng.uniform(3, 12) + rng.uniform(0, 6))
        radii = 1.25 * thin * np.clip(1 + swell, 0.45, 1.8)
    xs, ys = xs - xs.mean(), ys - ys.mean()
    discs = list(zip(xs, ys, radii, strict=True))
    runs = [discs]
    if shape == "folded":
        middle = int(np.searchsorted(along, fold))
        runs = [discs[: middle + 2], discs[middle:]]
    return [_union(dx, dy, run, neck=0.06 * radius) for run in runs]


def _heading(
    rng: Rng, along: Float[np.ndarray, " N"], *, folded: bool
) -> tuple[Float[np.ndarray, " N"], float]:
    """Draws the direction of a bent line at each of its points, and the position of its fold.

    Args:
      rng: generator.
      along: position of each point on the line, from -0.5 to 0.5.
      folded: whether the line turns back within a short part of its length.
    """
    bend = rng.uniform(-2.2, 2.2) * (rng.random() < 0.7)
    turn, fold = bend * along, 0.0
    if folded:
        fold = rng.uniform(-0.2, 0.2)
        sharp = rng.uniform(5, 20)
        turn += rng.choice([-1, 1]) * rng.uniform(1.6, 3.6) * special.expit(sharp * (along - fold))
    heading = rng.uniform(0, math.tau) + turn
    heading += 0.8 * rng.random() * np.sin(along * rng.uniform(2, 9))
    return heading, fold


def _union(
    dx: Picture, dy: Picture, discs: list[tuple[float, float, float]], *, neck: float
) -> Picture:
    """Computes the level set of discs that run into one another.

    Args:
      dx: distance of each pixel from the body's middle, along x.
      dy: distance of each pixel from the body's middle, along y.
      discs: x, y and radius of each disc.
      neck: length over which the necks between discs are rounded.
    """
    level = np.full(np.broadcast_shapes(dx.shape, dy.shape), 0.0, np.float32)
    for x, y, reach in discs:
        distance = np.sqrt((dx - x) ** 2 + (dy - y) ** 2)
        level += np.exp(np.clip((reach - distance) / neck, -60, 30))
    return neck * np.log(np.maximum(level, 1e-30))
