"""What a drawn scene is, and the last steps that all scenes share: labels and camera.

Scenes are drawn as light and labels. `finish` exposes the light and tidies the labels.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from spheroid_jax import images
from spheroid_jax.synthetic import camera, drawing, varied
from spheroid_jax.synthetic.drawing import Mask, Picture, Rng
from spheroid_jax.synthetic.scenes import blobs, marks
from spheroid_jax.synthetic.tissue import Look

# Least body: this width as a share of the frame, and this many pixels across.
LEAST_WIDTH, LEAST_PIXELS = 0.02, 7
_BARS, _LETTERS = 0.03, 0.05  # shares of frames with an information bar, and with letters
_LOOK_WIDTH = 0.35  # width of the body for which `tissue.draw` draws its lengths


class Scene(NamedTuple):
    """A drawn image with its exact bodies.

    Attributes:
      image: grey levels 0 to 255.
      labels: 0 in the background, 1 to N in the bodies; where one body lies over another, the
        front one owns the pixels.
      core: pixels of dense cores, where the bodies have a core in a pale rim or halo; None where
        core and whole are not told apart.
      kind: name of the kind, one of `scenes.KINDS`.
    """

    image: UInt8[np.ndarray, "S S"]
    labels: Int32[np.ndarray, "S S"]
    core: Bool[np.ndarray, "S S"] | None
    kind: str


class Sketch(NamedTuple):
    """A scene before the camera: light, and who owns which pixel.

    Attributes:
      light: light that reaches the camera.
      labels: as in `Scene`, with gaps in the numbers and slivers allowed.
      core: as in `Scene`.
      detail: width of the smallest thing that must stay visible.
      unused: as in `camera.expose`; near 0 where what is black must stay black.
      inverted: as in `camera.expose`; 0 where an inverted well would look like a body.
      quality: quality of the JPEG file that the image went through; None for none.
      whole: whether each body is in one piece, as no other body lies over it.
    """

    light: Picture
    labels: Int32[np.ndarray, "S S"]
    core: Bool[np.ndarray, "S S"] | None = None
    detail: float = math.inf
    unused: float = 0.6
    inverted: float = 0.12
    quality: int | None = None
    whole: bool = True


def finish(rng: Rng, sketch: Sketch, kind: str) -> Scene:
    """Exposes a sketch, and keeps the bodies of which enough is in the frame."""
    labels = sketch.labels
    light = np.maximum(sketch.light, 0.0).astype(np.float32)
    # Few cameras are set for the bright field alone, and lose what is in the bodies.
    subject = labels > 0 if rng.random() < 0.8 else None
    image = camera.expose(
        rng,
        light,
        detail=sketch.detail,
        subject=subject,
        unused=sketch.unused,
        inverted=sketch.inverted,
    )
    mark = rng.random()
    if mark < _BARS:
        image, hidden = marks.information_bar(rng, image)
        labels = np.where(hidden, 0, labels)
    elif mark < _BARS + _LETTERS:
        image = marks.letters(rng, image)
    if sketch.quality is not None:
        image = camera.compress(image, sketch.quality)
    labels = blobs.tidy(labels, least=LEAST_PIXELS**2 // 3, whole=sketch.whole)
    core = None if sketch.core is None else sketch.core & (labels > 0)
    return Scene(image, labels, core, kind)


def cut(whole: Scene, window: tuple[slice, ...], size: int) -> Scene:
    """Cuts a square window out of a scene and resamples it.

    Args:
      whole: scene.
      window: rows and columns of the square window.
      size: S, side of the result in pixels; the window is no smaller.
    """
    shape = size, size
    gray = images.resample(images.normalise(whole.image[window].astype(np.float32)), shape)
    labels = images.nearest(whole.labels[window], shape)
    labels = blobs.tidy(labels, least=LEAST_PIXELS**2 // 3, whole=False)
    core = None
    if whole.core is not None:
        core = images.nearest(whole.core[window], shape) & (labels > 0)
    return Scene(np.rint(255 * gray).astype(np.uint8), labels, core, whole.kind)


def ground(rng: Rng, size: int) -> Picture:
    """Draws the light of an empty field; most fields are more even than those of `varied`."""
    light = varied.lamp_light(rng, size)
    uneven = rng.uniform(0.1, 0.6) if rng.random() < 0.7 else 1.0
    middle = float(light.mean())
    return (middle + uneven * (light - middle)).astype(np.float32)


def visible(before: Picture, after: Picture, inside: Mask, *, least: float = 0.12) -> Picture:
    """Strengthens bodies that hardly change the light, so that each can be seen.

    Args:
      before: light without the bodies.
      after: light with the bodies.
      inside: pixels of the bodies.
      least: least mean change in the bodies, divided by the mean light.
    """
    if not inside.any():
        return after
    light = max(float(before[inside].mean()), 0.3 * float(before.mean()))
    change = float(np.abs(after - before)[inside].mean()) / light
    if change >= least:
        return after
    return np.maximum(before + (after - before) * (least / max(change, 0.01)), 0)


def no_bodies(size: int) -> Int32[np.ndarray, "S S"]:
    """Returns the labels of a frame without a body."""
    return np.zeros((size, size), np.int32)


def least_width(size: int) -> float:
    """Returns the width of the smallest body: 2 % of the frame, and enough pixels to be seen."""
    return max(LEAST_WIDTH, LEAST_PIXELS / size)


def scaled(look: Look, width: float, size: int) -> Look:
    """Returns a look whose lengths fit a body of this width; lines stay visible in pixels."""
    factor = width / _LOOK_WIDTH
    return look._replace(
        rim_width=max(look.rim_width * factor, 0.7 / size),
        halo_width=max(look.halo_width * factor, 0.8 / size),
        cell=max(look.cell * factor**0.5, 1.2 / size),
        relief=look.relief * min(factor, 1.0),
        # A dome that is thin at the contour would hide the contour.
        dome=min(look.dome, 0.6),
        patches=look.patches * 0.5,
        folds=look.folds * 0.4,
        holes=0,
        edge=max(min(look.edge * factor, 0.03 * width), 0.5 / size),
    )


def per_body(values: np.ndarray, labels: Int32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Returns one value per body as a picture; 0 in the background."""
    return np.append(np.float32(0), values.astype(np.float32))[labels]


def contact(rng: Rng, size: int) -> float:
    """Draws the light of a seam relative to the tissue beside the seam: darker or brighter."""
    if rng.random() < 0.55:
        return rng.uniform(0.45, 0.85)
    return drawing.log_uniform(rng, 1.1, 1.7)
