"""What lies beside bodies and is none: bubbles, threads, droplets, scratches, dust, condensation.

Each function changes the light of a frame in place. `marks` has what programs and makers of plates
write into images. `drawing` defines the units.
"""

import math

import numpy as np
from scipy import special

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.scenes import blobs


def bubble(rng: Rng, light: Picture, *, least=0.02, largest=0.4) -> None:
    """Draws an air bubble: a thick dark rim, a bright middle, and bright reflections."""
    size = len(light)
    radius = drawing.log_uniform(rng, max(least, 6 / size), largest) / 2
    x, y = rng.uniform(-0.05, 1.05, 2).tolist()
    draw_bubble(rng, light, x, y, radius, rim=rng.uniform(0.2, 0.5), dark=rng.uniform(0.75, 0.99))


def draw_bubble(
    rng: Rng, light: Picture, x: float, y: float, radius: float, *, rim: float, dark: float
) -> None:
    """Draws one bubble; `rim` is the width of the dark rim, divided by the radius."""
    size = len(light)
    blob = blobs.draw(rng, size, blobs.disc_family(), radius, x, y, margin=0.5 * radius + 3 / size)
    part = light[blob.window]
    if not part.size:
        return
    soft = max(0.03 * radius, 0.5 / size)
    depth = blob.depth
    inside = special.expit(2 * depth / soft)
    ring = inside * special.expit(2 * (rim * radius - depth) / max(0.15 * rim * radius, soft))
    level = float(part.mean())
    middle = 1 + rng.uniform(-0.1, 0.5) * np.clip(depth / radius, 0, 1)
    part *= 1 + inside * (middle - 1)
    part *= 1 - dark * ring
    part *= 1 + rng.uniform(0, 0.5) * drawing.bell(depth + 2 * soft, 2 * soft)
    part += level * rng.uniform(0, 0.8) * drawing.bell(depth - 0.5 * rim * radius, soft)
    across, down = drawing.grid(size)
    for _ in range(rng.integers(1, 4)):  # reflections, which cysts do not have
        angle, away = rng.uniform(0, math.tau), radius * rng.uniform(0.2, 0.8)
        dx = across[:, blob.window[1]] - x - away * math.cos(angle)
        dy = down[blob.window[0]] - y - away * math.sin(angle)
        spot = drawing.bell(np.hypot(dx, dy), max(0.12 * radius, 1 / size))
        part += level * rng.uniform(0.3, 1.0) * spot


def bubbles(rng: Rng, light: Picture) -> None:
    """Draws one to five bubbles."""
    for _ in range(int(drawing.log_uniform(rng, 1, 6))):
        bubble(rng, light)


def thread(rng: Rng, light: Picture) -> None:
    """Draws a long curved fibre: dark, bright, or dark with a bright middle."""
    size = len(light)
    x, y = drawing.grid(size)
    angle = rng.uniform(0, math.tau)
    mid_x, mid_y = rng.random(2).tolist()
    along = (x - mid_x) * math.cos(angle) + (y - mid_y) * math.sin(angle)
    across = (y - mid_y) * math.cos(angle) - (x - mid_x) * math.sin(angle)
    for _ in range(3):
        across = across + rng.uniform(0, 0.06) * np.sin(
            along * drawing.log_uniform(rng, 2, 25) + rng.uniform(0, math.tau)
        )
    width = max(drawing.log_uniform(rng, 0.0015, 0.012), 0.6 / size)
    line = drawing.bell(across, width)
    if rng.random() < 0.4:
        line = line - rng.uniform(0.5, 1.5) * drawing.bell(across, 0.45 * width)
    ends = special.expit((rng.uniform(0.1, 0.9) - np.abs(along)) / 0.01)
    light *= np.maximum(1 - rng.uniform(0.15, 0.85) * line * ends, 0.05)


def threads(rng: Rng, light: Picture) -> None:
    """Draws one to five fibres."""
    for _ in range(rng.integers(1, 4)):
        thread(rng, light)
    for _ in range(rng.integers(0, 3)):
        light *= drawing.fibre(rng, len(light))


def scratches(rng: Rng, light: Picture) -> None:
    """Draws straight scratches, many of them parallel."""
    size = len(light)
    x, y = drawing.grid(size)
    main, loose = rng.uniform(0, math.pi), drawing.sometimes(rng, 0.5, 0.02, 1.5)
    for _ in range(int(drawing.log_uniform(rng, 1, 9))):
        angle = main + loose * rng.standard_normal()
        across = (y - rng.random()) * math.cos(angle) - (x - rng.random()) * math.sin(angle)
        along = x * math.cos(angle) + y * math.sin(angle) - rng.uniform(-0.3, 1.3)
        width = max(drawing.log_uniform(rng, 0.0008, 0.006), 0.5 / size)
        reach = drawing.log_uniform(rng, 0.05, 2)
        line = drawing.bell(across, width) * special.expit((reach - np.abs(along)) / 0.01)
        light *= np.clip(1 - rng.uniform(-0.5, 0.7) * line, 0.05, None)


def droplet(rng: Rng, light: Picture) -> None:
    """Draws the edge of a droplet of medium or of gel: a bright and a dark line, two grounds."""
    size = len(light)
    radius = drawing.log_uniform(rng, 0.55, 2)  # wider than the frame, unlike a body
    angle, away = rng.uniform(0, math.tau), radius + rng.uniform(-0.35, 0.2)
    x, y = 0.5 + away * math.cos(angle), 0.5 + away * math.sin(angle)
    across, down = drawing.grid(size)
    distance, turn = drawing.polar(across - x, down - y)
    wobble = 1 + drawing.sometimes(rng, 0.7, 0, 0.03) * drawing.angular_noise(rng, 4)
    depth = radius * wobble[turn] - distance
    soft = max(drawing.log_uniform(rng, 0.002, 0.03), 0.5 / size)
    light *= 1 + rng.uniform(-0.5, 0.25) * special.expit(2 * depth / soft)
    fade = rng.uniform(0, 0.6) * drawing.bell(np.maximum(depth, 0), rng.uniform(0.03, 0.3))
    light *= 1 - fade * (depth > 0)
    for place in (0.0, rng.uniform(-0.03, 0.03)):
        light *= 1 + rng.uniform(-0.6, 0.6) * drawing.bell(depth - place, soft)


def dust(rng: Rng, light: Picture) -> None:
    """Draws dust in focus (dark, jagged) and out of focus (discs and rings)."""
    size = len(light)
    family = blobs.draw_family(rng, count=3, spiky=rng.uniform(0, 0.4))
    for _ in range(int(drawing.log_uniform(rng, 1, 12))):
        x, y = rng.random(2).tolist()
        if rng.random() < 0.6:
            reach = drawing.log_uniform(rng, 0.002, 0.008)
            blob = blobs.draw(rng, size, family, reach, x, y, margin=2 / size)
            edge = special.expit(2 * blob.depth * size)
            light[blob.window] *= 1 - rng.uniform(0.4, 0.95) * edge
        else:
            reach = drawing.log_uniform(rng, 0.015, 0.06)
            strength = rng.uniform(0.03, 0.2)
            drawing.stamp(light, x, y, reach, strength, ring=bool(rng.random() < 0.6))


def condensation(rng: Rng, light: Picture) -> None:
    """Draws condensed water on a lid: droplets of many sizes, with bright middles, out of focus."""
    size = len(light)
    soft = rng.random() < 0.5
    strength, rim = rng.uniform(0.15, 0.7), rng.uniform(0.3, 0.7)
    radius = drawing.log_uniform(rng, 0.005, 0.015)  # smaller than most cysts
    spread = rng.uniform(0.1, 0.5)
    for _ in range(int(drawing.log_uniform(rng, 20, 140))):
        x, y = rng.random(2).tolist()
        reach = radius * math.exp(spread * rng.standard_normal())
        if soft:
            drawing.stamp(light, x, y, reach, strength * rng.uniform(0.3, 1), ring=True)
        else:
            draw_bubble(rng, light, x, y, max(reach, 2.5 / size), rim=rim, dark=strength)


def debris_cloud(rng: Rng, light: Picture) -> None:
    """Draws clouds of fine debris or of dead cells, without a contour."""
    size = len(light)
    for _ in range(rng.integers(1, 4)):
        away = _uneven_distance(rng, size, (0.05, 0.5), 0.4, 5)
        fine = drawing.field(rng, size, int(min(drawing.log_uniform(rng, 40, 150), 0.6 * size)))
        clumps = np.clip(0.5 + drawing.field(rng, size, 20), 0, 2)
        grains = np.maximum(fine - rng.uniform(0.2, 1.2), 0) * clumps
        light *= np.clip(1 - rng.uniform(0.1, 0.6) * drawing.bell(away, 1) * grains, 0.1, 1)


def loose_cells(rng: Rng, light: Picture) -> None:
    """Draws single cells and small groups of cells."""
    radius = drawing.log_uniform(rng, 0.003, 0.008)
    dark, rings = rng.uniform(0.15, 0.7), bool(rng.random() < 0.7)
    x, y = rng.random(2).tolist()
    gather, near = rng.uniform(0, 0.7), rng.uniform(0.01, 0.06)
    for _ in range(int(drawing.log_uniform(rng, 8, 150))):
        if rng.random() < gather:
            x, y = (near * rng.standard_normal(2) + (x, y)).tolist()
        else:
            x, y = rng.random(2).tolist()
        drawing.stamp(light, x, y, radius * rng.uniform(0.7, 1.3), dark, ring=rings)


def seams(rng: Rng, light: Picture) -> None:
    """Draws the seams of stitched tiles: steps of brightness, and shading in each tile."""
    size = len(light)
    step = rng.uniform(0.25, 0.8)
    tile = [np.floor((line + rng.random()) / step).astype(int) for line in drawing.grid(size)]
    rows, columns = int(tile[1].max()) + 1, int(tile[0].max()) + 1
    levels = 1 + rng.uniform(0.02, 0.2) * rng.uniform(-1, 1, (rows, columns))
    light *= levels[tile[1], tile[0]].astype(np.float32)


def lattice(rng: Rng, light: Picture) -> None:
    """Draws a ruled grid or a mesh of thin lines."""
    size = len(light)
    x, y = drawing.grid(size)
    angle = rng.uniform(-0.1, 0.1) if rng.random() < 0.7 else rng.uniform(0, math.pi)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    step = drawing.log_uniform(rng, 0.06, 0.5)
    width = max(drawing.log_uniform(rng, 0.001, 0.006), 0.5 / size)
    strength = rng.uniform(-0.3, 0.6)
    for line in (along, across):
        away = (np.mod(line / step + rng.random(), 1) - 0.5) * step
        light *= 1 - strength * drawing.bell(away, width)


def meniscus(rng: Rng, light: Picture) -> None:
    """Draws the bent light near a wall: broad bright and dark bands along an arc."""
    size = len(light)
    radius, angle = drawing.log_uniform(rng, 0.5, 3), rng.uniform(0, math.tau)
    away = radius - rng.uniform(0.0, 0.45)
    x, y = drawing.grid(size)
    distance = np.hypot(x - 0.5 + away * math.cos(angle), y - 0.5 + away * math.sin(angle))
    beyond = distance - radius
    for _ in range(rng.integers(1, 4)):
        width = drawing.log_uniform(rng, 0.01, 0.15)
        band = drawing.bell(beyond - rng.uniform(-0.2, 0.1), width)
        light *= np.maximum(1 + rng.uniform(-0.7, 0.5) * band, 0.05)


def plate_edge(rng: Rng, light: Picture) -> None:
    """Draws the straight edge of a plate or of a slide, black or bright beyond."""
    size = len(light)
    x, y = drawing.grid(size)
    angle = rng.uniform(0, math.tau)
    beyond = (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle) - rng.uniform(0.05, 0.45)
    soft = max(drawing.log_uniform(rng, 0.001, 0.03), 0.5 / size)
    outer = rng.uniform(0.0, 0.6) if rng.random() < 0.7 else rng.uniform(1.1, 1.8)
    light *= 1 + (outer - 1) * special.expit(2 * beyond / soft)
    for _ in range(rng.integers(0, 4)):
        line = drawing.bell(beyond - rng.uniform(-0.03, 0.08), soft)
        light *= np.maximum(1 + rng.uniform(-0.7, 0.5) * line, 0.03)


def ghosts(rng: Rng, light: Picture) -> None:
    """Draws debris far out of focus: pale, without a contour."""
    for _ in range(rng.integers(1, 6)):
        away = _uneven_distance(rng, len(light), (0.06, 0.3), 0.3, 6)
        light *= 1 + rng.uniform(-0.15, 0.08) * drawing.bell(away, 1.0)


def _uneven_distance(
    rng: Rng, size: int, reaches: tuple[float, float], uneven: float, knots: int
) -> Picture:
    """Draws the distance from a random place, over a random reach, unevenly stretched."""
    x, y = drawing.grid(size)
    mid_x, mid_y = rng.random(2).tolist()
    reach = drawing.log_uniform(rng, *reaches)
    away = np.hypot(x - mid_x, y - mid_y) / reach
    return away * (1 + uneven * drawing.field(rng, size, knots))


ALL = {
    "bubbles": bubbles,
    "threads": threads,
    "scratches": scratches,
    "droplet": droplet,
    "dust": dust,
    "condensation": condensation,
    "debris cloud": debris_cloud,
    "loose cells": loose_cells,
    "seams": seams,
    "lattice": lattice,
    "meniscus": meniscus,
    "plate edge": plate_edge,
    "ghosts": ghosts,
}


# Distractors that are like small bodies, and those that are like a large body against a wall.
SPOTS = ("bubbles", "dust", "condensation", "debris cloud", "loose cells", "ghosts")
GROUNDS = ("droplet", "plate edge", "meniscus")


def add_some(rng: Rng, light: Picture, *, most: int = 3, but: tuple[str, ...] = ()) -> None:
    """Draws one to `most` kinds of distractors, none in `but`, onto the light, in place."""
    names = [name for name in ALL if name not in but]
    for name in rng.choice(names, size=int(rng.integers(1, most + 1)), replace=False):
        ALL[str(name)](rng, light)
    np.maximum(light, 0, out=light)
