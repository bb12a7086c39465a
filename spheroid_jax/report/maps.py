"""Figures of probability maps, as SVG."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from skimage import transform

from spheroid_jax.report import svg

# Pixels along the side of an image as drawn: about one per pixel of the screen. A figure of 12
# noisy images stays near 600 kB.
_SIDE_PX = 180
_SIDE_IN = 1.9
_TITLE_CHARACTERS = 28


class Example(NamedTuple):
    """One image with the models' probability maps, all (S, S) on the grid."""

    title: str
    image: np.ndarray  # [0, 1]
    truth: np.ndarray  # boolean
    maps: dict[str, np.ndarray]  # model to foreground probability in [0, 1]
    f_scores: dict[str, float]


@svg.looks()
def probability_maps(examples: Sequence[Example], models: Sequence[str]) -> bytes:
    """Draws one column per image and one row per model (paper, figures 3 and 4).

    The first row shows the images. Every panel has the contour of the true mask, and the F-score of
    a map stands below it.

    Args:
      examples: at least one `Example`, such as the best, median and worst image of a dataset.
      models: the models' labels, from the top.

    Returns:
      The bytes of an SVG file.
    """
    rows, columns = len(models) + 1, len(examples)
    picture = svg.blank(_SIDE_IN * columns + 0.4, (_SIDE_IN + 0.25) * rows + 0.3)
    panels = picture.subplots(rows, columns, squeeze=False)
    for column, example in zip(panels.T, examples, strict=True):
        column[0].set_title(textwrap.fill(example.title, _TITLE_CHARACTERS))
        _show(column[0], example.image, example.truth)
        for panel, model in zip(column[1:], models, strict=True):
            _show(panel, example.maps[model], example.truth)
            panel.set_xlabel(f"F {100 * example.f_scores[model]:.1f} %")
    for panel, label in zip(panels[:, 0], ["image", *models], strict=True):
        panel.set_ylabel(textwrap.fill(label, _TITLE_CHARACTERS))
    return svg.encode(picture)


def _show(panel, image, truth):
    """Draws an image with the contour of the true mask."""
    # Without interpolation, the SVG contains exactly these pixels.
    panel.imshow(_reduced(image), cmap="gray", vmin=0, vmax=1, interpolation="none")
    outline = _reduced(truth)
    # There is no contour if the body is too small to be seen, or fills the image.
    if outline.min() < 0.5 < outline.max():
        panel.contour(outline, levels=[0.5], colors=[svg.TRUTH], linewidths=1)
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(False)


def _reduced(image):
    """Returns an image at the size in which it is drawn."""
    shape = (_SIDE_PX, _SIDE_PX)
    return transform.resize(np.asarray(image, float), shape, order=1, anti_aliasing=True)
