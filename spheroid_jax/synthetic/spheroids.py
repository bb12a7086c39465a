"""Synthetic bright-field images of spheroids with exact masks, as of the paper's two labs.

The images are the default training data: they need no download, and each mask is exactly the body
that was drawn. An image is a product of transmissions, as in a microscope. Only the noise of the
sensor depends on the size in pixels, so one (flavour, index, seed) gives the same scene at every
size.

Images are uint8 in [0, 255], masks are boolean, and both are indexed [row, column]. `drawing`
defines the units.
"""

import math
from types import SimpleNamespace

import numpy as np
from jaxtyping import Bool, UInt8
from scipy import ndimage, special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import ByAngle, Mask, Picture, Rng

FLAVOURS = ("easy", "hard")
MIN_SIZE = 64  # pixels; smaller images do not resolve rims and cells

_MARGIN = 0.02  # smallest gap between the body and the frame or a well
_READ_NOISE = 0.6  # grey levels
_CELL_STEP = 20  # knots; with few different numbers of knots, all splines stay cached

# Surroundings of the body for each flavour; all entries of a tuple are equally likely.
_WELLS = {
    "easy": ("open", "open", "open", "wall"),
    "hard": ("micro", "micro", "micro", "wall", "open"),
}
# Uniform ranges of the parameters of a scene: first easy, then hard. The side of the frame is 1.
_PARAMETERS = {
    "log_area": (
        (-2.9, -0.85),
        (-4.1, -2.1),
    ),  # ln(body area / frame area)
    "aspect": ((1.0, 1.5), (1.0, 1.7)),  # long axis / short axis
    "lobes": ((0, 2.5), (0, 4)),  # number of lobes, rounded down
    "ragged": ((0.0, 0.02), (0.01, 0.05)),  # bulge of cells / radius
    "edge": ((0.001, 0.0025), (0.001, 0.004)),  # width of the soft edge
    "tone": ((0.5, 0.78), (0.38, 0.78)),  # transmission of the tissue
    "rim": ((0.2, 1.4), (0.0, 0.3)),  # absorption added at the contour
    "core": ((0.0, 0.9), (0.1, 0.7)),  # absorption added at the centre
    "texture": ((0.08, 0.36), (0.06, 0.15)),  # contrast of the cells
    "cells": ((4, 10), (4, 10)),  # knots of the cells / _CELL_STEP, rounded down
    "wall": ((0.0, 0.12), (0.35, 0.75)),  # absorption outside a wide well
    "light": ((0.7, 0.88), (0.36, 0.62)),  # background / full scale
    "vignette": ((0.0, 0.12), (0.2, 0.5)),  # loss of light in the corners
    "gradient": ((0.0, 0.06), (0.03, 0.15)),  # change of light over half the frame
    "blotch": ((0.01, 0.06), (0.01, 0.04)),  # contrast of blurred structure
    "specks": ((0, 40), (5, 90)),  # number of debris particles
    "fibres": ((0, 1.5), (0, 3)),  # number of fibres, rounded down
    "blur": ((0.0005, 0.0016), (0.0008, 0.003)),  # standard deviation of the defocus
    "electrons": ((9e3, 6e4), (9e3, 6e4)),  # electrons of a pixel at grey level 255
}
# A scene has the attributes that `_draw_scene` sets.
Scene = SimpleNamespace
Point = tuple[float, float]


def make_image(
    flavour: str, index: int, *, seed: int = 0, size: int = 480
) -> tuple[UInt8[np.ndarray, "S S"], Bool[np.ndarray, "S S"]]:
    """Draws one image and its mask, a pure function of the arguments.

    The mask is one 4-connected component without holes and covers at least 1 % of the frame. Its
    boundary is the line of half contrast in the soft edge of the body.

    Args:
      flavour: "easy" (good contrast, even light) or "hard" (low contrast, wells, vignetting,
        debris, smaller and more irregular bodies).
      index: number of the image in its flavour, >= 0.
      seed: number of the collection, >= 0.
      size: S, side of the square frame in pixels, >= 64.

    Returns:
      The image and the mask.

    Raises:
      ValueError: the flavour is unknown or the size is too small.
    """
    if flavour not in FLAVOURS:
        raise ValueError(f"flavour is {flavour!r}, expected one of {FLAVOURS}")
    if size < MIN_SIZE:
        raise ValueError(f"size is {size}, expected at least {MIN_SIZE} pixels")
    rng = np.random.default_rng([seed, index, FLAVOURS.index(flavour)])
    scene = _draw_scene(rng, size, flavour)
    well, middle = scene.surround(rng, scene)
    image = _light(rng, scene) * well
    _add_debris(rng, image, scene, middle)
    tissue, mask = _tissue(rng, scene, middle)
    image = ndimage.gaussian_filter(image * tissue, scene.blur * size)
    return _expose(rng, image, scene), mask


def _draw_scene(rng: Rng, size: int, flavour: str) -> Scene:
    """Draws a scene: its parameters, the kind of well and the outline of the body."""
    which = FLAVOURS.index(flavour)
    scene = SimpleNamespace(size=size)
    for name, ranges in _PARAMETERS.items():
        setattr(scene, name, rng.uniform(*ranges[which]))
    scene.surround = _SURROUNDS[str(rng.choice(_WELLS[flavour]))]
    scene.outline = _outline(rng, scene)
    scene.extent = float(scene.outline.max())
    return scene


def _outline(rng: Rng, scene: Scene) -> ByAngle:
    """Draws the radius of the body for each angle, scaled to the area of the scene."""
    area, stretch = math.exp(scene.log_area), math.sqrt(scene.aspect)
    theta = np.arange(drawing.TURN) * (math.tau / drawing.TURN)
    tilted = theta - rng.uniform(0, math.tau)
    radius = 1 / np.hypot(np.cos(tilted) / stretch, np.sin(tilted) * stretch)
    for _ in range(int(scene.lobes)):
        away = np.angle(np.exp(1j * (theta - rng.uniform(0, math.tau))))
        width = rng.uniform(0.15, 0.8)  # from a finger to a second half
        radius += math.sqrt(width) * rng.uniform(0.1, 0.5) * drawing.bell(away, width)
    radius *= 1 + rng.uniform(0.005, 0.03) * drawing.angular_noise(rng, 4)
    bulges = np.abs(drawing.angular_noise(rng, math.sqrt(area) * rng.uniform(60, 120)))
    patches = special.expit(2 * drawing.angular_noise(rng, 3))
    radius *= 1 + scene.ragged * bulges * patches
    radius *= math.sqrt(area / (math.pi * np.mean(radius**2)))
    radius *= min(1, (0.5 - _MARGIN) / radius.max())
    return radius.astype(np.float32)


def _place(rng: Rng, scene: Scene, room: float, x: float = 0.5, y: float = 0.5) -> Point:
    """Draws the middle of the body; the whole body lies within the distance `room` from (x, y)."""
    away = max(room - scene.extent - _MARGIN, 0) * rng.random()
    angle = rng.uniform(0, math.tau)
    return x + away * math.cos(angle), y + away * math.sin(angle)


def _open(rng: Rng, scene: Scene) -> tuple[Picture, Point]:
    """Draws a scene without a well; the body lies anywhere in the frame.

    Returns:
      Transmission of the surroundings, and the middle of the body.
    """
    shape = (scene.size, scene.size)
    return np.ones(shape, np.float32), _place(rng, scene, 0.5)


def _wall(rng: Rng, scene: Scene) -> tuple[Picture, Point]:
    """Draws the wall of a well about as wide as the frame; the outside is dark.

    Returns:
      Transmission of the well, and the middle of the body.
    """
    mid_x, mid_y = _place(rng, scene, 0.5)
    angle = rng.uniform(0, math.tau)
    gap = rng.uniform(_MARGIN, 0.12)
    inner = max(rng.uniform(0.42, 0.7), scene.extent + gap)
    away = inner - scene.extent - gap
    x, y = drawing.grid(scene.size)
    well_x = mid_x + away * math.cos(angle)
    well_y = mid_y + away * math.sin(angle)
    radius, turn = drawing.polar(x - well_x, y - well_y)
    beyond = radius - inner * (1 + 0.004 * drawing.angular_noise(rng, 3)[turn])
    dark = special.expit(beyond / rng.uniform(0.004, 0.015))
    well = 1 - scene.wall * dark
    for place in rng.uniform(-0.01, 0.06, 3).tolist():
        line = drawing.bell(beyond - place, rng.uniform(0.005, 0.015))
        well += rng.uniform(-0.15, 0.1) * line
    return well, (mid_x, mid_y)


def _micro(rng: Rng, scene: Scene) -> tuple[Picture, Point]:
    """Draws a microwell: a closed ring, about as dark as the body inside the ring.

    Returns:
      Transmission of the microwell, and the middle of the body.
    """
    mid_x, mid_y = rng.uniform(0.38, 0.62, 2).tolist()
    inner = max(rng.uniform(0.17, 0.25), scene.extent + 1.5 * _MARGIN)
    body = _place(rng, scene, inner, mid_x, mid_y)
    x, y = drawing.grid(scene.size)
    radius, angle = drawing.polar(x - mid_x, y - mid_y)
    outer, slopes = _facets(rng, inner + rng.uniform(0.03, 0.09))
    within, beyond = inner - radius, radius - outer[angle]
    soft = rng.uniform(0.002, 0.005)
    ring = special.expit(-within / soft) * special.expit(-beyond / soft)
    shade = rng.uniform(0.05, 0.25) * drawing.bell(beyond, rng.uniform(0.02, 0.06))
    glow = rng.uniform(0.0, 0.25) * within * (2 / inner)
    for place in rng.uniform(0.01, 0.05, 2).tolist():
        glow += rng.uniform(-0.06, 0.1) * drawing.bell(within - place, 0.004)
    floor = np.where(within > 0, 1 + glow, 1 + slopes[angle] - shade)
    return floor * (1 - rng.uniform(0.45, 0.68) * ring), body


def _facets(rng: Rng, radius: float) -> tuple[ByAngle, ByAngle]:
    """Draws the outside of a microwell, which is a square pyramid cut into the plate.

    Args:
      rng: generator.
      radius: largest outer radius of the ring.

    Returns:
      The outer radius of the ring, flattened on four sides; and the brightness of the pyramid,
      relative to 1: four different faces, creases between the faces, and faint tool marks.
    """
    theta = np.arange(drawing.TURN) * (math.tau / drawing.TURN) - rng.uniform(0, math.tau)
    corner = np.abs(np.mod(theta, math.pi / 2) - math.pi / 4)
    flat = rng.uniform(0.88, 1.0, 4)[(theta // (math.pi / 2)).astype(int) % 4]
    outer = radius * np.minimum(1, flat / np.cos(corner))
    faces = 0.03 * drawing.angular_noise(rng, 3) + 0.007 * drawing.angular_noise(rng, 70)
    crease = drawing.bell(math.pi / 4 - corner, rng.uniform(0.03, 0.1))
    slopes = faces + rng.uniform(-0.1, 0.1) * crease
    return outer.astype(np.float32), slopes.astype(np.float32)


_SURROUNDS = {"open": _open, "wall": _wall, "micro": _micro}


def _light(rng: Rng, scene: Scene) -> Picture:
    """Draws the light of an empty field: lamp, vignetting, gradient, blurred structure."""
    x, y = drawing.grid(scene.size)
    lamp_x, lamp_y = rng.uniform(0.4, 0.6, 2).tolist()
    light = 1 - 2 * scene.vignette * ((x - lamp_x) ** 2 + (y - lamp_y) ** 2)
    angle, slope = rng.uniform(0, math.tau), 2 * scene.gradient
    light += slope * math.cos(angle) * (x - 0.5)
    light += slope * math.sin(angle) * (y - 0.5)
    light += scene.blotch * drawing.field(rng, scene.size, 5)
    light += scene.blotch / 4 * drawing.field(rng, scene.size, 20)
    return scene.light * np.maximum(light, 0.05)


def _add_debris(rng: Rng, image: Picture, scene: Scene, middle: Point) -> None:
    """Draws specks, loose cells and fibres onto the image, in place."""
    gather, side = rng.uniform(0, 0.8), rng.integers(drawing.TURN)
    scale = rng.uniform(0.5, 1.4)
    for _ in range(int(scene.specks)):
        x, y = rng.random(2).tolist()
        turn = int(side + drawing.TURN / 8 * rng.standard_normal()) % drawing.TURN
        out = _MARGIN / 2 + rng.exponential(0.025)
        if rng.random() < gather:  # shed by the body
            away = float(scene.outline[turn]) + out
            x = middle[0] + away * math.cos(turn * math.tau / drawing.TURN)
            y = middle[1] + away * math.sin(turn * math.tau / drawing.TURN)
        radius, dark = scale * rng.uniform(0.003, 0.01), rng.uniform(0.1, 0.55)
        if rng.random() < 0.1:  # out of focus
            radius, dark = 3 * radius, dark / 4
        drawing.stamp(image, x, y, radius, dark, ring=bool(rng.random() < 0.5))
    for _ in range(int(scene.fibres)):
        image *= drawing.fibre(rng, scene.size)


def _tissue(rng: Rng, scene: Scene, middle: Point) -> tuple[Picture, Mask]:
    """Draws the transmission of the body, and its mask."""
    swell = 0.025 * float(np.sqrt(np.mean(scene.outline**2)))
    x, y = (
        line
        - place
        + swell * drawing.field(rng, scene.size, 8)
        + 0.05 * scene.ragged * drawing.field(rng, scene.size, 60)
        for line, place in zip(drawing.grid(scene.size), middle, strict=True)
    )
    radius, angle = drawing.polar(x, y)
    reach = scene.outline[angle]
    depth = reach - radius  # from the contour inwards
    edge = depth / (scene.edge * np.exp(0.35 * drawing.angular_noise(rng, 3)))[angle]
    inside = special.expit(2 * edge)
    core = scene.core * np.clip(depth / reach, 0, 1) ** 1.5
    rim = scene.rim * np.clip(1 + 0.4 * drawing.angular_noise(rng, 8), 0.2, 2)[angle]
    rim *= drawing.bell(depth - 0.003, rng.uniform(0.005, 0.014))
    grain = drawing.grain(rng, scene.size, _CELL_STEP * int(scene.cells))
    tone = scene.tone * (1 + scene.texture * grain) * np.exp(-core - rim)
    halo = 1 + rng.uniform(0, 0.12) * drawing.bell(edge / 2 + 2, 1)
    image = inside * np.maximum(tone, 0.05) + (1 - inside) * halo
    return image, drawing.solid(depth > 0)


def _expose(rng: Rng, image: Picture, scene: Scene) -> UInt8[np.ndarray, "S S"]:
    """Turns light into grey levels with shot noise and read noise."""
    grey = 255 * np.maximum(image, 0)
    sigma = np.sqrt(grey * (255 / scene.electrons) + _READ_NOISE**2)
    grey += sigma * rng.standard_normal(grey.shape, dtype=np.float32)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
