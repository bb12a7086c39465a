"""Synthetic images as unlike as those of many labs: domain randomisation.

`synthetic` draws two kinds of images that look like two labs'. This module
draws a microscope, a vessel and bodies anew for every image, over ranges wider
than any lab's, so that a network trained on them has no lab to learn by heart
(J. Tobin et al., Domain randomization, IROS 2017). What the ranges are for
stands beside each. Units as in `drawing`.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage, special

from spheroid_jax.data import camera, drawing

_Rng, _Array = np.random.Generator, np.ndarray
_STREAM = 2  # apart from the flavours of `synthetic`

_LEAST_DIAMETER, _LARGEST_DIAMETER = 0.11, 0.88  # 1 % to 60 % of the frame
_LEAST_AREA, _LARGEST_AREA = 0.006, 0.65  # of the frame, as drawn
# Bodies that count beside the main one, as shares of its diameter: smaller
# ones are debris, and none is in doubt.
_LESSER = (0.45, 0.9)
_SHAPES = {
    "round": 0.30,
    "lobed": 0.25,
    "long": 0.22,
    "joined": 0.13,
    "ragged": 0.10,
}
_VESSELS = {"open": 0.42, "circle": 0.40, "straight": 0.12, "square": 0.06}


class _Body(NamedTuple):
    """One body: distance from its contour, inwards, and its mean radius."""

    depth: _Array
    radius: float


def make_image(
    index: int, *, seed: int = 0, size: int = 256
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one image and its mask, a pure function of the arguments.

    The mask holds every body of the frame; the largest may be cut by its
    edge. Debris, loose cells and marks are background.

    Args:
        index: number of the image, >= 0.
        seed: number of the collection, >= 0.
        size: side of the square frame in pixels, >= 64.

    Returns:
        The image, uint8 (size, size), and the mask, bool (size, size).
    """
    rng = np.random.default_rng([seed, index, _STREAM])
    while True:
        shape = _choose(rng, _SHAPES)
        diameter = _between(rng, _LEAST_DIAMETER, _LARGEST_DIAMETER)
        main = _body(rng, size, shape, diameter, *_place(rng, diameter))
        if _LEAST_AREA < np.mean(main.depth > 0) < _LARGEST_AREA:
            break
    vessel = _choose(rng, _VESSELS)
    frame = None if vessel == "open" else _around(rng, main)
    bodies = [main, *_lesser_bodies(rng, main, shape, frame)]
    mask = np.logical_or.reduce([body.depth > 0 for body in bodies])
    image = _light(rng, size)
    if frame is not None:
        image *= _vessel(rng, size, vessel, frame)
    _clutter(rng, image, bodies[0], mask)
    image = ndimage.gaussian_filter(image, _rarely(rng, 0.3, 0, 0.01) * size)
    look = _look(rng)
    for body in bodies:
        image = _lay(rng, image, body, look)
    if rng.random() < 0.15:
        _clutter(rng, image, bodies[0], mask)  # above the body
    return camera.expose(rng, image), mask


def _between(rng: _Rng, low: float, high: float) -> float:
    """Draws log-uniformly."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _rarely(rng: _Rng, share: float, low: float, high: float) -> float:
    """Draws uniformly in a share of the images; 0 in the others."""
    value = rng.uniform(low, high)
    return value if rng.random() < share else 0.0


def _choose(rng: _Rng, shares: dict) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _place(rng: _Rng, diameter: float) -> tuple[float, float]:
    """Draws a body's middle: often the frame's, seldom cut by its edge."""
    loose = max(0.5 - diameter / 2, 0.03)
    if rng.random() < 0.18:
        loose += diameter / 3
    x, y = 0.5 + rng.random() ** 0.5 * rng.uniform(-loose, loose, 2)
    return x, y


def _around(rng: _Rng, body: _Body) -> tuple[float, float, float]:
    """Draws a vessel that holds a body: its middle and half its width."""
    size = len(body.depth)
    rows, columns = np.nonzero(body.depth > 0)
    x, y = (columns.mean() + 0.5) / size, (rows.mean() + 0.5) / size
    reach = float(np.hypot(columns / size - x, rows / size - y).max())
    half = reach + 0.015 + _between(rng, 0.01, 0.6)
    # Many bodies rest against a wall.
    gap = half - reach - 0.01
    gap *= 1.0 if rng.random() < 0.3 else rng.random()
    angle = rng.uniform(0, math.tau)
    return x + gap * math.cos(angle), y + gap * math.sin(angle), half


def _lesser_bodies(rng: _Rng, main: _Body, shape: str, frame) -> list[_Body]:
    """Draws, in a third of the images, bodies beside the main one."""
    bodies: list[_Body] = []
    size = len(main.depth)
    taken = main.depth
    for _ in range(rng.integers(1, 7) if rng.random() < 0.33 else 0):
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
        body = _body(rng, size, shape, diameter, x, y)
        if not _LEAST_AREA < np.mean(body.depth > 0) < np.mean(main.depth > 0):
            continue
        bodies.append(body)
        taken = np.maximum(taken, body.depth)
    return bodies


def _body(rng, size, shape, diameter, x, y) -> _Body:
    """Draws a body's outline as a level set, and measures its depth."""
    radius = diameter / 2
    across, down = drawing.grid(size)
    dx, dy = across - x, down - y
    bend = {"ragged": 0.3, "joined": 0.12}.get(shape, 0.07) * radius
    dx = dx + bend * rng.random() * drawing.field(
        rng, _knots(2.2, diameter), size
    )
    dy = dy + bend * rng.random() * drawing.field(
        rng, _knots(2.2, diameter), size
    )
    if shape in ("long", "joined"):
        level = _chain(rng, dx, dy, radius, joined=shape == "joined")
    else:
        level = _star(rng, dx, dy, radius, lobed=shape != "round")
    rough = _rarely(rng, 0.6, 0.0, 0.05) * (3 if shape == "ragged" else 1)
    for knots, part in ((6, 1.0), (14, 0.5), (30, 0.3)):
        level = level + rough * part * radius * drawing.field(
            rng, _knots(knots, diameter), size
        )
    inside = level > 0
    if inside.any():
        inside = drawing.solid(inside)
    # Signed, in units of the frame; half a pixel in from the contour.
    depth = ndimage.distance_transform_edt(np.pad(inside, 1, mode="edge"))[
        1:-1, 1:-1
    ]
    depth = depth - ndimage.distance_transform_edt(~inside)
    depth = (depth - 0.5 * np.sign(depth)) / size
    return _Body(depth.astype(np.float32), radius)


def _knots(per_body: float, diameter: float) -> int:
    """Knots across the frame that put `per_body` across a body."""
    return int(min(max(per_body / diameter, 2), 160))


def _star(rng, dx, dy, radius, *, lobed) -> _Array:
    """A body with one radius an angle: an ellipse, with lobes or without."""
    distance, angle = drawing.polar(dx, dy)
    theta = np.arange(drawing.TURN) * (math.tau / drawing.TURN)
    tilt = theta - rng.uniform(0, math.tau)
    aspect = _between(rng, 1.0, 1.8 if lobed else 1.35)
    reach = 1 / np.hypot(np.cos(tilt) / aspect, np.sin(tilt))
    if lobed:
        for _ in range(rng.integers(1, 6)):
            away = np.angle(np.exp(1j * (theta - rng.uniform(0, math.tau))))
            lobe = drawing.bell(away, rng.uniform(0.15, 0.7))
            reach += rng.uniform(-0.25, 0.5) * lobe
        reach *= 1 + rng.uniform(0.0, 0.08) * drawing.turn(rng, 5)
    reach = np.maximum(reach, 0.3)
    reach *= radius / math.sqrt(np.mean(reach**2))
    return reach.astype(np.float32)[angle] - distance


def _chain(rng, dx, dy, radius, *, joined) -> _Array:
    """Discs along a bent line: elongated bodies, or a few grown together."""
    count = int(rng.integers(2, 4)) if joined else 16
    length = radius * (
        rng.uniform(0.9, 2.2) if joined else rng.uniform(2.5, 7.0)
    )
    bend = rng.uniform(-2.2, 2.2) * (rng.random() < 0.7)
    along = np.linspace(-0.5, 0.5, count)
    heading = rng.uniform(0, math.tau) + bend * along
    heading += 0.8 * rng.random() * np.sin(along * rng.uniform(2, 9))
    step = length / (count - 1)
    xs, ys = (
        np.cumsum(step * np.cos(heading)),
        np.cumsum(step * np.sin(heading)),
    )
    # Keeps the area near that of a disc of `radius`.
    thin = radius * math.sqrt(
        math.pi * radius / (2 * length + math.pi * radius)
    )
    if joined:
        radii = radius * rng.uniform(0.5, 0.85, count)
    else:
        swell = rng.uniform(-0.5, 0.5) * along
        swell = swell + 0.3 * rng.random() * np.sin(
            along * rng.uniform(3, 12) + rng.uniform(0, 6)
        )
        radii = 1.25 * thin * np.clip(1 + swell, 0.45, 1.8)
    xs, ys = xs - xs.mean(), ys - ys.mean()
    soft = 0.06 * radius  # necks are rounded
    level = np.full(np.broadcast_shapes(dx.shape, dy.shape), 0.0, np.float32)
    for disc_x, disc_y, reach in zip(xs, ys, radii, strict=True):
        distance = np.sqrt((dx - disc_x) ** 2 + (dy - disc_y) ** 2)
        level += np.exp(np.clip((reach - distance) / soft, -60, 30))
    return soft * np.log(np.maximum(level, 1e-30))


def _light(rng: _Rng, size: int) -> _Array:
    """Draws the empty field: lamp, vignetting, gradient, blurred structure."""
    if rng.random() < 0.12:  # even, and often overexposed
        return np.ones((size, size), np.float32)
    x, y = drawing.grid(size)
    lamp_x, lamp_y = 0.5 + rng.uniform(-0.2, 0.2, 2)
    away = np.sqrt((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / 0.7
    loss = _rarely(rng, 0.6, 0, 0.9) * rng.random()
    light = 1 - loss * np.minimum(away, 1.4) ** rng.uniform(1.5, 6)
    angle, slope = rng.uniform(0, math.tau), _rarely(rng, 0.6, 0, 0.5)
    light += slope * (math.cos(angle) * (x - 0.5) + math.sin(angle) * (y - 0.5))
    for knots in (3, 8, 24):
        light += _rarely(rng, 0.5, 0, 0.04) * drawing.field(rng, knots, size)
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
    soft = _between(rng, 0.0015, 0.03)
    ring = _rarely(rng, 0.6, 0.01, 0.13)
    wall = special.expit(beyond / soft)
    outside = special.expit((beyond - ring) / (soft * rng.uniform(0.5, 3)))
    # From black to brighter than inside.
    dark, outer = rng.uniform(0.03, 1.2), rng.uniform(0.02, 1.3)
    if rng.random() < 0.3:
        outer = rng.uniform(1.0, 3.0)  # the body's well is a dark place
    elif ring and rng.random() < 0.5:
        outer = rng.uniform(0.8, 1.1)  # a ring on even ground
    image = (1 - wall) + (wall - outside) * dark + outside * outer
    # Light bent by the wall, and lines along it.
    image += (
        rng.uniform(-0.3, 0.3)
        * drawing.bell(np.minimum(beyond, 0), _between(rng, 0.02, 0.15))
        * (1 - wall)
    )
    for _ in range(rng.integers(0, 5)):
        line = drawing.bell(
            beyond - rng.uniform(-0.06, 0.16), _between(rng, 0.002, 0.012)
        )
        image += rng.uniform(-0.5, 0.5) * line
    return np.maximum(image, 0.02).astype(np.float32)


def _clutter(rng: _Rng, image: _Array, body: _Body, mask: _Array) -> None:
    """Multiplies in specks, loose cells, clumps and fibres, in place."""
    size = image.shape[0]
    count = int(_rarely(rng, 0.75, 0, 1) ** 2 * 250)
    scale, gather = _between(rng, 0.5, 2.0), _rarely(rng, 0.5, 0, 1)
    shade = rng.uniform(0.1, 0.8)
    rows, columns = np.nonzero(
        (body.depth < 0.004) & (body.depth > -0.12 * rng.random() - 0.01)
    )
    rings = rng.random()
    largest = 0.28 * body.radius  # what is larger is a body
    for _ in range(count):
        x, y = rng.random(2).tolist()
        if rng.random() < gather and len(rows):
            at = rng.integers(len(rows))
            x, y = columns[at] / size, rows[at] / size
        radius = min(scale * _between(rng, 0.002, 0.012), largest)
        dark = shade * rng.uniform(0.2, 1.0)
        if rng.random() < 0.05:  # out of focus
            radius, dark = min(3 * radius, largest), dark / 4
        sign = -0.7 if rng.random() < 0.1 else 1.0
        drawing.stamp(
            image, x, y, radius, sign * dark, ring=bool(rng.random() < rings)
        )
    for _ in range(int(_rarely(rng, 0.3, 1, 6))):  # clumps
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
    for _ in range(int(_rarely(rng, 0.3, 1, 5))):
        image *= drawing.fibre(rng, size)


class _Look(NamedTuple):
    """How the bodies of an image absorb, scatter and bend light."""

    kind: str
    tone: float  # transmission where thinnest
    dome: float  # share of the absorption that follows the thickness
    core: float  # absorption added in the middle
    core_size: float
    rim: float  # absorption at the contour; bright where negative
    rim_width: float
    halo: float  # light around it; dark where negative
    halo_width: float
    relief: float  # one side bright, the other dark
    direction: float
    grain: float  # contrast of the cells
    cell: float  # their size
    edge: float  # softness of the contour
    patches: float  # parts that are denser than others, or stained
    folds: float
    fold_width: float
    holes: int


def _look(rng: _Rng) -> _Look:
    kind = _choose(rng, {"dark": 0.54, "pale": 0.33, "bright": 0.13})
    tone = {
        "dark": rng.uniform(0.12, 0.8),
        "pale": rng.uniform(0.82, 1.0),
        "bright": rng.uniform(1.15, 3.0),
    }[kind]
    pale = kind == "pale"
    return _Look(
        kind=kind,
        tone=tone,
        dome=rng.random(),
        core=_rarely(rng, 0.45, 0.1, 2.0),
        core_size=rng.uniform(0.3, 0.9),
        rim=rng.uniform(0.25, 1.2) if pale else _rarely(rng, 0.6, -0.5, 1.2),
        rim_width=_between(rng, 0.003, 0.02),
        halo=_rarely(rng, 0.6, -0.2, 0.6),
        halo_width=_between(rng, 0.004, 0.04),
        relief=_rarely(rng, 0.3, 0.05, 0.5),
        direction=rng.uniform(0, math.tau),
        grain=_between(rng, 0.06, 0.45) if pale else _between(rng, 0.01, 0.4),
        cell=_between(rng, 0.004, 0.03),
        edge=_between(rng, 0.001, 0.008),
        patches=_rarely(rng, 0.5, 0.2, 1.2),
        folds=_rarely(rng, 0.25, 0.1, 1.2),
        fold_width=_between(rng, 0.08, 0.5),
        holes=int(_rarely(rng, 0.15, 1, 7)),
    )


def _lay(rng: _Rng, image: _Array, body: _Body, look: _Look) -> _Array:
    """Lays a body over the image."""
    size = image.shape[0]
    depth = body.depth
    # Thickness of a dome over the body, 0 at the contour, 1 in the middle.
    deepest = max(float(depth.max()), 1 / size)
    height = np.sqrt(np.clip(depth / deepest, 0, 1))
    thick = 1 - look.dome + look.dome * height
    absorbed = -math.log(look.tone) * thick
    absorbed += look.core * special.expit(
        (depth / deepest - (1 - look.core_size)) * 8
    )
    if look.patches:
        knots = _knots(_between(rng, 1.2, 4), 2 * body.radius)
        field = drawing.field(rng, knots, size)
        absorbed *= np.clip(1 + look.patches * field, 0.12, 3)
    uneven = np.clip(1 + 0.6 * drawing.field(rng, 6, size), 0.1, 2)
    absorbed += look.rim * uneven * drawing.bell(depth, look.rim_width)
    absorbed += look.grain * _cells(rng, look, size)
    if look.folds:
        crease = drawing.field(rng, _knots(4, 2 * body.radius), size)
        absorbed += look.folds * drawing.bell(crease, look.fold_width)
    for _ in range(look.holes):
        _hole(rng, absorbed, body, size)
    tissue = np.exp(-np.clip(absorbed, -1.5, 4))
    if look.relief:
        smooth = ndimage.gaussian_filter(height, 0.006 * size)
        down, across = np.gradient(smooth, 1 / size)
        slope = math.cos(look.direction) * across
        slope = slope + math.sin(look.direction) * down
        tissue *= np.clip(1 + look.relief * 0.1 * slope, 0.3, 2.5)
    inside = special.expit(2 * depth / look.edge)
    glow = 1 + look.halo * drawing.bell(np.minimum(depth, 0), look.halo_width)
    # A thick body shows less of the uneven ground below it.
    ground = image + rng.random() * inside * (np.mean(image[depth > 0]) - image)
    return (inside * ground * tissue + (1 - inside) * image * glow).astype(
        np.float32
    )


def _cells(rng: _Rng, look: _Look, size: int) -> _Array:
    """Draws granularity at the cells' size, with clumps and haze."""
    knots = int(min(1 / look.cell, 0.6 * size))
    cells = drawing.field(rng, knots, size)
    if rng.random() < 0.6:  # membranes
        cells = 1.2 * np.abs(cells) - 0.96
    fine = drawing.field(rng, min(2 * knots, size), size)
    clumps = drawing.field(rng, max(knots // 3, 3), size)
    haze = drawing.field(rng, max(knots // 10, 2), size)
    parts = rng.uniform(0.2, 1, 4)
    return (
        parts[0] * cells
        + 0.5 * parts[1] * fine
        + 0.6 * parts[2] * clumps
        + 0.6 * parts[3] * haze
    )


def _hole(rng: _Rng, absorbed: _Array, body: _Body, size: int) -> None:
    """A lumen or vacuole: pale, with a dark line around, part of the body."""
    rows, columns = np.nonzero(body.depth > 0.15 * body.radius)
    if not len(rows):
        return
    at = rng.integers(len(rows))
    x, y = drawing.grid(size)
    distance = np.sqrt(
        (x - columns[at] / size) ** 2 + (y - rows[at] / size) ** 2
    )
    reach = body.radius * rng.uniform(0.1, 0.4)
    within = special.expit((reach - distance) / 0.004)
    absorbed *= 1 - rng.uniform(0.3, 0.9) * within
    absorbed += rng.uniform(0, 0.5) * drawing.bell(distance - reach, 0.008)
