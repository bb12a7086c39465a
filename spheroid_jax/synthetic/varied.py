"""Synthetic images as unlike as those of many labs: domain randomisation.

`synthetic` draws two kinds of images that look like two labs'. This module
draws a microscope, a vessel and bodies anew for every image, over ranges wider
than any lab's, so that a network trained on them has no lab to learn by heart
(J. Tobin et al., Domain randomization, IROS 2017). What the ranges are for
stands beside each. Units as in `drawing`.
"""

import math

import numpy as np
from scipy import ndimage, special

from spheroid_jax.synthetic import camera, drawing, outlines, tissue
from spheroid_jax.synthetic.outlines import Body

_Rng, _Array = np.random.Generator, np.ndarray
_STREAM = 2  # apart from the flavours of `synthetic`

_LEAST_DIAMETER, _LARGEST_DIAMETER = 0.11, 0.88  # 1 % to 60 % of the frame
_LEAST_AREA, _LARGEST_AREA = 0.006, 0.65  # of the frame, as drawn
# Bodies that count beside the main one, as shares of its diameter: smaller
# ones are debris, and none is in doubt.
_LESSER = (0.4, 1.0)
_VESSELS = {"open": 0.42, "circle": 0.40, "straight": 0.12, "square": 0.06}


def make_image(index: int, *, seed: int = 0, size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Draws one image and its mask, a pure function of the arguments.

    The mask holds every body of the frame; the largest may be cut by its
    edge. Debris, loose cells and marks are background.

    Args:
        index: number of the image, >= 0.
        seed: number of the collection, >= 0.
        size: longer side of the frame in pixels, >= 64.

    Returns:
        The image, uint8 (H, W), and the mask, bool (H, W).
    """
    rng = np.random.default_rng([seed, index, _STREAM])
    while True:
        shape = drawing.choose(rng, outlines.SHAPES)
        diameter = drawing.between(rng, _LEAST_DIAMETER, _LARGEST_DIAMETER)
        main = outlines.draw(rng, size, shape, diameter, *_place(rng, diameter))
        if _LEAST_AREA < np.mean(main.depth > 0) < _LARGEST_AREA:
            break
    vessel = drawing.choose(rng, _VESSELS)
    frame = None if vessel == "open" else _around(rng, main)
    bodies = [main, *_lesser_bodies(rng, main, shape, frame)]
    mask = np.logical_or.reduce([body.depth > 0 for body in bodies])
    image = _light(rng, size)
    if frame is not None:
        image *= _vessel(rng, size, vessel, frame)
    for _ in range(int(drawing.rarely(rng, 0.35, 1, 4))):
        image *= _ghost(rng, main)
    _clutter(rng, image, bodies[0], mask)
    image = ndimage.gaussian_filter(image, drawing.rarely(rng, 0.3, 0, 0.01) * size)
    look = tissue.draw(rng)
    alike = rng.random() < 0.7
    for body in bodies:
        image = tissue.lay(rng, image, body, look)
        look = look if alike else tissue.draw(rng)
    if rng.random() < 0.15:
        _clutter(rng, image, bodies[0], mask)  # above the body
    sensor = _sensor(rng, mask)
    return camera.expose(rng, image)[sensor], mask[sensor]


def _sensor(rng: _Rng, mask: _Array) -> tuple[slice, slice]:
    """Draws what of the square the camera's sensor sees; most are oblong."""
    size = len(mask)
    side = round(size / float(rng.choice([1, 1, 4 / 3, 4 / 3, 3 / 2, 16 / 9])))
    start = int(rng.integers(size - side + 1))
    sensor = np.s_[start : start + side, :]
    if rng.random() < 0.2:
        sensor = sensor[::-1]
    seen = np.count_nonzero(mask[sensor])
    # All of the square, where most of the bodies would be cut off.
    if seen < 0.7 * np.count_nonzero(mask) or seen < _LEAST_AREA * size * side:
        return np.s_[:, :]
    return sensor


def _place(rng: _Rng, diameter: float) -> tuple[float, float]:
    """Draws a body's middle: often the frame's, seldom cut by its edge."""
    loose = max(0.5 - diameter / 2, 0.03)
    if rng.random() < 0.18:
        loose += diameter / 3
    x, y = 0.5 + rng.random() ** 0.5 * rng.uniform(-loose, loose, 2)
    return x, y


def _around(rng: _Rng, body: Body) -> tuple[float, float, float]:
    """Draws a vessel that holds a body: its middle and half its width."""
    size = len(body.depth)
    rows, columns = np.nonzero(body.depth > 0)
    x, y = (columns.mean() + 0.5) / size, (rows.mean() + 0.5) / size
    reach = float(np.hypot(columns / size - x, rows / size - y).max())
    half = reach + 0.015 + drawing.between(rng, 0.01, 0.6)
    # Many bodies rest against a wall.
    gap = half - reach - 0.01
    gap *= 1.0 if rng.random() < 0.3 else rng.random()
    angle = rng.uniform(0, math.tau)
    return x + gap * math.cos(angle), y + gap * math.sin(angle), half


def _lesser_bodies(rng: _Rng, main: Body, shape: str, frame) -> list[Body]:
    """Draws, in a third of the images, bodies beside the main one."""
    bodies: list[Body] = []
    size = len(main.depth)
    taken = main.depth
    for _ in range(rng.integers(1, 9) if rng.random() < 0.36 else 0):
        diameter = 2 * main.radius * rng.uniform(*_LESSER)
        x, y = rng.random(2).tolist()
        if frame is not None:
            away = max(frame[2] - diameter / 2, 0) * rng.random() ** 0.5
            angle = rng.uniform(0, math.tau)
            x = frame[0] + away * math.cos(angle)
            y = frame[1] + away * math.sin(angle)
        row, column = (min(max(int(c * size), 0), size - 1) for c in (y, x))
        gap = -taken[row, column] - diameter / 2
        # Apart, or in a few images grown together.
        if gap < (0.01 if rng.random() < 0.65 else -0.3 * diameter):
            continue
        body = outlines.draw(rng, size, shape, diameter, x, y)
        if not _LEAST_AREA < np.mean(body.depth > 0) < np.mean(main.depth > 0):
            continue
        bodies.append(body)
        taken = np.maximum(taken, body.depth)
    return bodies


def _light(rng: _Rng, size: int) -> _Array:
    """Draws the empty field: lamp, vignetting, gradient, blurred structure."""
    if rng.random() < 0.12:  # even, and often overexposed
        return np.ones((size, size), np.float32)
    x, y = drawing.grid(size)
    lamp_x, lamp_y = 0.5 + rng.uniform(-0.2, 0.2, 2)
    away = np.sqrt((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / 0.7
    loss = drawing.rarely(rng, 0.6, 0, 0.9) * rng.random()
    light = 1 - loss * np.minimum(away, 1.4) ** rng.uniform(1.5, 6)
    angle, slope = rng.uniform(0, math.tau), drawing.rarely(rng, 0.6, 0, 0.5)
    light += slope * (math.cos(angle) * (x - 0.5) + math.sin(angle) * (y - 0.5))
    for knots in (3, 8, 24):
        uneven = drawing.rarely(rng, 0.5, 0, 0.1) * rng.random()
        light += uneven * drawing.field(rng, knots, size)
    return np.maximum(light, 0.04).astype(np.float32)


def _vessel(rng: _Rng, size: int, kind: str, frame) -> _Array:
    """Draws a vessel's transmission as a function of the distance to its wall.

    A circle is a well, a microwell, a droplet or the field of view; a
    straight wall is a plate's edge; a square has rounded corners.
    """
    x, y = drawing.grid(size)
    dx, dy = x - frame[0], y - frame[1]
    if kind == "circle":
        distance, angle = drawing.polar(dx, dy)
        wobble = rng.uniform(0, 0.015) * drawing.turn(rng, 3)
        beyond = distance - frame[2] * (1 + wobble[angle])
    else:
        turn = rng.uniform(0, math.tau)
        along = dx * math.cos(turn) + dy * math.sin(turn)
        across = dy * math.cos(turn) - dx * math.sin(turn)
        beyond = along + 0 * across - frame[2]
        if kind == "square":
            power = rng.uniform(4, 10)
            reach = np.abs(along) ** power + np.abs(across) ** power
            beyond = reach ** (1 / power) - frame[2]
    soft = drawing.between(rng, 0.0015, 0.03)
    ring = drawing.rarely(rng, 0.6, 0.01, 0.13)
    wall = special.expit(beyond / soft)
    outside = special.expit((beyond - ring) / (soft * rng.uniform(0.5, 3)))
    # From black to brighter than inside.
    dark, outer = rng.uniform(0.03, 1.2), rng.uniform(0.02, 1.3)
    if rng.random() < 0.3:
        outer = rng.uniform(1.0, 3.0)  # the body's well is a dark place
    elif ring and rng.random() < 0.5:
        outer = rng.uniform(0.8, 1.1)  # a ring on even ground
    floor = 1 + drawing.rarely(rng, 0.4, 0, 0.25) * drawing.field(
        rng, outlines.knots(drawing.between(rng, 2, 8), 2 * frame[2]), size
    )
    image = (1 - wall) * floor + (wall - outside) * dark + outside * outer
    # Light bent by the wall, and lines along it.
    image += (
        rng.uniform(-0.3, 0.3)
        * drawing.bell(np.minimum(beyond, 0), drawing.between(rng, 0.02, 0.15))
        * (1 - wall)
    )
    for _ in range(rng.integers(0, 5)):
        line = drawing.bell(beyond - rng.uniform(-0.06, 0.16), drawing.between(rng, 0.002, 0.012))
        image += rng.uniform(-0.5, 0.5) * line
    return np.maximum(image, 0.02).astype(np.float32)


def _ghost(rng: _Rng, body: Body) -> _Array:
    """Draws the transmission of something far out of focus: no body.

    Cells below the body, its light on the well's floor, dirt on a lens; half
    of them touch the body. They are grainy and pale, as some bodies are, but
    without a contour.
    """
    size = len(body.depth)
    diameter = drawing.between(rng, 0.5, 3) * body.radius
    x, y = rng.random(2).tolist()
    rows, columns = np.nonzero(np.abs(body.depth) < 1.5 / size)
    if rng.random() < 0.5 and len(rows):
        at = rng.integers(len(rows))
        x, y = columns[at] / size, rows[at] / size
    shape = drawing.choose(rng, {"lobed": 0.5, "ragged": 0.5})
    ghost = outlines.draw(rng, size, shape, min(diameter, 0.6), x, y)
    soft = max(0.1 * diameter, 0.012) * rng.uniform(1, 2)
    shade = special.expit(2 * ghost.depth / soft)
    grain = drawing.field(rng, outlines.knots(6, diameter), size)
    fine = drawing.field(rng, outlines.knots(20, diameter), size)
    parts = rng.uniform(0, 0.7, 2)
    shade *= 1 + parts[0] * grain + parts[1] * fine
    return np.maximum(1 - rng.uniform(-0.25, 0.3) * shade, 0.2)


def _clutter(rng: _Rng, image: _Array, body: Body, mask: _Array) -> None:
    """Multiplies in specks, loose cells, clumps and fibres, in place."""
    size = image.shape[0]
    count = int(drawing.rarely(rng, 0.75, 0, 1) ** 2 * 350)
    scale, gather = (drawing.between(rng, 0.5, 2.0), drawing.rarely(rng, 0.5, 0, 1))
    shade = rng.uniform(0.1, 0.8)
    rows, columns = np.nonzero((body.depth < 0.004) & (body.depth > -0.12 * rng.random() - 0.01))
    rings = rng.random()
    largest = 0.28 * body.radius  # what is larger is a body
    for _ in range(count):
        x, y = rng.random(2).tolist()
        if rng.random() < gather and len(rows):
            at = rng.integers(len(rows))
            x, y = columns[at] / size, rows[at] / size
        radius = min(scale * drawing.between(rng, 0.002, 0.012), largest)
        dark = shade * rng.uniform(0.2, 1.0)
        if rng.random() < 0.05:  # out of focus
            radius, dark = min(3 * radius, largest), dark / 4
        sign = -0.7 if rng.random() < 0.1 else 1.0
        drawing.stamp(image, x, y, radius, sign * dark, ring=bool(rng.random() < rings))
    for _ in range(int(drawing.rarely(rng, 0.3, 1, 6))):  # clumps
        x, y = rng.random(2).tolist()
        for _ in range(rng.integers(2, 14)):
            dx, dy = largest * 0.5 * rng.standard_normal(2)
            drawing.stamp(
                image,
                x + dx,
                y + dy,
                largest * rng.uniform(0.1, 0.45),
                shade * rng.uniform(0.2, 0.9),
                ring=bool(rng.random() < rings),
            )
    for _ in range(int(drawing.rarely(rng, 0.3, 1, 5))):
        image *= drawing.fibre(rng, size)
