"""Outlines of many bodies at once, and how bodies press together or lie over one another.

`outlines` draws one body with care, in milliseconds. A frame of eighty bodies needs outlines in
microseconds: the bodies of a frame share a few radial functions (a family), turned and mirrored,
and each body is drawn in its own window. `drawing` defines the units.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int32
from skimage import measure

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import TURN, Picture, Rng

# Radius per angle of each outline in a family, divided by the root of its mean square.
Family = Float32[np.ndarray, "N 4096"]
OUTSIDE = -1.0  # depth of pixels that no window reaches: farther from a body than any in the frame


class Blob(NamedTuple):
    """One body in its own window of the frame.

    Attributes:
      window: rows and columns of the frame.
      depth: distance from the contour, positive inside; exact near the contour.
      radius: radius of the disc of the same area.
      x: horizontal position of the middle.
      y: vertical position of the middle.
    """

    window: tuple[slice, slice]
    depth: Float[np.ndarray, "h w"]
    radius: float
    x: float
    y: float


class Layer(NamedTuple):
    """Bodies side by side in a frame.

    Attributes:
      labels: number of the body that owns each pixel, from 1; 0 between the bodies.
      depth: distance from the contour of the nearest body, positive inside.
      seam: distance from the line along which two bodies are in contact.
    """

    labels: Int32[np.ndarray, "S S"]
    depth: Picture
    seam: Picture


def disc_family() -> Family:
    """Returns the family of exact discs."""
    return np.ones((1, TURN), np.float32)


def draw_family(rng: Rng, *, count: int = 8, spiky: float = 0.0, wild: float = 1.0) -> Family:
    """Draws outlines of one character: round, oval, lobed, bumpy like a raspberry, or ragged.

    Args:
      rng: generator.
      count: number of outlines.
      spiky: length of spikes (invading strands), divided by the radius.
      wild: how far the outlines are from discs; 1 is the full range.
    """
    stretch = drawing.log_uniform(rng, 1.02, 1.6) ** wild
    if rng.random() < 0.12 and wild == 1:  # rods and grains, as of embryos
        stretch = rng.uniform(1.6, 2.6)
    waves = wild * drawing.log_uniform(rng, 0.004, 0.12)
    bumps, bump_height = rng.uniform(8, 40), wild * drawing.sometimes(rng, 0.4, 0.005, 0.04)
    if rng.random() < 0.2 and wild == 1:  # buds, as of a cauliflower
        bumps, bump_height = rng.uniform(4, 12), rng.uniform(0.05, 0.14)
    fine = wild**2 * drawing.sometimes(rng, 0.5, 0.0, 0.02)
    spikes = rng.uniform(15, 60)
    theta = np.arange(TURN) * (math.tau / TURN)
    family = np.empty((count, TURN), np.float32)
    for n in range(count):
        aspect = stretch ** rng.uniform(0, 1.3)
        reach = 1 / np.hypot(np.cos(theta) / aspect, np.sin(theta))
        reach *= 1 + waves * drawing.angular_noise(rng, rng.uniform(2, 6))
        if bump_height:
            reach *= 1 + bump_height * np.abs(drawing.angular_noise(rng, bumps))
        if fine:
            reach *= 1 + fine * drawing.angular_noise(rng, 80)
        if spiky:
            strands = np.maximum(drawing.angular_noise(rng, spikes) - 0.6, 0)
            sides = np.clip(0.7 + 0.6 * drawing.angular_noise(rng, 3), 0, 2)
            reach *= 1 + spiky * sides * strands
        reach = np.maximum(reach, 0.35)
        family[n] = reach / math.sqrt(np.mean(reach**2))
    return family


def draw(
    rng: Rng,
    size: int,
    family: Family,
    radius: float,
    x: float,
    y: float,
    *,
    margin: float,
    bend: tuple[Picture, Picture] | None = None,
    angle: float | None = None,
) -> Blob:
    """Draws a body with an outline of a family, mirrored at random.

    Args:
      rng: generator.
      size: S, in pixels.
      family: outlines, as returned by `draw_family`.
      radius: radius of the disc of the same area.
      x: horizontal position of the middle.
      y: vertical position of the middle.
      margin: width of the surroundings that the window holds at least.
      bend: shifts along x and y, by which the outline is bent; None for none.
      angle: direction of the outline's first radius; None turns the outline at random.
    """
    outline = family[rng.integers(len(family))]
    turn, mirrored = int(rng.integers(TURN)), bool(rng.random() < 0.5)
    if angle is not None:
        turn = round(-angle * TURN / math.tau)
    window = _window(size, radius * float(outline.max()) + margin, x, y)
    outline = outline[::-1] if mirrored else outline
    if bend is None:
        depth = _star(size, window, outline, turn, radius, x, y)
    else:
        shifts = bend[0][window], bend[1][window]
        depth = _star(size, window, outline, turn, radius, x - shifts[0], y - shifts[1])
    return Blob(window, depth, radius, x, y)


def draw_lobed(
    rng: Rng, size: int, family: Family, radius: float, x: float, y: float, *, margin: float
) -> Blob:
    """Draws one body of several lobes, which run into one another in rounded necks.

    Arguments are those of `draw`.
    """
    count = int(rng.integers(2, 6))
    parts = [(x, y, radius * rng.uniform(0.55, 0.8))]
    while len(parts) < count:
        near_x, near_y, near = parts[rng.integers(len(parts))]
        reach = radius * rng.uniform(0.35, 0.75)
        angle, away = rng.uniform(0, math.tau), rng.uniform(0.8, 1.2) * max(reach, near)
        parts.append((near_x + away * math.cos(angle), near_y + away * math.sin(angle), reach))
    weight = sum(part[2] ** 2 for part in parts)
    x -= sum((part[0] - x) * part[2] ** 2 for part in parts) / weight
    y -= sum((part[1] - y) * part[2] ** 2 for part in parts) / weight
    window = _window(size, 3.2 * radius + margin, x, y)
    neck = radius * rng.uniform(0.04, 0.13)
    total = 0
    for part_x, part_y, reach in parts:
        outline = family[rng.integers(len(family))]
        turn = int(rng.integers(TURN))
        level = _star(size, window, outline, turn, reach, part_x, part_y)
        total = total + np.exp(np.clip(level / neck, -60, 60))
    # The necks widen the lobes' own contours a little; the shift gives back most of it.
    depth = neck * (np.log(total) - 0.25)
    return Blob(window, depth.astype(np.float32), radius, x, y)


def _window(size: int, reach: float, x: float, y: float) -> tuple[slice, slice]:
    """Returns the rows and columns within `reach` of a point."""
    top, left = (min(max(int((c - reach) * size), 0), size) for c in (y, x))
    bottom, right = (min(max(int((c + reach) * size) + 2, 0), size) for c in (y, x))
    return slice(top, bottom), slice(left, right)


def _star(size, window, outline, turn, radius, x, y) -> Float[np.ndarray, "h w"]:
    """Returns the distance from the contour, to first order, of a body with one radius per angle.

    The difference of the radii is divided by the steepness of the level set, which is
    sqrt(1 + (r'/r)^2).
    """
    across, down = drawing.grid(size)
    distance, angle = drawing.polar(across[:, window[1]] - x, down[window[0]] - y)
    slope = (np.roll(outline, -8) - np.roll(outline, 8)) * (TURN / (16 * math.tau)) / outline
    upright = 1 / np.sqrt(1 + np.minimum(slope**2, 8))
    at = (angle + turn) % TURN
    return (radius * outline[at] - distance) * upright[at]


def press(size: int, blobs: list[Blob]) -> Layer:
    """Composes bodies that press together: the line of contact is flat and lies half-way."""
    labels = np.zeros((size, size), np.int32)
    depth = np.full((size, size), OUTSIDE, np.float32)
    second = depth.copy()
    for number, blob in enumerate(blobs, 1):
        top, new = depth[blob.window], blob.depth
        second[blob.window] = np.maximum(second[blob.window], np.minimum(new, top))
        labels[blob.window][new > top] = number
        np.maximum(top, new, out=top)
    labels[depth <= 0] = 0
    return Layer(labels, depth, (depth - second) / 2)


def tidy(labels: Int32[np.ndarray, "S S"], *, least: int, whole: bool) -> Int32[np.ndarray, "S S"]:
    """Drops slivers and numbers the bodies from 1 without gaps.

    Args:
      labels: number of each body.
      least: smallest number of pixels of a body; smaller ones become background.
      whole: whether only the largest 4-connected part of each body stays. Otherwise parts that
        another body has cut off stay, if they are not tiny.
    """
    parts = measure.label(labels, background=0, connectivity=1)
    areas = np.bincount(parts.ravel())
    owner = np.zeros(areas.size, np.int32)
    owner[parts] = labels
    owner[0] = 0
    areas[0] = 0
    largest = np.zeros(int(labels.max()) + 1, areas.dtype)
    np.maximum.at(largest, owner, areas)
    keep = (areas >= least) & (areas >= (1.0 if whole else 0.2) * largest[owner])
    keep[0] = False
    owner[~keep] = 0
    # Part 0 has owner 0, so the background keeps its number.
    return np.unique(owner, return_inverse=True)[1].astype(np.int32)[parts]
