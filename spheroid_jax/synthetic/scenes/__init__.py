"""Drawn scenes for training: none, one or many bodies of any size, with exact instances.

A scene is a pure function of a seed and a size in pixels. `KINDS` names the kinds and their
shares.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from spheroid_jax.synthetic import drawing, windows
from spheroid_jax.synthetic.drawing import Rng
from spheroid_jax.synthetic.scenes import (
    cores,
    crowds,
    cysts,
    empties,
    grains,
    scene,
    singles,
    wells,
)
from spheroid_jax.synthetic.scenes.scene import Scene, Sketch, finish

_STREAM = 7  # apart from the streams of the other modules
_CLOSEUPS = 8
_MOST_TRIES = 20  # windows into one scene
LARGER = 3  # side of the scene that a closeup is cut out of, over that of the closeup
MIN_SIZE = 64  # pixels; smaller frames do not resolve rims and cells


class Kind(NamedTuple):
    """A kind of scene: its share, and the function that draws it."""

    share: float
    draw: Callable[[Rng, int], Sketch]


KINDS = {
    "lit well": Kind(0.10, wells.lit),
    "U well": Kind(0.05, wells.u_shaped),
    "microwell": Kind(0.06, wells.micro),
    "crowd": Kind(0.21, crowds.crowd),
    "grains": Kind(0.04, grains.grains),
    "lobed": Kind(0.05, crowds.lobed_bodies),
    "bent": Kind(0.03, singles.bent),
    "discs": Kind(0.05, crowds.discs),
    "cysts": Kind(0.12, cysts.cysts),
    "core": Kind(0.07, cores.cored),
    "distracted": Kind(0.06, singles.distracted),
    "hard optics": Kind(0.04, singles.hard_optics),
    "empty": Kind(0.12, empties.empty),
}


def draw_scene(seed: int, size: int, kind: str | None = None) -> Scene:
    """Draws one scene, a pure function of the arguments.

    Args:
      seed: number of the scene, >= 0.
      size: S, side of the square frame in pixels, >= 64.
      kind: one of `KINDS`; None draws the kind by its share.

    Returns:
      Image, labels, core and kind.

    Raises:
      ValueError: the kind is unknown or the size is too small.
    """
    if size < MIN_SIZE:
        raise ValueError(f"size is {size}, expected at least {MIN_SIZE} pixels")
    rng, drawn = _start(seed)
    name = drawn if kind is None else kind
    if name not in KINDS:
        raise ValueError(f"kind is {name!r}, expected one of {tuple(KINDS)}")
    return finish(rng, KINDS[name].draw(rng, size), name)


def draw_closeup(seed: int, size: int) -> Scene:
    """Draws a window at random zoom into a larger scene, a pure function of the arguments.

    Bodies are cut by the window's border, or lie beside it; so a network learns what it sees when
    it looks closer at a part of an image. A scene that has hardly a window of more than one gray
    level is drawn as `draw_scene` does.

    Args:
      seed: number of the scene, >= 0.
      size: S, side of the square window in pixels, >= 64.
    """
    whole = draw_scene(seed, LARGER * size)
    rng = np.random.default_rng([seed, _CLOSEUPS])
    for _ in range(_MOST_TRIES):
        place = windows.draw_window(whole.labels, rng, size)
        if np.ptp(whole.image[place]) > 0:
            closeup = scene.cut(whole, place, size)
            if np.ptp(closeup.image) > 0:
                return closeup
    return draw_scene(seed, size)


def drawn_kind(seed: int) -> str:
    """Returns the kind of the scene that `draw_scene` draws for a seed."""
    return _start(seed)[1]


def _start(seed: int) -> tuple[Rng, str]:
    """Returns the generator of a scene, and the kind that was drawn from it."""
    rng = np.random.default_rng([seed, _STREAM])
    return rng, drawing.choose(rng, {name: kind.share for name, kind in KINDS.items()})


__all__ = [
    "KINDS",
    "LARGER",
    "MIN_SIZE",
    "Kind",
    "Scene",
    "draw_closeup",
    "draw_scene",
    "drawn_kind",
]
