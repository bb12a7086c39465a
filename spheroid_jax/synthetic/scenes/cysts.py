"""Cystic organoids: pale inside with a thin dark rim, many, overlapping, and at several depths.

Cysts are translucent, so the rim of one shows through another that lies over it; the front one
owns the pixels. Some cysts are out of focus, some hold dense contents, and a few bodies are dense.
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


class Wall(NamedTuple):
    """The look of the cysts of a frame; lengths are divided by a cyst's radius.

    Attributes:
      width: width of the rim.
      dark: absorption of the rim's outer line.
      second: absorption of the rim's inner line; bright where negative.
      halo: light around the cyst; dark where negative.
      tone: transmission of the inside.
      shade: contrast between the cyst's two sides.
      direction: angle of the shade.
      grain: contrast of the cells in the wall.
      filled: share of the cysts with dense contents.
      dense: share of the bodies that are no cysts but dense.
      deep: share of the bodies that are out of focus.
    """

    width: float
    dark: float
    second: float
    halo: float
    tone: float
    shade: float
    direction: float
    grain: float
    filled: float
    dense: float
    deep: float


def cysts(rng: Rng, size: int) -> Sketch:
    """Draws 1 to 45 cystic organoids."""
    count = round(drawing.log_uniform(rng, 1, 45))
    least = 1.3 * scene.least_width(size)
    width = drawing.log_uniform(rng, least, min(1.2 / math.sqrt(count), 0.9))
    spread = rng.uniform(0.1, 0.7)
    radii = width / 2 * np.exp(spread * rng.standard_normal(count).clip(-2, 1.5))
    radii = np.maximum(radii, least / 2)
    arrangement = drawing.choose(rng, {"apart": 0.35, "touching": 0.25, "overlapping": 0.4})
    spots = crowds.scatter(rng, radii, arrangement, rng.uniform(0.2, 0.8))
    light, spots, inverted = crowds.in_field(rng, size, spots)
    if rng.random() < 0.3:
        distractors.droplet(rng, light)
    if rng.random() < 0.4:
        _blurred_rings(rng, light, width)
    crowds.add_specks(rng, light, float(radii.min()))
    wall = _draw_wall(rng)
    # Cysts are nearly round, but no cyst is as round as a bubble.
    family = blobs.draw_family(rng, wild=0.4)
    for outline in family:
        outline *= 1 + rng.uniform(0.01, 0.035) * drawing.angular_noise(rng, 3)
    texture = drawing.field(rng, size, int(min(6 / width + 20, 0.6 * size)))
    labels = scene.no_bodies(size)
    before = light.copy()
    for number, spot in enumerate(spots, 1):
        margin = 0.6 * spot.radius + 3 / size
        blob = blobs.draw(rng, size, family, spot.radius, spot.x, spot.y, margin=margin)
        if blob.depth.size:
            _lay(rng, light, blob, wall, texture[blob.window])
            labels[blob.window][blob.depth > 0] = number
    light = scene.visible(before, light, labels > 0, least=0.08)
    detail = 2 * float(radii.min())
    return Sketch(light, labels, detail=detail, inverted=inverted, whole=False)


def _draw_wall(rng: Rng) -> Wall:
    return Wall(
        width=drawing.log_uniform(rng, 0.05, 0.25),
        dark=rng.uniform(0.25, 1.4),
        second=rng.uniform(-0.5, 0.9),
        halo=drawing.sometimes(rng, 0.7, -0.15, 0.5),
        tone=rng.uniform(0.78, 1.15),
        shade=drawing.sometimes(rng, 0.6, 0.0, 0.4),
        direction=rng.uniform(0, math.tau),
        grain=drawing.log_uniform(rng, 0.01, 0.12),
        filled=drawing.sometimes(rng, 0.5, 0.05, 0.6),
        dense=drawing.sometimes(rng, 0.4, 0.05, 0.5),
        deep=drawing.sometimes(rng, 0.6, 0.05, 0.6),
    )


def _lay(rng: Rng, light: Picture, blob: Blob, wall: Wall, texture: np.ndarray) -> None:
    """Draws one body onto the light, in place.

    Args:
      rng: generator.
      light: light of the frame.
      blob: the body.
      wall: look of the cysts of the frame.
      texture: cells, in the body's window.
    """
    size, radius, depth = len(light), blob.radius, blob.depth
    # Out of focus, all lines are wider and weaker.
    wide = drawing.log_uniform(rng, 1.5, 4) if rng.random() < wall.deep else 1.0
    width = max(wall.width * rng.uniform(0.7, 1.3) * radius, 1.2 / size)
    line = max(0.45 * width * wide, 0.7 / size)
    soft = max(0.3 * width * wide, 0.5 / size)
    inside = special.expit(2 * depth / soft)
    side = _side(blob, size, wall.direction)
    uneven = np.clip(1 + 0.4 * texture, 0.3, 2) * (1 + wall.shade * side)
    fade = wide**-0.6
    absorbed = fade * wall.dark * uneven * drawing.bell(depth - 0.5 * width, line)
    absorbed += fade * wall.second * drawing.bell(depth - 1.7 * width, 0.8 * line)
    absorbed += wall.grain * fade * texture * inside
    absorbed -= inside * math.log(wall.tone * rng.uniform(0.95, 1.05))
    absorbed -= 0.3 * wall.shade * inside * side * np.clip(1 - depth / radius, 0, 1)
    kind = rng.random()
    if kind < wall.dense:
        thick = np.sqrt(np.clip(depth / radius, 0, 1))
        absorbed += rng.uniform(0.4, 1.4) * fade * thick * inside * np.clip(1 + 0.3 * texture, 0, 2)
    elif kind < wall.dense + wall.filled:
        absorbed += _contents(rng, blob, size, texture)
    absorbed -= fade * wall.halo * drawing.bell(depth + 1.2 * line, 1.2 * line)
    light[blob.window] *= np.exp(-np.clip(absorbed, -0.8, 3.5))


def _side(blob: Blob, size: int, direction: float) -> np.ndarray:
    """Returns the position along a direction: -1 on one side of the body, 1 on the other."""
    across, down = drawing.grid(size)
    dx, dy = across[:, blob.window[1]] - blob.x, down[blob.window[0]] - blob.y
    along = dx * math.cos(direction) + dy * math.sin(direction)
    return np.clip(along / blob.radius, -1.2, 1.2)


def _contents(rng: Rng, blob: Blob, size: int, texture: np.ndarray) -> np.ndarray:
    """Draws the absorption of dead cells that fill a part of the lumen."""
    across, down = drawing.grid(size)
    angle, away = rng.uniform(0, math.tau), rng.uniform(0, 0.35) * blob.radius
    dx = across[:, blob.window[1]] - blob.x - away * math.cos(angle)
    dy = down[blob.window[0]] - blob.y - away * math.sin(angle)
    reach = blob.radius * rng.uniform(0.25, 0.6)
    clump = np.hypot(dx, dy) / reach * (1 + 0.25 * texture)
    full = special.expit(6 * (1 - clump)) * (blob.depth > 0)
    return rng.uniform(0.2, 1.3) * full * np.clip(1 + 0.4 * texture, 0.2, 2)


def _blurred_rings(rng: Rng, light: Picture, width: float) -> None:
    """Draws pale rings far out of focus, in place; nobody would outline them."""
    for _ in range(rng.integers(1, 8)):
        x, y = rng.random(2).tolist()
        radius = 0.5 * width * rng.uniform(0.5, 1.3)
        strength = rng.uniform(0.02, 0.1)
        drawing.stamp(light, x, y, radius, strength, ring=bool(rng.random() < 0.7))
