"""One body of any shape in a frame: beside distractors, and under hard optics.

The body is drawn with care by `outlines` and `tissue`.
"""

import math

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

from spheroid_jax.synthetic import drawing, outlines, tissue
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.scenes import crowds, distractors, scene
from spheroid_jax.synthetic.scenes.scene import Sketch

# Share of each way in which the optics make a frame hard.
_OPTICS = {
    "translucent": 0.2,
    "bright on dark": 0.15,
    "refracting rim": 0.15,
    "blurred": 0.15,
    "noisy": 0.1,
    "compressed": 0.1,
    "vignetted": 0.08,
    "saturated": 0.07,
}
# How far each shape reaches from its middle, divided by its width, with room for a halo.
_REACH = {"round": 0.9, "lobed": 1.1, "ragged": 1.2, "joined": 1.6, "long": 2.6, "folded": 2.4}
_BENT = {"folded": 0.6, "long": 0.25, "joined": 0.15}  # shares of shapes
# Share of each shape of bodies wider than half the frame.
_LARGE = {"round": 0.3, "lobed": 0.45, "ragged": 0.25}


def distracted(rng: Rng, size: int) -> Sketch:
    """Draws a body beside one to four kinds of things that are none."""
    light = scene.ground(rng, size)
    width = drawing.log_uniform(rng, max(0.05, scene.least_width(size)), 0.7)
    distractors.add_some(rng, light, most=4, but=() if width > 0.2 else distractors.SPOTS)
    sketch = add_body(rng, light, width, tissue.draw(rng), *_place(rng, width))
    if rng.random() < 0.4:  # over the body
        over = sketch.light.copy()
        name = str(rng.choice(["threads", "scratches", "dust", "loose cells", "seams"]))
        distractors.ALL[name](rng, over)
        sketch = sketch._replace(light=over)
    return sketch


def bent(rng: Rng, size: int) -> Sketch:
    """Draws one long body, which mostly lies over itself: a fold is no border of two bodies."""
    light = scene.ground(rng, size)
    width = drawing.log_uniform(rng, max(0.15, scene.least_width(size)), 0.5)
    if rng.random() < 0.6:
        crowds.add_specks(rng, light, width / 4)
    look = tissue.draw(rng)
    if rng.random() < 0.5:  # a dark outline, which runs through the body where the body folds
        look = look._replace(rim=rng.uniform(0.4, 1.6))
    return add_body(rng, light, width, look, *_place(rng, width), shapes=_BENT)


def hard_optics(rng: Rng, size: int) -> Sketch:
    """Draws a body, or a few lobed ones, as a microscope or program shows them badly."""
    way = drawing.choose(rng, _OPTICS)
    light = scene.ground(rng, size)
    width = drawing.log_uniform(rng, max(0.08, scene.least_width(size)), 0.75)
    look = tissue.draw(rng)
    if way == "translucent":
        look = look._replace(
            tone=rng.uniform(0.85, 1.0), core=0.0, patches=0.0, rim=rng.uniform(0.05, 0.3)
        )
    elif way == "bright on dark":
        look = look._replace(tone=rng.uniform(2.0, 5.0), core=0.0, rim=0.0)
        light = 0.2 * light
    elif way == "refracting rim":
        look = look._replace(
            tone=rng.uniform(0.75, 1.1),
            rim=rng.uniform(1.0, 2.2),
            halo=rng.uniform(0.3, 1.0),
            rim_width=drawing.log_uniform(rng, 0.006, 0.03),
        )
    if rng.random() < 0.75:
        sketch = add_body(rng, light, width, look, *_place(rng, width))
    else:
        sketch = crowds.lobed_bodies(rng, size)
    return _impair(rng, sketch, way)


def _impair(rng: Rng, sketch: Sketch, way: str) -> Sketch:
    """Makes the light of a sketch worse in one way."""
    light, size = sketch.light, len(sketch.light)
    if way == "blurred":
        # The contour stays at half of the contrast.
        soft = min(drawing.log_uniform(rng, 0.006, 0.02), 0.12 * sketch.detail) * size
        return sketch._replace(light=ndimage.gaussian_filter(light, soft))
    if way == "noisy":
        noise = rng.standard_normal(light.shape, dtype=np.float32)
        spread = rng.uniform(0.05, 0.2) * float(np.ptp(np.percentile(light, (2, 98))))
        return sketch._replace(light=light + spread * noise)
    if way == "compressed":
        return sketch._replace(quality=int(rng.integers(4, 20)))
    if way == "vignetted":
        x, y = drawing.grid(size)
        mid_x, mid_y = rng.uniform(0.3, 0.7, 2).tolist()
        away = np.hypot(x - mid_x, y - mid_y) / rng.uniform(0.45, 0.8)
        dark = rng.uniform(0.6, 0.97) * np.minimum(away, 1) ** rng.uniform(2, 6)
        return sketch._replace(light=light * (1 - dark))
    if way == "saturated":
        # Either the field is white, or the shadows are black.
        low, high = np.percentile(light, (1, 99))
        if rng.random() < 0.6:
            high = low + (high - low) * rng.uniform(0.5, 0.9)
        else:
            low = low + (high - low) * rng.uniform(0.05, 0.3)
        return sketch._replace(light=np.clip(light, low, high))
    return sketch


def add_body(
    rng: Rng,
    light: Picture,
    width: float,
    look: tissue.Look,
    x: float,
    y: float,
    *,
    wall: Picture | None = None,
    shapes: dict[str, float] = outlines.SHAPES,
) -> Sketch:
    """Draws one body of any shape onto the light.

    Args:
      rng: generator.
      light: light that reaches the body.
      width: diameter of the disc of about the same area.
      look: look of a body of usual size; its lengths are scaled to this body.
      x: horizontal position of the body's middle.
      y: vertical position of the body's middle.
      wall: distance from a wall which the body does not cross, positive inside; None for none.
      shapes: share of each shape.
    """
    size = len(light)
    shape = drawing.choose(rng, shapes if width <= 0.5 else _LARGE)
    # A small body is drawn in a square of its own, which is faster; the frame may cut the square.
    # With few different sides, splines stay cached.
    step = max(size // 16, 8)
    side = min(step * math.ceil(size * (2 * _REACH[shape] * width + 0.05) / step), size)
    whole = side == size
    top, left = (0 if whole else round(c * size - side / 2) for c in (y, x))
    middle = (x * size - left) / side, (y * size - top) / side
    wide = width * size / side
    body = outlines.draw(rng, side, shape, wide, *middle)
    if wall is not None:
        limit = (_cut(wall, top, left, side) - drawing.sometimes(rng, 0.5, 0.0, 0.02)) * size / side
        parts = tuple(np.minimum(part, limit).astype(np.float32) for part in body.parts)
        body = body._replace(depth=np.minimum(body.depth, limit), parts=parts)
    inside = body.depth > 0
    if inside.any():
        inside = drawing.solid(inside)
    depth = np.where(inside, body.depth, np.minimum(body.depth, -0.5 / side)).astype(np.float32)
    body = body._replace(depth=depth)
    before = _cut(light, top, left, side)
    after = tissue.lay(rng, before, body, scene.scaled(look, max(wide, 0.05), side))
    after = scene.visible(before, after, inside)
    image, labels = light.copy(), scene.no_bodies(size)
    frame, square = _overlap(top, left, side, size)
    image[frame], labels[frame] = after[square], inside[square]
    return Sketch(image, labels, detail=width)


def _overlap(top: int, left: int, side: int, size: int):
    """Returns the part of the frame that a square covers, and the part of the square in it."""
    rows, columns = (slice(max(start, 0), min(start + side, size)) for start in (top, left))
    square = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    return (rows, columns), square


def _cut(picture: Picture, top: int, left: int, side: int) -> Float32[np.ndarray, "T T"]:
    """Cuts a square out of a picture, and repeats the picture's edge outside the frame."""
    rows, columns = (
        np.clip(np.arange(start, start + side), 0, len(picture) - 1) for start in (top, left)
    )
    return picture[np.ix_(rows, columns)].astype(np.float32)


def _place(rng: Rng, width: float) -> tuple[float, float]:
    """Draws the middle of a body; the frame cuts one body in six."""
    loose = max(0.5 - 0.6 * width, 0.03) + (0.4 * width if rng.random() < 0.17 else 0.0)
    angle, away = rng.uniform(0, math.tau), rng.random() ** 0.5
    reach = loose * away / max(abs(math.cos(angle)), abs(math.sin(angle)))
    return 0.5 + reach * math.cos(angle), 0.5 + reach * math.sin(angle)
