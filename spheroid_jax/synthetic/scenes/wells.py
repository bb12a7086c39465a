"""Bodies in wells that distract: lit wells on black, U-shaped wells, and microwells."""

import math

import numpy as np

from spheroid_jax.synthetic import outlines, tissue
from spheroid_jax.synthetic.drawing import Rng
from spheroid_jax.synthetic.scenes import crowds, distractors, scene, singles, vessels
from spheroid_jax.synthetic.scenes.scene import Sketch
from spheroid_jax.synthetic.scenes.vessels import Well

_LOBED = {"lobed": 0.5, "ragged": 0.3, "joined": 0.2}  # shares of shapes


def lit(rng: Rng, size: int) -> Sketch:
    """Draws a lit well on black with a body from 10 to 90 % of the well's area.

    Half of the bodies are about as dark as the surroundings, lobed, and against the wall.
    """
    dark = rng.random() < 0.5
    share = (0.25, 0.9) if dark else (0.1, 0.9)
    sketch = fill(rng, vessels.draw_lit(rng, size), share=share, dark=dark)
    return sketch._replace(unused=0.02 if rng.random() < 0.75 else 0.6, inverted=0.0)


def u_shaped(rng: Rng, size: int) -> Sketch:
    """Draws a U-shaped well that shades towards the rim, with a body on its floor."""
    return fill(rng, vessels.draw_u_shaped(rng, size), share=(0.015, 0.6))._replace(inverted=0.0)


def micro(rng: Rng, size: int) -> Sketch:
    """Draws a microwell with a thick dark ring, and a body from 3 to 40 % of the frame wide."""
    return fill(rng, vessels.draw_micro(rng, size), share=(0.12, 0.85))


def fill(rng: Rng, well: Well, *, share: tuple[float, float], dark: bool = False) -> Sketch:
    """Draws a body into a well; many bodies rest against the wall, which they do not cross.

    Args:
      rng: generator.
      well: well.
      share: least and largest area of the body, as shares of the well's area.
      dark: whether the body is dark, lobed and against the wall.
    """
    size = len(well.light)
    # Uniform in the width, so that large bodies are not rare.
    width = 2 * well.half * rng.uniform(*np.sqrt(share))
    width = max(width, 1.2 * scene.least_width(size))
    look = _dark_look(rng) if dark else _draw_look(rng)
    shapes = _LOBED if dark else outlines.SHAPES
    light = well.light.copy()
    if rng.random() < 0.5:
        crowds.add_specks(rng, light, width / 2)
    if rng.random() < 0.2:
        small = distractors.SPOTS if width < 0.12 else ()
        distractors.add_some(rng, light, most=2, but=distractors.GROUNDS + small)
    room = max(well.half - 0.5 * width, 0)
    away = room * (rng.uniform(0.85, 1.1) if dark or rng.random() < 0.35 else rng.random() ** 0.5)
    while True:
        angle = rng.uniform(0, math.tau)
        x, y = well.x + away * math.cos(angle), well.y + away * math.sin(angle)
        sketch = singles.add_body(rng, light, width, look, x, y, wall=well.depth, shapes=shapes)
        # A bent body may lie beyond the wall; it is drawn again, nearer to the middle.
        seen = np.count_nonzero(sketch.labels) / size**2
        if seen > 0.35 * width**2 or away < 0.02 * well.half:
            return sketch
        away *= 0.5


def _dark_look(rng: Rng) -> tissue.Look:
    """Draws a dark look, which some surroundings of lit wells have, too."""
    look = tissue.draw(rng)
    return look._replace(
        tone=rng.uniform(0.04, 0.4),
        rim=min(look.rim, 0.3),
        halo=0.3 * look.halo,
        patches=0.5 * look.patches,
        dome=rng.uniform(0, 0.4),
    )


def _draw_look(rng: Rng) -> tissue.Look:
    """Draws a look that is told from a lit floor: dark, mid-gray, or pale with an outline."""
    look = tissue.draw(rng)
    if look.tone > 1 and rng.random() < 0.7 or 0.82 < look.tone <= 1 and rng.random() < 0.5:
        look = look._replace(tone=rng.uniform(0.15, 0.75))
    return look
