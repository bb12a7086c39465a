"""Frames of elongated bodies side by side, as grains of rice or eggs: alone, in rows, in heaps.

Their long sides touch, so that the background between two bodies is a line or nothing.
"""

import math
from typing import NamedTuple

import numpy as np

from spheroid_jax.synthetic import drawing, tissue
from spheroid_jax.synthetic.drawing import TURN, Rng
from spheroid_jax.synthetic.scenes import blobs, crowds, scene
from spheroid_jax.synthetic.scenes.blobs import Family
from spheroid_jax.synthetic.scenes.scene import Sketch

_TRIES = 20  # for each place of a body, before the body is left out
# Discs along a body, by which overlap is judged: place over half its length, and radius over half
# its width.
_ALONG = np.array([-0.72, -0.4, 0.0, 0.4, 0.72])
_WIDE = np.array([0.6, 0.88, 1.0, 0.88, 0.6])


class Grain(NamedTuple):
    """Where an elongated body goes.

    Attributes:
      x: horizontal position of its middle.
      y: vertical position of its middle.
      angle: direction of its length.
      length: its length.
      width: its width.
    """

    x: float
    y: float
    angle: float
    length: float
    width: float

    def discs(self) -> np.ndarray:
        """Discs along the body: x, y and radius of each."""
        along = 0.5 * self.length * _ALONG
        return np.stack(
            [
                self.x + along * math.cos(self.angle),
                self.y + along * math.sin(self.angle),
                0.5 * self.width * _WIDE,
            ],
            axis=1,
        )


def grains(rng: Rng, size: int) -> Sketch:
    """Draws 2 to 60 elongated bodies of one look, most of them bright on a dark ground."""
    count = round(drawing.log_uniform(rng, 2, 60))
    aspect = rng.uniform(1.6, 3.2)
    least = scene.least_width(size)
    width = drawing.log_uniform(rng, least, max(0.95 / math.sqrt(count * aspect), 1.5 * least))
    places = _heap(rng, count, min(width, 0.3), aspect)
    light = scene.ground(rng, size)
    look = scene.scaled(tissue.draw(rng), width, size)
    if rng.random() < 0.6:
        light = light * drawing.log_uniform(rng, 0.02, 0.3)
        look = look._replace(tone=rng.uniform(2.5, 8.0), core=0.0, rim=0.0, halo=0.0)
    crowds.add_specks(rng, light, width / 2)
    family = _family(rng, aspect)
    margin = min(2.5 * look.halo_width, 0.1) + 2 / size
    bodies = []
    for place in places:
        radius = math.sqrt(place.length * place.width) / 2
        at = place.x, place.y
        bodies.append(blobs.draw(rng, size, family, radius, *at, margin=margin, angle=place.angle))
    light, labels = crowds.lay(rng, light, bodies, look)
    return Sketch(light, labels, detail=width)


def _family(rng: Rng, aspect: float) -> Family:
    """Draws outlines of one character: ovals, blunt or pointed, one end wider than the other."""
    theta = np.arange(TURN) * (math.tau / TURN)
    power = rng.uniform(1.7, 2.5)
    egg, waves = drawing.sometimes(rng, 0.6, 0.0, 0.2), rng.uniform(0, 0.02)
    family = np.empty((8, TURN), np.float32)
    for n in range(len(family)):
        own = aspect * rng.uniform(0.92, 1.08)
        level = np.abs(np.cos(theta) / own) ** power + np.abs(np.sin(theta)) ** power
        reach = level ** (-1 / power) * (1 + egg * np.sin(theta) ** 2 * np.cos(theta))
        reach *= 1 + waves * drawing.angular_noise(rng, 4)
        family[n] = reach / math.sqrt(np.mean(reach**2))
    return family


def _heap(rng: Rng, count: int, width: float, aspect: float) -> list[Grain]:
    """Draws places for bodies; most lie beside another one, hardly any two overlap."""
    gather, loose = rng.uniform(0.3, 0.97), drawing.log_uniform(rng, 0.03, 0.5)
    close = rng.uniform(0.85, 1.0)  # least distance of two discs over the sum of their radii
    places: list[Grain] = []
    taken = np.empty((0, 3))
    for _ in range(count):
        for _ in range(_TRIES):
            own = width * rng.uniform(0.85, 1.15)
            angle = rng.uniform(0, math.tau)
            x, y = rng.uniform(-0.05, 1.05, 2)
            if places and rng.random() < gather:
                x, y, angle = _beside(rng, places[rng.integers(len(places))], own, loose)
            place = Grain(float(x), float(y), angle, own * aspect, own)
            if not (-0.1 < place.x < 1.1 and -0.1 < place.y < 1.1):
                continue
            discs = place.discs()
            away = np.hypot(*(discs[:, None, axis] - taken[None, :, axis] for axis in (0, 1)))
            reach = discs[:, None, 2] + taken[None, :, 2]
            if not len(taken) or (away / reach).min() >= close:
                places.append(place)
                taken = np.vstack([taken, discs])
                break
    return places


def _beside(rng: Rng, near: Grain, width: float, loose: float) -> tuple[float, float, float]:
    """Returns the middle and the direction of a body beside another, or at its end."""
    angle = near.angle + loose * float(rng.standard_normal())
    side = rng.choice([-1, 1])
    across = side * 0.5 * (near.width + width) * rng.uniform(0.92, 1.06)
    along = rng.uniform(-0.5, 0.5) * near.length
    if rng.random() < 0.25:  # at its end
        across, along = rng.uniform(-0.4, 0.4) * near.width, side * near.length * 0.98
        angle += rng.uniform(-0.8, 0.8)
    cos, sin = math.cos(near.angle), math.sin(near.angle)
    return near.x + along * cos - across * sin, near.y + along * sin + across * cos, angle
