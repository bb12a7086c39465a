"""Synthetic images without a body, and of other situations that a verdict must name.

Empty wells are drawn in nine kinds, each over wide ranges of noise, light and size, so that a
verdict is not calibrated on one look. `varied` and `spheroids` draw images with bodies.
"""

import math

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from spheroid_jax.synthetic.drawing import Rng

_STREAM = 5  # Apart from the streams of the other modules.


def make_empty(
    kind: str, index: int, *, seed: int = 0, shape: tuple[int, int] = (240, 320)
) -> UInt8[np.ndarray, "H W"]:
    """Draws one image without a body, a pure function of the arguments.

    Args:
      kind: one of `EMPTY`.
      index: number of the image in its kind, >= 0.
      seed: number of the collection, >= 0.
      shape: height and width in pixels.

    Returns:
      The image, uint8 (H, W).
    """
    rng = np.random.default_rng([seed, index, list(EMPTY).index(kind), _STREAM])
    light = EMPTY[kind](rng, shape)
    return np.rint(255 * np.clip(light, 0, 1)).astype(np.uint8)


def _ground(rng: Rng, shape) -> np.ndarray:
    """Draws the field of an empty well: level, gradient, blotches, noise."""
    rows, columns = _grid(shape)
    angle = rng.uniform(0, math.tau)
    slope = rng.uniform(0, 0.15) * (math.cos(angle) * columns + math.sin(angle) * rows)
    blotches = rng.uniform(0, 0.02) * _blotches(rng, shape, rng.uniform(6, 40))
    return rng.uniform(0.35, 0.9) + slope + blotches + _noise(rng, shape)


def _grid(shape) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel, from the middle, over the longer side."""
    rows, columns = (np.arange(side) - (side - 1) / 2 for side in shape)
    return rows[:, None] / max(shape), columns[None, :] / max(shape)


def _blotches(rng: Rng, shape, width_px: float) -> np.ndarray:
    field = ndimage.gaussian_filter(rng.standard_normal(shape), width_px, mode="wrap")
    return field / field.std()


def _noise(rng: Rng, shape) -> np.ndarray:
    noise = rng.standard_normal(shape)
    if rng.random() < 0.3:  # Smoothed by a program.
        noise = ndimage.gaussian_filter(noise, rng.uniform(0.4, 1.0))
    return math.exp(rng.uniform(math.log(0.003), math.log(0.03))) * noise


def _only_noise(rng: Rng, shape) -> np.ndarray:
    return rng.uniform(0.2, 0.9) + _noise(rng, shape)


def _vignette(rng: Rng, shape) -> np.ndarray:
    rows, columns = _grid(shape)
    away = np.hypot(rows - rng.uniform(-0.1, 0.1), columns - rng.uniform(-0.1, 0.1))
    loss = rng.uniform(0.2, 0.7) * (away / 0.6) ** rng.uniform(1.5, 4)
    return _ground(rng, shape) * np.clip(1 - loss, 0, 1)


def _well_wall(rng: Rng, shape) -> np.ndarray:
    rows, columns = _grid(shape)
    rows, columns = rows - rng.uniform(-0.06, 0.06), columns - rng.uniform(-0.06, 0.06)
    away = np.hypot(rows, columns)
    if rng.random() < 0.2:  # a square well with rounded corners
        away = (np.abs(rows) ** 6 + np.abs(columns) ** 6) ** (1 / 6)
    radius, soft = rng.uniform(0.28, 0.48), rng.uniform(0.002, 0.02)
    outside = 1 / (1 + np.exp(np.clip((radius - away) / soft, -50, 50)))
    ring = rng.uniform(-0.3, 0.3) * np.exp(-(((away - radius) / rng.uniform(0.005, 0.02)) ** 2))
    # Never brighter than the well: a plain dark disc on a bright field is a body to any eye.
    outer = rng.choice([0.0, rng.uniform(0.02, 0.6)])
    return _ground(rng, shape) * (1 + outside * (outer - 1)) + ring


def _debris(rng: Rng, shape) -> np.ndarray:
    image = _ground(rng, shape)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for _ in range(int(rng.integers(5, 80))):
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        radius = math.exp(rng.uniform(math.log(0.8), math.log(4))) * max(shape) / 320
        distance2 = (rows - row) ** 2 + (columns - column) ** 2
        image -= rng.uniform(0.05, 0.4) * np.exp(-distance2 / (2 * radius**2))
    return image


def _bubble(rng: Rng, shape) -> np.ndarray:
    rows, columns = _grid(shape)
    image = _ground(rng, shape)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        away = np.hypot(rows - rng.uniform(-0.25, 0.25), columns - rng.uniform(-0.3, 0.3))
        radius = rng.uniform(0.05, 0.25)
        width = min(rng.uniform(0.004, 0.02), 0.15 * radius)
        image -= rng.uniform(0.2, 0.6) * np.exp(-(((away - radius) / width) ** 2))
        inner = np.exp(np.clip((away - radius + width) / 0.003, -50, 50))
        image += rng.uniform(0, 0.2) / (1 + inner)
    return image


def _scratch(rng: Rng, shape) -> np.ndarray:
    image = _ground(rng, shape)
    rows, columns = _grid(shape)
    for _ in range(int(rng.integers(1, 4))):
        angle = rng.uniform(0, math.pi)
        across = math.cos(angle) * rows + math.sin(angle) * columns - rng.uniform(-0.25, 0.25)
        depth = rng.uniform(0.1, 0.5) * rng.choice([1, -0.5])
        image -= depth * np.exp(-((across / rng.uniform(0.002, 0.008)) ** 2))
    return image


def _black(rng: Rng, shape) -> np.ndarray:
    return rng.uniform(0, 0.02) + rng.uniform(0.002, 0.008) * rng.standard_normal(shape)


def _saturated(rng: Rng, shape) -> np.ndarray:
    few = rng.random(shape) < 10 ** rng.uniform(-4.5, -2.5)
    return np.ones(shape) - few * rng.uniform(0.02, 0.4)


EMPTY = {
    "flat": _ground,
    "only noise": _only_noise,
    "vignette": _vignette,
    "well wall": _well_wall,
    "debris": _debris,
    "bubble": _bubble,
    "scratch": _scratch,
    "black": _black,
    "saturated": _saturated,
}
