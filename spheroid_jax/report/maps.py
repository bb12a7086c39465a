"""Figures of probability maps, as SVG."""

import textwrap
from typing import NamedTuple

import numpy as np
from skimage import transform

from spheroid_jax.report import svg

# Pixels along an image's side: about one of a screen's each, so that a
# figure of 12 noisy images stays near 600 kB.
_SIDE_PX = 180
_SIDE_IN = 1.9
_TITLE_CHARACTERS = 28


class Example(NamedTuple):
    """One image with what the models made of it, all (S, S) on the grid."""

    title: str
    image: np.ndarray  # [0, 1]
    truth: np.ndarray  # boolean
    maps: dict[str, np.ndarray]  # model to foreground probability in [0, 1]
    f_scores: dict[str, float]


@svg.looks()
def probability_maps(examples, models):
    """Draws a column an image, a row a model (paper, figures 3 and 4).

    The first row is the image. Each has the truth's contour on top, and a map
    its F-score below.

    Args:
      examples: at least one `Example`: of a dataset, the best, the median and
        the worst image.
      models: the models' labels, from the top.

    Returns:
      SVG, bytes.
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
    """Draws an image, and the truth's contour on it."""
    # The SVG holds these very pixels.
    panel.imshow(_reduced(image), cmap="gray", vmin=0, vmax=1, interpolation="none")
    outline = _reduced(truth)
    # Nothing is drawn of a body too small to be seen, or without an edge.
    if outline.min() < 0.5 < outline.max():
        panel.contour(outline, levels=[0.5], colors=[svg.TRUTH], linewidths=1)
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(False)


def _reduced(image):
    """The image at the size it is shown in."""
    shape = (_SIDE_PX, _SIDE_PX)
    return transform.resize(np.asarray(image, float), shape, order=1, anti_aliasing=True)
