"""Drawings that share nothing with `spheroid_jax.synthetic`, to check verdicts.

Frames of 300 to 2000 px, 8 and 16 bits, three aspects; empty wells of nine kinds and bodies of
eleven. Nothing is calibrated on them.
"""

import math

import numpy as np
from scipy import ndimage


def draw(kind, index):
    """Draws one image, a pure function of its kind (`EMPTY` or `BODIES`) and its number."""
    kinds = [*EMPTY, *BODIES]
    rng = np.random.default_rng([7, index, kinds.index(kind)])
    width = int(math.exp(rng.uniform(math.log(300), math.log(2000))))
    height = int(width * rng.choice([1, 1, 0.75, 0.75, 0.5625]))
    light = (EMPTY | BODIES)[kind](rng, *_coordinates(height, width))
    if rng.random() < 0.5:
        return np.rint(255 * light.clip(0, 1)).astype(np.uint8)
    full = rng.choice([4095, 16383, 65535])
    return (rng.integers(0, 200) + full * light.clip(0, 1)).clip(0, 65535).astype(np.uint16)


def _coordinates(height, width):
    """Coordinates x and y from the middle, in units of the width."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return (x - width / 2) / width, (y - height / 2) / width


def _soft(distance, width):
    """1 where the distance is negative, 0 where it is positive, linear in between."""
    return np.clip(0.5 - distance / width, 0, 1)


def _sensor(rng, light, least=0.002, most=0.02):
    """Shot noise and a column pattern."""
    sd = math.exp(rng.uniform(math.log(least), math.log(most)))
    noisy = light + sd * np.sqrt(light.clip(0.05)) * rng.standard_normal(light.shape)
    if rng.random() < 0.2:
        noisy = noisy + 0.5 * sd * rng.standard_normal(light.shape[1])
    return noisy


def _field(rng, x, y):
    """An even or tilted field."""
    tilt = rng.uniform(-0.2, 0.2, 2) * rng.integers(0, 2)
    return rng.uniform(0.25, 0.85) + tilt[0] * x + tilt[1] * y


def _flat(rng, x, y):
    return _sensor(rng, _field(rng, x, y))


def _noise(rng, x, y):
    noise = rng.standard_normal(x.shape)
    kind = rng.integers(0, 4)
    if kind == 1:
        noise = ndimage.uniform_filter(noise, rng.integers(2, 5))
    if kind == 2:
        noise = rng.exponential(1, x.shape)
    if kind == 3:
        noise = rng.uniform(-2, 2, x.shape) * (rng.random(x.shape) < 0.05)
    return 0.45 + rng.uniform(0.01, 0.2) * noise / noise.std()


def _vignette(rng, x, y):
    away = np.hypot(x - rng.uniform(-0.2, 0.2), y - rng.uniform(-0.1, 0.1))
    fall = np.cos(away * rng.uniform(0.8, 2.2)).clip(0) ** rng.choice([1, 2, 4])
    return _sensor(rng, rng.uniform(0.4, 0.95) * fall)


def _lit_well(rng, x, y):
    """A lit well on black or gray, round or square, perhaps cut by the frame."""
    dx, dy = x - rng.uniform(-0.1, 0.1), y - rng.uniform(-0.08, 0.08)
    radius = rng.uniform(0.2, 0.55)
    away = np.hypot(dx, dy) if rng.random() < 0.8 else np.maximum(abs(dx), abs(dy))
    inside = _soft(away - radius, rng.choice([0.004, 0.02, 0.06]))
    outer = rng.choice([0.0, 0.02, 0.15, 0.4])
    light = outer + inside * (rng.uniform(0.55, 0.9) - outer) * (1 - rng.uniform(0, 0.8) * away**2)
    if rng.random() < 0.5:  # the meniscus
        ring = abs(away - radius * rng.uniform(0.85, 1)) < rng.uniform(0.003, 0.02)
        light = light + rng.uniform(-0.4, 0.3) * ring
    return _sensor(rng, light)


def _debris(rng, x, y, light=None):
    """Dark and bright crumbs: squares, discs and short rods of up to 1 % of the width."""
    light = _field(rng, x, y) if light is None else light
    light = light.copy()
    for _ in range(rng.integers(4, 120)):
        dx = x - rng.uniform(-0.5, 0.5)
        dy = y - rng.uniform(-0.5, 0.5)
        radius, shape = rng.uniform(0.0015, 0.01), rng.integers(0, 3)
        if shape == 0:
            crumb = np.maximum(abs(dx), abs(dy)) < radius
        elif shape == 1:
            crumb = dx**2 + dy**2 < radius**2
        else:
            crumb = (abs(dx + dy) < 3 * radius) & (abs(dx - dy) < 0.6 * radius)
        light[crumb] += rng.uniform(-0.5, 0.15)
    return _sensor(rng, light)


def _bubble(rng, x, y):
    light = _field(rng, x, y)
    for _ in range(rng.integers(1, 4)):
        radius = rng.uniform(0.03, 0.25)
        away = np.hypot(x - rng.uniform(-0.35, 0.35), y - rng.uniform(-0.25, 0.25))
        rim = abs(away - radius) < rng.uniform(0.003, 0.02)
        light = light - rng.uniform(0.15, 0.7) * rim
        shine = np.exp(-((away / (0.4 * radius)) ** 2)) * rng.integers(0, 2)
        light = light + rng.uniform(0, 0.3) * shine + rng.uniform(0, 0.1) * (away < radius)
    return _sensor(rng, ndimage.gaussian_filter(light, x.shape[1] * rng.uniform(0, 0.002)))


def _scratch(rng, x, y):
    light = _field(rng, x, y)
    for _ in range(rng.integers(1, 6)):
        turn = rng.uniform(0, math.pi)
        across = x * math.cos(turn) + y * math.sin(turn) - rng.uniform(-0.3, 0.3)
        along = y * math.cos(turn) - x * math.sin(turn)
        across = across + rng.uniform(0, 0.05) * np.sin(rng.uniform(3, 15) * along)
        seen = abs(across) < rng.uniform(0.001, 0.006)
        light = light + rng.choice([-1, -1, 0.6]) * rng.uniform(0.1, 0.5) * seen
    return _sensor(rng, light)


def _black(rng, x, y):
    light = rng.uniform(0, 0.02) + rng.uniform(0.0005, 0.01) * rng.standard_normal(x.shape)
    hot = rng.random(x.shape) < rng.choice([0, 1e-5, 1e-4])
    return light + hot * rng.uniform(0.1, 1)


def _saturated(rng, x, y):
    light = 1.0 + rng.uniform(0, 0.3) - rng.uniform(0, 0.4) * (x**2 + y**2)
    return light + rng.uniform(0.005, 0.05) * rng.standard_normal(x.shape)


def _outline(rng, x, y, *, least=0.06, most=0.24, wobble=0.08, off=0.12):
    """Distance from a wobbling outline over the radius, negative inside; the radius."""
    radius = math.exp(rng.uniform(math.log(least), math.log(most)))
    dx, dy = x - rng.uniform(-off, off), y - rng.uniform(-off, off) * 0.6
    turn, stretch = rng.uniform(0, math.pi), rng.uniform(1, 1.4)
    along = dx * math.cos(turn) + dy * math.sin(turn)
    across = dy * math.cos(turn) - dx * math.sin(turn)
    angle = np.arctan2(across, along)
    reach = 1.0
    for waves in range(2, 7):
        size = rng.uniform(0, wobble) / waves
        reach = reach + size * np.sin(waves * angle + rng.uniform(0, 6.3))
    return np.hypot(along / stretch, across * stretch) / (radius * reach) - 1, radius


def _grains(rng, x, width):
    """Grains of a width in units of the frame's, with a standard deviation of 1."""
    noise = ndimage.gaussian_filter(rng.standard_normal(x.shape), max(width * x.shape[1], 0.7))
    return noise / noise.std()


def _lay(rng, light, out, radius, tone, *, grain=0.06, edge=None):
    """A body of a tone over the field, with grains and a soft edge."""
    edge = rng.uniform(0.02, 0.12) if edge is None else edge
    cover = _soft(out, edge)
    tissue = tone + grain * _grains(rng, out, rng.uniform(0.02, 0.1) * radius)
    return light * (1 - cover) + cover * tissue


def _dark_disc(rng, x, y):
    light = _field(rng, x, y) + 0.1
    out, radius = _outline(rng, x, y, wobble=0.02)
    tone = light.mean() * rng.uniform(0.3, 0.7)
    return _sensor(rng, _lay(rng, light, out, radius, tone, grain=rng.uniform(0.01, 0.08)))


def _plain_disc(rng, x, y):
    """A perfect circle of one tone, darker than the field: no grain, no shading."""
    light = _field(rng, x, y) + 0.1
    radius = rng.uniform(0.08, 0.25)
    away = np.hypot(x - rng.uniform(-0.15, 0.15), y - rng.uniform(-0.08, 0.08))
    tone = light.mean() * rng.uniform(0.25, 0.75)
    return _sensor(rng, _lay(rng, light, away / radius - 1, radius, tone, grain=0))


def _ball(rng, x, y):
    """Dark in the middle, as thick tissue is."""
    light = _field(rng, x, y) + 0.1
    out, radius = _outline(rng, x, y)
    thick = np.sqrt((1 - (out + 1) ** 2).clip(0))
    tone = light * np.exp(-rng.uniform(0.6, 1.6) * (0.25 + thick))
    return _sensor(rng, _lay(rng, light, out, radius, tone, grain=rng.uniform(0.01, 0.05)))


def _bright(rng, x, y):
    """A bright body on a dark field."""
    out, radius = _outline(rng, x, y)
    light = rng.uniform(0.05, 0.3) + 0 * x
    return _sensor(rng, _lay(rng, light, out, radius, rng.uniform(0.55, 0.9)))


def _lobed(rng, x, y):
    light = _field(rng, x, y) + 0.1
    out, radius = _outline(rng, x, y, least=0.1, wobble=0.5)
    return _sensor(rng, _lay(rng, light, out, radius, light.mean() * rng.uniform(0.3, 0.7)))


def _in_lit_well(rng, x, y):
    away, well = np.hypot(x, y), rng.uniform(0.3, 0.5)
    light = 0.02 + rng.uniform(0.5, 0.85) * _soft(away - well, 0.02)
    out, radius = _outline(rng, x, y, least=0.07, most=0.17, off=0.06)
    return _sensor(rng, _lay(rng, light, out, radius, rng.uniform(0.15, 0.35)))


def _in_vignette(rng, x, y):
    light = rng.uniform(0.5, 0.9) * np.cos(np.hypot(x, y) * rng.uniform(1, 1.8)).clip(0) ** 2
    out, radius = _outline(rng, x, y, most=0.2)
    return _sensor(rng, _lay(rng, light, out, radius, rng.uniform(0.15, 0.3)))


def _among_debris(rng, x, y):
    return _debris(rng, x, y, _dark_disc(rng, x, y))


def _faint_rim(rng, x, y):
    """A body hardly darker than the field, with a dark rim and grains."""
    light = rng.uniform(0.5, 0.8) + 0 * x
    out, radius = _outline(rng, x, y, least=0.1)
    light = _lay(rng, light, out, radius, light.mean() * rng.uniform(0.75, 0.9), grain=0.05)
    return _sensor(rng, light - 0.3 * np.exp(-((out / 0.06) ** 2)), most=0.01)


def _cut(rng, x, y):
    """A body that the frame cuts."""
    light = _field(rng, x, y) + 0.1
    out, radius = _outline(rng, x - rng.choice([-0.45, 0.45]), y, least=0.12)
    return _sensor(rng, _lay(rng, light, out, radius, light.mean() * rng.uniform(0.3, 0.7)))


def _cells(rng, x, y):
    """A body of distinct cells, each a dark disc with a bright middle."""
    light = rng.uniform(0.5, 0.8) + 0 * x
    out, radius = _outline(rng, x, y, least=0.1)
    light = _lay(rng, light, out, radius, light.mean() * rng.uniform(0.5, 0.75), grain=0.02)
    cells = _grains(rng, x, 0.06 * radius)
    return _sensor(rng, light - 0.12 * (abs(cells) < 0.4) * _soft(out, 0.1))


EMPTY = {
    "flat": _flat,
    "noise": _noise,
    "vignette": _vignette,
    "lit well": _lit_well,
    "debris": _debris,
    "bubble": _bubble,
    "scratch": _scratch,
    "black": _black,
    "saturated": _saturated,
}
BODIES = {
    "dark disc": _dark_disc,
    "ball": _ball,
    "bright on dark": _bright,
    "lobed": _lobed,
    "in a lit well": _in_lit_well,
    "in a vignette": _in_vignette,
    "among debris": _among_debris,
    "faint with a rim": _faint_rim,
    "cut by the frame": _cut,
    "of distinct cells": _cells,
    "plain disc": _plain_disc,
}
