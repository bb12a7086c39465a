"""Frames without a body: wells, distractors alone, and the nine kinds in `failures`."""

from collections.abc import Callable

import numpy as np

from spheroid_jax.synthetic import drawing, failures
from spheroid_jax.synthetic.drawing import Picture, Rng
from spheroid_jax.synthetic.scenes import distractors, marks, scene, vessels
from spheroid_jax.synthetic.scenes.scene import Sketch


def empty(rng: Rng, size: int) -> Sketch:
    """Draws a frame without a body."""
    name = drawing.choose(rng, {name: share for name, (share, _) in KINDS.items()})
    light = KINDS[name][1](rng, size)
    black = 0.02 if name == "lit well" else 0.6
    inverted = 0.0 if name in ("lit well", "U well", "failure") else 0.12
    labels = scene.no_bodies(size)
    return Sketch(light, labels, detail=0.05, unused=black, inverted=inverted)


def _well(draw: Callable[[Rng, int], vessels.Well]) -> Callable[[Rng, int], Picture]:
    """Returns a function that draws a well with or without distractors in the well."""

    def light(rng: Rng, size: int) -> Picture:
        image = draw(rng, size).light.copy()
        if rng.random() < 0.5:
            distractors.add_some(rng, image, most=2, but=distractors.GROUNDS)
        return image

    return light


def _strewn(rng: Rng, size: int) -> Picture:
    """Draws an open field with one to four kinds of distractors."""
    light = scene.ground(rng, size)
    distractors.add_some(rng, light, most=4)
    if rng.random() < 0.2:
        marks.engraving(rng, light)
    return light


def _field(rng: Rng, size: int) -> Picture:
    """Draws an open field with nothing, or with a few blurred things."""
    light = scene.ground(rng, size)
    if rng.random() < 0.4:
        distractors.ghosts(rng, light)
    return light


def _failure(rng: Rng, size: int) -> Picture:
    """Draws one of the nine kinds of empty wells in `failures`."""
    kind = str(rng.choice(list(failures.EMPTY)))
    index, seed = rng.integers(2**31, size=2).tolist()
    image = failures.make_empty(kind, index, seed=seed, shape=(size, size))
    return (image / np.float32(255)).astype(np.float32)


# Share of each kind of empty frame, and the function that draws its light.
KINDS: dict[str, tuple[float, Callable[[Rng, int], Picture]]] = {
    "lit well": (0.12, _well(vessels.draw_lit)),
    "U well": (0.12, _well(vessels.draw_u_shaped)),
    "microwell": (0.12, _well(vessels.draw_micro)),
    "strewn": (0.31, _strewn),
    "field": (0.03, _field),
    "failure": (0.30, _failure),
}
