"""Wells without a body: lit wells on black, U-shaped wells, and microwells.

A well is drawn as the light that has passed it, and as the distance of each pixel from its wall.
`wells` has bodies in wells, and `empties` wells without a body.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.scenes import scene


class Well(NamedTuple):
    """A well without a body.

    Attributes:
      light: light that reaches the camera without a body.
      depth: distance from the wall, positive inside the well.
      half: distance from the middle to the wall.
      x: horizontal position of the middle.
      y: vertical position of the middle.
    """

    light: Picture
    depth: Picture
    half: float
    x: float
    y: float


def draw_lit(rng: Rng, size: int) -> Well:
    """Draws a round or square well, 40 to 110 % of the frame wide, lit on black surroundings."""
    half = rng.uniform(0.2, 0.56)
    x, y = _middle(rng, half)
    depth = _wall(rng, size, half, x, y)
    soft = drawing.log_uniform(rng, 0.5 / size, 0.02)
    light = scene.ground(rng, size)
    light *= 1 - drawing.sometimes(rng, 0.6, 0.05, 0.6) * _rise(depth, half, rng.uniform(1.5, 6))
    black = drawing.sometimes(rng, 0.6, 0.0, 0.12)
    inside = special.expit(2 * depth / soft)
    light = black + (light - black) * inside
    return Well(_lines(rng, light, depth, size), depth, half, x, y)


def draw_u_shaped(rng: Rng, size: int) -> Well:
    """Draws a round well, 40 to 140 % of the frame wide, whose light fades towards the rim."""
    half = rng.uniform(0.2, 0.7)
    x, y = _middle(rng, half)
    depth = _wall(rng, size, half, x, y, square=0.0)
    fade = rng.uniform(0.5, 0.97) * _rise(depth, half, drawing.log_uniform(rng, 1.2, 5))
    light = scene.ground(rng, size) * (1 - fade)
    if rng.random() < 0.25:  # the floor is dark and the slope is bright
        light = light.max() * 1.2 - light
    outer = rng.uniform(0, 0.15) if rng.random() < 0.6 else rng.uniform(0.3, 1.2)
    inside = special.expit(2 * depth / drawing.log_uniform(rng, 0.5 / size, 0.03))
    light = outer + (light - outer) * inside
    return Well(_lines(rng, light, depth, size), depth, half, x, y)


def draw_micro(rng: Rng, size: int) -> Well:
    """Draws a microwell: a pyramid with creases, and a thick dark ring around its floor."""
    ring = drawing.log_uniform(rng, 0.02, 0.09)
    half = drawing.log_uniform(rng, max(0.035, 4 / size), 0.3)
    ring = min(ring, 0.8 * half)
    x, y = rng.uniform(0.5 - 0.1, 0.5 + 0.1, 2).tolist()
    across, down = drawing.grid(size)
    turn = rng.uniform(-0.15, 0.15) if rng.random() < 0.8 else rng.uniform(0, math.tau)
    right = (across - x) * math.cos(turn) + (down - y) * math.sin(turn)
    below = (down - y) * math.cos(turn) - (across - x) * math.sin(turn)
    away, angle = drawing.polar(right, below)
    wobble = 1 + rng.uniform(0, 0.03) * drawing.angular_noise(rng, 4)
    depth = half * wobble[angle] - away
    light = scene.ground(rng, size) * _pyramid(rng, size, right, below)
    soft = max(drawing.log_uniform(rng, 0.002, 0.012), 0.5 / size)
    square = np.maximum(np.abs(right), np.abs(below)) / rng.uniform(0.86, 1.0)
    beyond = np.maximum(away, square) - half - ring
    dark = special.expit(-2 * depth / soft) * special.expit(-2 * beyond / soft)
    floor = rng.uniform(0.9, 1.35)
    light = np.where(depth > 0, floor * light.mean() * (1 + 0.1 * (light - light.mean())), light)
    light *= 1 - rng.uniform(0.5, 0.92) * dark
    light *= 1 + rng.uniform(-0.1, 0.35) * drawing.bell(beyond - 2 * soft, rng.uniform(0.004, 0.02))
    light *= 1 + rng.uniform(-0.2, 0.3) * drawing.bell(depth - 2 * soft, 0.15 * half)
    return Well(light.astype(np.float32), depth, half, x, y)


def _middle(rng: Rng, half: float) -> tuple[float, float]:
    """Draws the middle of a well; the frame cuts some wells."""
    loose = max(0.5 - half, 0.03) + (0.25 * half if rng.random() < 0.25 else 0.0)
    x, y = (0.5 + rng.uniform(-loose, loose, 2)).tolist()
    return x, y


def _wall(rng: Rng, size: int, half: float, x: float, y: float, *, square=0.3) -> Picture:
    """Draws the distance from the wall of a round or, in a share of the cases, square well."""
    across, down = drawing.grid(size)
    right, below = across - x, down - y
    if rng.random() >= square:
        away, angle = drawing.polar(right, below)
        wobble = 1 + drawing.sometimes(rng, 0.5, 0, 0.012) * drawing.angular_noise(rng, 3)
        return half * wobble[angle] - away
    turn = rng.uniform(-0.1, 0.1) if rng.random() < 0.7 else rng.uniform(0, math.tau)
    along = np.abs(right * math.cos(turn) + below * math.sin(turn))
    across = np.abs(below * math.cos(turn) - right * math.sin(turn))
    # A square with rounded corners.
    corner = half * rng.uniform(0.02, 0.6)
    beyond = [np.maximum(side - (half - corner), 0) for side in (along, across)]
    inner = np.minimum(np.maximum(along, across) - (half - corner), 0)
    return corner - np.hypot(*beyond) - inner


def _rise(depth: Picture, half: float, power: float) -> Picture:
    """Returns a slope that is 0 in the middle of a well and 1 at its wall."""
    return np.clip(1 - depth / half, 0, 1) ** power


def _lines(rng: Rng, light: Picture, depth: Picture, size: int) -> Picture:
    """Draws bright and dark lines along a wall: edges of plastic, a meniscus, reflections."""
    level = float(np.percentile(light, 80))
    for _ in range(rng.integers(0, 5)):
        width = max(drawing.log_uniform(rng, 0.0015, 0.015), 0.7 / size)
        place = rng.uniform(-0.05, 0.03) if rng.random() < 0.9 else rng.uniform(-0.1, 0.12)
        line = drawing.bell(depth - place, width)
        if rng.random() < 0.5:
            light = light * (1 - rng.uniform(0.2, 0.95) * line)
        else:
            light = light + level * rng.uniform(0.1, 0.6) * line
    return np.maximum(light, 0).astype(np.float32)


def _pyramid(rng: Rng, size: int, right: Picture, below: Picture) -> Picture:
    """Draws the transmission of the pyramid around a microwell.

    The pyramid has four faces of different brightness, creases between the faces, faint marks of
    the tool, and edges towards the neighbouring wells.
    """
    away = np.maximum(np.abs(right), np.abs(below))
    crease = (np.abs(right) - np.abs(below)) / math.sqrt(2)
    faces = rng.uniform(0.85, 1.15, 4).astype(np.float32)
    blend = max(drawing.log_uniform(rng, 0.004, 0.04), 0.7 / size)
    side = special.expit(2 * crease / blend)
    light = side * np.where(right > 0, faces[0], faces[1])
    light += (1 - side) * np.where(below > 0, faces[2], faces[3])
    light *= 1 + rng.uniform(-0.3, 0.2) * drawing.bell(crease, 2 * blend)
    light *= 1 + 0.02 * rng.uniform(0, 2) * drawing.field(rng, size, 60)
    marks = np.sin(away * rng.uniform(150, 500) + drawing.field(rng, size, 5))
    light *= 1 + drawing.sometimes(rng, 0.6, 0.0, 0.05) * marks
    edge = rng.uniform(0.3, 0.75)
    for place in (edge + rng.uniform(0, 0.08, 3)).tolist():
        width = drawing.log_uniform(rng, 0.003, 0.02)
        light *= 1 + rng.uniform(-0.5, 0.3) * drawing.bell(away - place, width)
    beyond = special.expit((away - edge) / 0.01)
    return light * (1 + rng.uniform(-0.4, 0.5) * beyond)
