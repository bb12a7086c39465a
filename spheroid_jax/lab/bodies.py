"""Measurement of the bodies of one image: shape, intensity, and error bars.

`measure` is the whole way from an image to numbers; `examine` is the part after the network.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from spheroid_jax import images
from spheroid_jax.inference import predict
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.inference.objects import Cutout
from spheroid_jax.lab import contour, error_bars
from spheroid_jax.lab import rules as rules_of_models
from spheroid_jax.lab.error_bars import Range
from spheroid_jax.lab.intensity import Intensity, measure_intensity
from spheroid_jax.lab.rules import Rules
from spheroid_jax.lab.shape import Shape, measure_cutout


class Body(NamedTuple):
    """One measured body.

    Attributes:
      number: 1 for the largest body of the image, 2 for the next, and so on.
      cutout: the mask in its own frame.
      outline: x and y of the corners of its contour, in pixels from the image's upper left corner.
      shape: lengths in pixels.
      intensity: gray levels in the file's own units.
      probability: mean foreground probability in the mask, in [0, 1].
      confidence: how sure the network is of the body, in [0, 1].
      core_area: area of its dense core in square pixels; NaN for a model that does not tell cores.
      ranges: low and high of the measurements that have error bars, by name; lengths in pixels.
    """

    number: int
    cutout: Cutout
    outline: Float[np.ndarray, "N 2"]
    shape: Shape
    intensity: Intensity
    probability: float
    confidence: float
    core_area: float
    ranges: dict[str, Range]

    @property
    def mask(self) -> Bool[np.ndarray, "H W"]:
        """The mask at the image's own size."""
        return self.cutout.mask()


class Examined(NamedTuple):
    """The bodies of one image.

    Attributes:
      eight_bit: foreground probability, as returned by `postprocess.eight_bit`.
      bodies: the measured bodies, the largest first.
      found: number of bodies in the image, measured or not.
    """

    eight_bit: UInt8[np.ndarray, "H W"]
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
      rules: the model's rules, for the error bars; None for those of the packaged model that
        has markers as this one has, or has none either.

    Returns:
      The bodies, the largest first; [] where the network finds none.

    Raises:
      ImageError: the image cannot be used.
    """
    gray = images.measured(image)
    prepared = predict.prepare(params, gray)
    maps = np.asarray(predict.grid_maps(params, prepared.grid[np.newaxis]))[0]
    rules = rules or rules_of_models.packaged(markers=predict.has_markers(params))[0]
    found = predict.find_bodies(params, gray, prepared, maps)
    return examine(gray, found, rules, several=several).bodies


def examine(
    gray: images.Gray, found: predict.Bodies, rules: Rules, *, several: bool = False
) -> Examined:
    """Measures the bodies that were found in an image.

    Args:
      gray: the image.
      found: the bodies, as returned by `predict.find_bodies`.
      rules: the model's rules, for the error bars.
      several: whether to measure all bodies instead of the largest.
    """
    kept = found.cutouts if several else found.cutouts[:1]
    bodies = [_body(number, kept, found, gray, rules) for number in range(1, len(kept) + 1)]
    return Examined(found.eight_bit, bodies, len(found.cutouts))


def _body(number, all_bodies, found, gray, rules):
    cutout = all_bodies[number - 1]
    others = [other for other in all_bodies if other is not cutout]
    shape = measure_cutout(cutout)
    core_share = math.nan if found.core_share is None else found.core_share[number - 1]
    return Body(
        number=number,
        cutout=cutout,
        outline=contour.polygon(cutout),
        shape=shape,
        intensity=measure_intensity(gray, cutout, others),
        probability=_mean(found.probability, cutout),
        confidence=found.confidence[number - 1],
        core_area=core_share * shape.area,
        ranges=error_bars.ranges(found.eight_bit, cutout, shape, rules.error_bars),
    )


def _mean(probability, cutout):
    """Mean probability in a body, in stripes of columns."""
    rows, columns = cutout.slices
    total = 0.0
    for part in images.stripes((cutout.inside.shape[1], probability.shape[0])):
        at = slice(columns.start + part.start, columns.start + part.stop)
        values = probability.window(rows, at)[cutout.inside[:, part]]
        total += float(values.sum(dtype=np.float64))
    return total / np.count_nonzero(cutout.inside)
