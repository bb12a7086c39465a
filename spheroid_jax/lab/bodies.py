"""Measurement of the bodies of one image: shape, intensity, and error bars.

`measure` is the whole way from an image to numbers; `examine` is the part after the network.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, Shaped

from spheroid_jax import images
from spheroid_jax.inference import objects, predict
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.lab import contour, error_bars
from spheroid_jax.lab import rules as rules_of_models
from spheroid_jax.lab.error_bars import Range
from spheroid_jax.lab.intensity import Intensity, measure_intensity
from spheroid_jax.lab.rules import Rules
from spheroid_jax.lab.shape import Shape, measure_shape


class Body(NamedTuple):
    """One measured body.

    Attributes:
      number: 1 for the largest body of the image, 2 for the next, and so on.
      mask: (H, W), boolean, at the image's own size.
      outline: x and y of the corners of its contour, in pixels from the image's upper left corner.
      shape: lengths in pixels.
      intensity: gray levels in the file's own units.
      probability: mean foreground probability in the mask, in [0, 1].
      ranges: low and high of the measurements that have error bars, by name; lengths in pixels.
    """

    number: int
    mask: Bool[np.ndarray, "H W"]
    outline: Float[np.ndarray, "N 2"]
    shape: Shape
    intensity: Intensity
    probability: float
    ranges: dict[str, Range]


class Examined(NamedTuple):
    """The bodies of one image.

    Attributes:
      labels: 0 in the background, the number of the body elsewhere.
      probability: foreground probability in [0, 1].
      bodies: the measured bodies, the largest first.
      found: number of bodies in the image, measured or not.
    """

    labels: Int32[np.ndarray, "H W"]
    probability: Float32[np.ndarray, "H W"]
    bodies: list[Body]
    found: int


def measure(
    params: Params | Ensemble,
    image: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"],
    *,
    several: bool = False,
    rules: Rules | None = None,
) -> list[Body]:
    """Segments an image and measures its bodies.

    An image without a body gives numbers all the same where the network is mistaken:
    `lab.verdict.judge` says whether to trust them.

    Args:
      params: a model, as returned by `load`.
      image: integer, float or boolean; sides of at least 32 px.
      several: whether to measure all bodies instead of the largest.
      rules: the model's rules, for the error bars; None for those of the packaged model.

    Returns:
      The bodies, the largest first; [] where the network finds none.

    Raises:
      ImageError: the image cannot be used.
    """
    probability = predict.segment(params, image).probability
    rules = rules or rules_of_models.load()[0]
    gray = images.to_gray(image)
    return examine(gray, images.normalise(gray), probability, rules, several=several).bodies


def examine(
    gray: Float32[np.ndarray, "H W"],
    normalised: Float32[np.ndarray, "H W"],
    probability: Float32[np.ndarray, "H W"],
    rules: Rules,
    *,
    several: bool = False,
) -> Examined:
    """Measures the bodies of an image whose foreground probability is known.

    Args:
      gray: the image, in the file's own units.
      normalised: the same with its 1st and 99th percentile at 0 and 1.
      probability: foreground probability, as in `predict.Segmentation`.
      rules: the model's rules, for the error bars.
      several: whether to measure all bodies instead of the largest.
    """
    labels = objects.label_bodies(probability)
    found = int(labels.max())
    if not several:
        labels = np.where(labels == 1, labels, 0)
    if not found:
        return Examined(labels, probability, [], 0)
    bodies = [
        _body(number, labels, probability, gray, normalised, rules)
        for number in range(1, int(labels.max()) + 1)
    ]
    return Examined(labels, probability, bodies, found)


def _body(number, labels, probability, gray, normalised, rules):
    mask = labels == number
    shape = measure_shape(mask)
    return Body(
        number=number,
        mask=mask,
        outline=contour.polygon(mask),
        shape=shape,
        intensity=measure_intensity(gray, normalised, mask, (labels > 0) & ~mask),
        probability=float(probability[mask].mean(dtype=np.float64)),
        ranges=error_bars.ranges(probability, mask, shape, rules.error_bars),
    )
