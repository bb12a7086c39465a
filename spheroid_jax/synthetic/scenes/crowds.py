"""Frames of 1 to 160 bodies: apart, touching, pressed together, overlapping, lobed, and discs.

Bodies in contact and single bodies of several lobes have the same look in one frame. They differ
only as they do in life: a contact is flat, has a seam, and each body has its own dome; lobes run
into one another in rounded necks under one dome.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage, special

from spheroid_jax.synthetic import drawing, tissue
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.outlines import Body
from spheroid_jax.synthetic.scenes import blobs, distractors, scene, vessels
from spheroid_jax.synthetic.scenes.blobs import Blob, Family
from spheroid_jax.synthetic.scenes.scene import Sketch

_TRIES = 12  # for each place of a body, before the body is left out
# Distance of two middles in contact, divided by the sum of the radii.
_CONTACT = {"touching": (0.96, 1.0), "pressed": (0.76, 0.93), "overlapping": (0.6, 0.9)}
_ARRANGEMENTS = {"apart": 0.3, "touching": 0.2, "pressed": 0.35, "overlapping": 0.15}


class Spot(NamedTuple):
    """Where a body goes."""

    x: float
    y: float
    radius: float


def crowd(rng: Rng, size: int) -> Sketch:
    """Draws 2 to 160 bodies of one look, in clusters or apart."""
    many = rng.random() < 0.55
    count = round(drawing.log_uniform(rng, *((20, 160) if many else (2, 25))))
    least = scene.least_width(size)
    # Bodies fill at most about half the frame.
    width = drawing.log_uniform(rng, least, max(min(0.9 / math.sqrt(count), 0.5), 1.01 * least))
    arrangement = drawing.choose(rng, _ARRANGEMENTS)
    gather = 0.0 if arrangement == "apart" else rng.uniform(0.4, 1.0)
    spread = drawing.sometimes(rng, 0.7, 0.05, 0.7)
    radii = width / 2 * np.exp(spread * rng.standard_normal(count).clip(-2, 2))
    spots = scatter(rng, np.maximum(radii, least / 2), arrangement, gather)
    lobed = drawing.sometimes(rng, 0.5, 0.1, 1.0)
    return _draw(rng, size, spots, arrangement, lobed)


def lobed_bodies(rng: Rng, size: int) -> Sketch:
    """Draws 1 to 8 bodies of several lobes each, apart from one another."""
    count = int(rng.integers(1, 9)) if rng.random() < 0.6 else 1
    width = drawing.log_uniform(rng, max(0.06, scene.least_width(size)), 0.62 / math.sqrt(count))
    radii = width / 2 * rng.uniform(0.7, 1.0, count)
    spots = scatter(rng, radii, "apart", 0.0)
    return _draw(rng, size, spots, "apart", lobed=1.0)


def discs(rng: Rng, size: int) -> Sketch:
    """Draws sharp, even discs from 3 to 60 % of the frame's width, mostly one, apart."""
    count = 1 if rng.random() < 0.7 else int(rng.integers(2, 7))
    least = max(0.03, scene.least_width(size))
    widths = [drawing.log_uniform(rng, least, 0.6 / math.sqrt(count)) for _ in range(count)]
    spots = scatter(rng, np.array(widths) / 2, "apart", 0.0)
    bodies = _blobs(rng, size, spots, blobs.disc_family(), lobed=0.0, margin=3 / size)
    layer = blobs.press(size, bodies)
    light = scene.ground(rng, size) if rng.random() < 0.7 else np.ones((size, size))
    # Large bright discs would look like lit wells, large pale ones like the floor of a well.
    if max(widths) < 0.4 and rng.random() < 0.3:
        tone = rng.uniform(1.2, 2.5)
    else:
        tone = rng.uniform(0.1, 0.85 if max(widths) < 0.4 else 0.6)
    tones = tone * np.exp(0.1 * rng.standard_normal(len(bodies)))
    inside = special.expit(2 * layer.depth / (0.5 / size))
    nearest = ndimage.grey_dilation(scene.per_body(tones, layer.labels), size=3)
    light = light * (1 + inside * (nearest - 1))
    # An even disc is dense from edge to edge.
    return Sketch(light, layer.labels, layer.labels > 0, detail=min(widths))


def scatter(rng: Rng, radii: np.ndarray, arrangement: str, gather: float) -> list[Spot]:
    """Draws places for bodies, so that no two are closer than the arrangement says.

    Args:
      rng: generator.
      radii: radius of each body.
      arrangement: name in `_ARRANGEMENTS`.
      gather: share of the bodies that are put in contact with another one.
    """
    close, far = _CONTACT.get(arrangement, (1.12, 1.12))
    spots = np.empty((0, 3))
    for radius in radii:
        # Of many bodies the frame cuts some; of few it cuts one in four at most.
        edge = -0.25 if len(radii) > 6 or rng.random() < 0.25 else 0.9
        for _ in range(_TRIES):
            room = min(edge * radius, 0.45)
            x, y = rng.uniform(room, 1 - room, 2)
            beside = len(spots) and rng.random() < gather
            if beside:
                near = spots[rng.integers(len(spots))]
                angle = rng.uniform(0, math.tau)
                away = rng.uniform(close, far) * (near[2] + radius)
                x, y = near[0] + away * math.cos(angle), near[1] + away * math.sin(angle)
            # Most middles are in the frame.
            if not (-0.3 * radius < x < 1 + 0.3 * radius and -0.3 * radius < y < 1 + 0.3 * radius):
                continue
            away = np.hypot(spots[:, 0] - x, spots[:, 1] - y) / (spots[:, 2] + radius)
            if not len(spots) or away.min() >= (close - 1e-9 if beside else max(close, 1.12)):
                spots = np.vstack([spots, (x, y, radius)])
                break
    return [Spot(*map(float, spot)) for spot in spots]


def in_field(rng: Rng, size: int, spots: list[Spot]) -> tuple[Picture, list[Spot], float]:
    """Draws the light around bodies: an open field or, for one frame in eight, a well.

    Returns:
      The light; the spots, without those outside the well; and the share of inverted images.
    """
    if rng.random() < 0.12:
        draw = vessels.draw_lit if rng.random() < 0.5 else vessels.draw_u_shaped
        well = draw(rng, size)
        inside = [spot for spot in spots if _depth_at(well.depth, spot) > 0.9 * spot.radius]
        if inside:
            return well.light.copy(), inside, 0.0
    return scene.ground(rng, size), spots, 0.12


def _depth_at(depth: Picture, spot: Spot) -> float:
    """Returns the distance from a wall at the middle of a spot."""
    size = len(depth)
    row, column = (min(max(int(c * size), 0), size - 1) for c in (spot.y, spot.x))
    return float(depth[row, column])


def _blobs(
    rng: Rng, size: int, spots: list[Spot], family: Family, *, lobed: float, margin: float
) -> list[Blob]:
    """Draws the bodies; a share of them is of several lobes."""
    return [
        (blobs.draw_lobed if rng.random() < lobed else blobs.draw)(
            rng, size, family, spot.radius, spot.x, spot.y, margin=margin
        )
        for spot in spots
    ]


def _draw(rng: Rng, size: int, spots: list[Spot], arrangement: str, lobed: float) -> Sketch:
    """Draws bodies of one look at their places."""
    light, spots, inverted = in_field(rng, size, spots)
    radii = np.array([spot.radius for spot in spots])
    width = 2 * float(np.median(radii))
    look = scene.scaled(tissue.draw(rng), width, size)
    margin = min(2.5 * look.halo_width, 0.1) + 2 / size
    family = blobs.draw_family(rng)
    bodies = _blobs(rng, size, spots, family, lobed=lobed, margin=margin)
    if rng.random() < 0.2:
        distractors.add_some(rng, light, most=2, but=() if width > 0.2 else distractors.SPOTS)
    add_specks(rng, light, float(radii.min()))
    labels = scene.no_bodies(size)
    deep = rng.random() < 0.15
    if len(bodies) > 1 and (deep or arrangement == "overlapping"):
        # Every other body lies over the others, each layer without overlap of its own.
        layers = [bodies[::2], bodies[1::2]]
    else:
        layers = [bodies]
    first = 0
    for chosen in layers:
        if deep and first:  # the lower layer is out of focus
            light = ndimage.gaussian_filter(light, rng.uniform(0.03, 0.12) * width * size)
        light, owner = lay(rng, light, chosen, look)
        labels = np.where(owner > 0, owner + first, labels)
        first += len(chosen)
    least = 2 * float(radii.min())
    whole = len(layers) == 1
    return Sketch(light, labels, detail=least, inverted=inverted, whole=whole)


def lay(rng: Rng, light: Picture, bodies: list[Blob], look: tissue.Look):
    """Draws bodies side by side onto the light.

    Args:
      rng: generator.
      light: light that reaches the bodies.
      bodies: bodies, pressed together where their windows overlap.
      look: look of all bodies; each body is a little denser or thinner.

    Returns:
      The light that has passed the bodies, and the number of the body that owns each pixel.
    """
    size = len(light)
    layer = blobs.press(size, bodies)
    if not layer.labels.any():
        return light, layer.labels
    radii = np.array([body.radius for body in bodies])
    # A closed contact shows no background between the bodies.
    closed = float(rng.uniform(0.0, 2.5)) * look.edge
    depth = np.minimum(layer.depth, np.maximum(layer.seam, 0) + closed)
    # Each body has its own dome, though large bodies are thicker.
    own = scene.per_body(radii.max() / radii, layer.labels) ** float(rng.uniform(0.4, 1.0))
    depth = np.where(depth > 0, np.minimum(depth * np.maximum(own, 1), float(radii.max())), depth)
    body = Body(depth, float(np.median(radii)), (depth,))
    after = tissue.lay(rng, light, body, look)
    density = rng.uniform(0, 0.3) * rng.standard_normal(len(bodies))
    passed = np.clip(after / np.maximum(light, 1e-3), 0.02, 8)
    inside = layer.labels > 0
    power = 1 + scene.per_body(density.clip(-0.6, 1), layer.labels)
    after = np.where(inside, light * passed**power, after)
    if rng.random() < 0.45:
        after *= np.exp(-_cores(rng, layer, radii))
    seam = rng.uniform(0.0, 1.0) * (scene.contact(rng, size) - 1)
    line = drawing.bell(layer.seam, max(0.05 * float(np.median(radii)), 0.8 / size))
    after = scene.visible(light, after * (1 + inside * seam * line), inside)
    return after.astype(np.float32), layer.labels


def _cores(rng: Rng, layer: blobs.Layer, radii: np.ndarray) -> Picture:
    """Draws the absorption of a dense middle in each body."""
    scale = scene.per_body(1 / radii, layer.labels)
    relative = np.clip(layer.depth, 0, None) * scale
    strength = rng.uniform(0.1, 1.2) * rng.uniform(0.4, 1.2, len(radii))
    rise = special.expit((relative - rng.uniform(0.3, 0.7)) * rng.uniform(6, 14))
    return scene.per_body(strength, layer.labels) * rise


def add_specks(rng: Rng, light: Picture, radius: float) -> None:
    """Draws debris, all of it much smaller than the least body, in place."""
    count = int(drawing.sometimes(rng, 0.6, 0, 1) ** 2 * 150)
    shade, rings = rng.uniform(0.1, 0.6), rng.random()
    largest = min(0.25 * radius, 0.012)
    for _ in range(count):
        x, y = rng.random(2).tolist()
        reach = largest * drawing.log_uniform(rng, 0.15, 1.0)
        drawing.stamp(light, x, y, reach, shade * rng.random(), ring=bool(rng.random() < rings))
