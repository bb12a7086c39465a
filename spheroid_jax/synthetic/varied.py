"""Domain randomisation: drawn images that differ as much as those of many labs.

The images in `spheroids` look like those of two labs. `varied` draws a microscope, a vessel and
bodies anew for every image, over wider ranges than any lab has. So a network trained on such images
cannot learn the look of one lab (J. Tobin et al., Domain randomization, IROS 2017). `drawing`
defines the units.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8
from scipy import ndimage, special

from spheroid_jax.synthetic import camera, drawing, outlines, tissue
from spheroid_jax.synthetic.drawing import Mask, Picture, Rng
from spheroid_jax.synthetic.outlines import Body

_STREAM = 2  # stream of random numbers; `spheroids` has streams 0 and 1

_LEAST_DIAMETER, _LARGEST_DIAMETER = 0.11, 0.88  # discs of 1 % and 60 % of the frame
_LEAST_AREA, _LARGEST_AREA = 0.006, 0.65  # of a body as drawn, as shares of the frame
# Diameters of the lesser bodies, divided by the diameter of the main body. Debris is smaller, so
# bodies and debris cannot be confused.
_LESSER = (0.4, 1.0)
# Share of each kind of vessel. A circle is a well, a microwell, a droplet or the field of view; a
# straight wall is the edge of a plate; a square has rounded corners.
_VESSELS = {"open": 0.42, "circle": 0.40, "straight": 0.12, "square": 0.06}


class Vessel(NamedTuple):
    """A vessel whose wall is in the image.

    Attributes:
      kind: "circle", "straight" or "square".
      x: horizontal position of the vessel's middle.
      y: vertical position of the vessel's middle.
      half: distance from the middle to the wall.
    """

    kind: str
    x: float
    y: float
    half: float


def make_image(
    index: int, *, seed: int = 0, size: int = 256
) -> tuple[UInt8[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Draws one image and its mask, a pure function of the arguments.

    The mask holds every body of the image; the largest body may be cut by the frame. Debris, loose
    cells and marks are background.

    Args:
      index: number of the image, >= 0.
      seed: number of the collection, >= 0.
      size: longer side of the frame in pixels, >= 64.

    Returns:
      The image and the mask.
    """
    rng = np.random.default_rng([seed, index, _STREAM])
    main, shape = _main_body(rng, size)
    kind = drawing.choose(rng, _VESSELS)
    vessel = None if kind == "open" else _vessel_around(rng, main, kind)
    bodies = [main, *_lesser_bodies(rng, main, shape, vessel)]
    mask = np.logical_or.reduce([body.depth > 0 for body in bodies])
    image = lamp_light(rng, size)
    if vessel is not None:
        image *= vessel_transmission(rng, size, vessel)
    for _ in range(int(drawing.sometimes(rng, 0.35, 1, 4))):
        image *= draw_ghost(rng, main)
    add_clutter(rng, image, main)
    image = ndimage.gaussian_filter(image, drawing.sometimes(rng, 0.3, 0, 0.01) * size)
    look = tissue.draw(rng)
    alike = rng.random() < 0.7
    for body in bodies:
        image = tissue.lay(rng, image, body, look)
        look = look if alike else tissue.draw(rng)
    if rng.random() < 0.15:
        add_clutter(rng, image, main)  # above the body
    sensor = _sensor(rng, mask)
    return camera.expose(rng, image)[sensor], mask[sensor]


def _main_body(rng: Rng, size: int) -> tuple[Body, str]:
    """Draws the main body, and the name of the shape that all bodies of the image have."""
    while True:
        shape = drawing.choose(rng, outlines.SHAPES)
        diameter = drawing.log_uniform(rng, _LEAST_DIAMETER, _LARGEST_DIAMETER)
        body = outlines.draw(rng, size, shape, diameter, *_place(rng, diameter))
        if _LEAST_AREA < np.mean(body.depth > 0) < _LARGEST_AREA:
            return body, shape


def _place(rng: Rng, diameter: float) -> tuple[float, float]:
    """Draws the middle of a body, near the middle of the frame; few bodies are cut by the frame."""
    loose = max(0.5 - diameter / 2, 0.03)
    if rng.random() < 0.18:
        loose += diameter / 3
    x, y = (0.5 + rng.random() ** 0.5 * rng.uniform(-loose, loose, 2)).tolist()
    return x, y


def _vessel_around(rng: Rng, body: Body, kind: str) -> Vessel:
    """Draws a vessel that holds a body."""
    size = len(body.depth)
    rows, columns = np.nonzero(body.depth > 0)
    x, y = (columns.mean() + 0.5) / size, (rows.mean() + 0.5) / size
    reach = float(np.hypot(columns / size - x, rows / size - y).max())
    half = reach + 0.015 + drawing.log_uniform(rng, 0.01, 0.6)
    # Many bodies rest against a wall.
    gap = half - reach - 0.01
    gap *= 1.0 if rng.random() < 0.3 else rng.random()
    angle = rng.uniform(0, math.tau)
    return Vessel(kind, x + gap * math.cos(angle), y + gap * math.sin(angle), half)


def _lesser_bodies(rng: Rng, main: Body, shape: str, vessel: Vessel | None) -> list[Body]:
    """Draws further bodies in a third of the images, and none in the others."""
    bodies: list[Body] = []
    size = len(main.depth)
    taken = main.depth
    for _ in range(rng.integers(1, 9) if rng.random() < 0.36 else 0):
        diameter = 2 * main.radius * rng.uniform(*_LESSER)
        x, y = rng.random(2).tolist()
        if vessel is not None:
            away = max(vessel.half - diameter / 2, 0) * rng.random() ** 0.5
            angle = rng.uniform(0, math.tau)
            x = vessel.x + away * math.cos(angle)
            y = vessel.y + away * math.sin(angle)
        row, column = (min(max(int(c * size), 0), size - 1) for c in (y, x))
        gap = -taken[row, column] - diameter / 2
        # Most bodies lie apart; a few have grown together.
        if gap < (0.01 if rng.random() < 0.65 else -0.3 * diameter):
            continue
        body = outlines.draw(rng, size, shape, diameter, x, y)
        if not _LEAST_AREA < np.mean(body.depth > 0) < np.mean(main.depth > 0):
            continue
        bodies.append(body)
        taken = np.maximum(taken, body.depth)
    return bodies


def lamp_light(rng: Rng, size: int) -> Picture:
    """Draws the light of an empty field: lamp, vignetting, gradient, blurred structure."""
    if rng.random() < 0.12:  # even, and often overexposed
        return np.ones((size, size), np.float32)
    x, y = drawing.grid(size)
    lamp_x, lamp_y = 0.5 + rng.uniform(-0.2, 0.2, 2)
    away = np.sqrt((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / 0.7
    loss = drawing.sometimes(rng, 0.6, 0, 0.9) * rng.random()
    light = 1 - loss * np.minimum(away, 1.4) ** rng.uniform(1.5, 6)
    angle, slope = rng.uniform(0, math.tau), drawing.sometimes(rng, 0.6, 0, 0.5)
    light += slope * (math.cos(angle) * (x - 0.5) + math.sin(angle) * (y - 0.5))
    for knots in (3, 8, 24):
        uneven = drawing.sometimes(rng, 0.5, 0, 0.1) * rng.random()
        light += uneven * drawing.field(rng, size, knots)
    return np.maximum(light, 0.04).astype(np.float32)


def vessel_transmission(rng: Rng, size: int, vessel: Vessel) -> Picture:
    """Draws a vessel's transmission as a function of the distance from its wall."""
    beyond = _beyond_wall(rng, size, vessel)
    soft = drawing.log_uniform(rng, 0.0015, 0.03)
    ring = drawing.sometimes(rng, 0.6, 0.01, 0.13)
    wall = special.expit(beyond / soft)
    outside = special.expit((beyond - ring) / (soft * rng.uniform(0.5, 3)))
    # The wall and the outside range from black to brighter than the inside.
    dark, outer = rng.uniform(0.03, 1.2), rng.uniform(0.02, 1.3)
    if rng.random() < 0.3:
        outer = rng.uniform(1.0, 3.0)  # the inside of the vessel is dark
    elif ring and rng.random() < 0.5:
        outer = rng.uniform(0.8, 1.1)  # a ring on an even background
    floor = 1 + drawing.sometimes(rng, 0.4, 0, 0.25) * drawing.field(
        rng, size, outlines.knots(drawing.log_uniform(rng, 2, 8), 2 * vessel.half)
    )
    image = (1 - wall) * floor + (wall - outside) * dark + outside * outer
    # Light bent by the wall, and lines along it.
    image += (
        rng.uniform(-0.3, 0.3)
        * drawing.bell(np.minimum(beyond, 0), drawing.log_uniform(rng, 0.02, 0.15))
        * (1 - wall)
    )
    for _ in range(rng.integers(0, 5)):
        line = drawing.bell(
            beyond - rng.uniform(-0.06, 0.16), drawing.log_uniform(rng, 0.002, 0.012)
        )
        image += rng.uniform(-0.5, 0.5) * line
    return np.maximum(image, 0.02).astype(np.float32)


def _beyond_wall(rng: Rng, size: int, vessel: Vessel) -> Picture:
    """Draws the distance of each pixel from a vessel's wall, positive outside."""
    x, y = drawing.grid(size)
    dx, dy = x - vessel.x, y - vessel.y
    if vessel.kind == "circle":
        distance, angle = drawing.polar(dx, dy)
        wobble = rng.uniform(0, 0.015) * drawing.angular_noise(rng, 3)
        return distance - vessel.half * (1 + wobble[angle])
    turn = rng.uniform(0, math.tau)
    along = dx * math.cos(turn) + dy * math.sin(turn)
    if vessel.kind == "straight":
        return along - vessel.half
    across = dy * math.cos(turn) - dx * math.sin(turn)
    power = rng.uniform(4, 10)  # the higher, the sharper the corners
    reach = np.abs(along) ** power + np.abs(across) ** power
    return reach ** (1 / power) - vessel.half


def draw_ghost(rng: Rng, body: Body) -> Picture:
    """Draws the transmission of a ghost: an object far out of focus, which is background.

    Ghosts are cells below the body, light of the body on the floor of the well, or dirt on a lens.
    Half of the ghosts touch the body. Like some bodies a ghost is grainy and pale, but it has no
    contour.
    """
    size = len(body.depth)
    diameter = drawing.log_uniform(rng, 0.5, 3) * body.radius
    x, y = rng.random(2).tolist()
    rows, columns = np.nonzero(np.abs(body.depth) < 1.5 / size)
    if rng.random() < 0.5 and len(rows):
        at = rng.integers(len(rows))
        x, y = columns[at] / size, rows[at] / size
    shape = drawing.choose(rng, {"lobed": 0.5, "ragged": 0.5})
    ghost = outlines.draw(rng, size, shape, min(diameter, 0.6), x, y)
    soft = max(0.1 * diameter, 0.012) * rng.uniform(1, 2)
    shade = special.expit(2 * ghost.depth / soft)
    grain = drawing.field(rng, size, outlines.knots(6, diameter))
    fine = drawing.field(rng, size, outlines.knots(20, diameter))
    parts = rng.uniform(0, 0.7, 2)
    shade *= 1 + parts[0] * grain + parts[1] * fine
    return np.maximum(1 - rng.uniform(-0.25, 0.3) * shade, 0.2)


def add_clutter(rng: Rng, image: Picture, body: Body) -> None:
    """Draws specks, loose cells, clumps and fibres onto the image, in place."""
    size = image.shape[0]
    count = int(drawing.sometimes(rng, 0.75, 0, 1) ** 2 * 350)
    scale, gather = (drawing.log_uniform(rng, 0.5, 2.0), drawing.sometimes(rng, 0.5, 0, 1))
    shade = rng.uniform(0.1, 0.8)
    rows, columns = np.nonzero((body.depth < 0.004) & (body.depth > -0.12 * rng.random() - 0.01))
    rings = rng.random()
    largest = 0.28 * body.radius  # larger particles would be bodies
    for _ in range(count):
        x, y = rng.random(2).tolist()
        if rng.random() < gather and len(rows):
            at = rng.integers(len(rows))
            x, y = columns[at] / size, rows[at] / size
        radius = min(scale * drawing.log_uniform(rng, 0.002, 0.012), largest)
        dark = shade * rng.uniform(0.2, 1.0)
        if rng.random() < 0.05:  # out of focus
            radius, dark = min(3 * radius, largest), dark / 4
        sign = -0.7 if rng.random() < 0.1 else 1.0
        drawing.stamp(image, x, y, radius, sign * dark, ring=bool(rng.random() < rings))
    for _ in range(int(drawing.sometimes(rng, 0.3, 1, 6))):  # clumps
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
    for _ in range(int(drawing.sometimes(rng, 0.3, 1, 5))):
        image *= drawing.fibre(rng, size)


def _sensor(rng: Rng, mask: Mask) -> tuple[slice, slice]:
    """Draws the part of the square frame that the sensor records; most sensors are oblong."""
    size = len(mask)
    side = round(size / float(rng.choice([1, 1, 4 / 3, 4 / 3, 3 / 2, 16 / 9])))
    start = int(rng.integers(size - side + 1))
    shorter, longer = slice(start, start + side), slice(None)
    sensor = (longer, shorter) if rng.random() < 0.2 else (shorter, longer)
    seen = np.count_nonzero(mask[sensor])
    # A sensor that would miss many of the bodies is replaced by one of the whole square.
    if seen < 0.7 * np.count_nonzero(mask) or seen < _LEAST_AREA * size * side:
        return slice(None), slice(None)
    return sensor
