"""Random augmentation of training samples: geometry, contrast, illumination, blur and noise.

The training step applies this augmentation, which the paper does not have, after the paper's flips
and quarter turns. It prepares a model for images of other laboratories. Positions and displacements
are in sides of the grid, with the origin at the grid's centre; intensities are in [0, 1]. The
changes of sample n depend on the seed and on n alone, so they are the same for every stream, for
every batch size, and after training was resumed.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
from jax import numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from spheroid_jax import images

# Largest distance of the body's centroid from the grid's centre along each axis, in sides.
_FARTHEST = 0.45
# Frequencies of smooth random fields along each axis, besides 0.
_CYCLES_PER_SIDE = (0.5, 1.0, 1.5, 2.0)
# Percentiles are taken over about this number of pixels, squared.
_PERCENTILE_SIDE = 64
_SMALLEST_RANGE = 1e-6


class Strengths(NamedTuple):
    """Strengths of the changes; a strength of 0 switches its change off.

    Attributes:
      scale: largest zoom factor, minus 1; log-uniform, in and out.
      shift: largest shift along each axis, in sides.
      rotate: largest rotation in either direction, in degrees.
      stretch: largest ratio of two perpendicular zoom factors, minus 1; log-uniform, in any
        direction. Areas stay the same.
      elastic: standard deviation of a smooth displacement, in sides.
      gamma: largest exponent of the intensities, minus 1; log-uniform, above and below 1.
      invert: probability of exchanging dark and bright.
      illumination: standard deviation of the logarithm of a smooth brightness factor.
      blur: largest standard deviation of a Gaussian blur, in pixels.
      noise: largest standard deviation of Gaussian noise.
    """

    scale: float = 0.0
    shift: float = 0.0
    rotate: float = 0.0
    stretch: float = 0.0
    elastic: float = 0.0
    gamma: float = 0.0
    invert: float = 0.0
    illumination: float = 0.0
    blur: float = 0.0
    noise: float = 0.0


def make_augment(strengths: Strengths, *, seed: int) -> Callable | None:
    """Makes the function that augments a batch.

    Args:
      strengths: `Strengths` of the changes.
      seed: non-negative integer.

    Returns:
      Pure function `augment(image, mask, counted, parts, step)`, which applies `augment_sample` to
      each sample; all arrays are (B, S, S), and the parts (B, S, S, P). None if all strengths are
      0.
    """
    if not any(strengths):
        return None

    def augment(image, mask, counted, parts, step):
        number = step * len(image) + jnp.arange(len(image))
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), number)
        # The fast matrix products of accelerators are too coarse for coordinates.
        with jax.default_matmul_precision("highest"):
            return jax.vmap(functools.partial(augment_sample, strengths))(
                keys, image, mask, counted, parts
            )

    return augment


def augment_sample(
    strengths: Strengths,
    key: Key[Array, ""],
    image: Float[Array, "s s"],
    mask: Bool[Array, "s s"],
    counted: Bool[Array, "s s"],
    parts: Bool[Array, "s s p"],
) -> tuple[Float[Array, "s s"], Bool[Array, "s s"], Bool[Array, "s s"], Bool[Array, "s s p"]]:
    """Changes one sample at random.

    Args:
      strengths: `Strengths` of the changes.
      key: random key of the sample.
      image: intensities in [0, 1].
      mask: the ground truth.
      counted: false for pixels beyond the image's edge.
      parts: parts of the bodies, such as their markers and their cores.

    Returns:
      The changed image, mask, counted pixels and parts. Pixels that come from beyond the frame
      repeat the nearest pixel of the frame and do not count. The image is normalised by
      `normalise`.
    """
    geometry, intensity = jax.random.split(key)
    if any(strengths[:5]):
        sources = _sources(strengths, geometry, mask)
        image, mask, counted, parts = _warp(image, mask, counted, parts, *sources)
    image = _change_intensity(strengths, intensity, image)
    return normalise(image, counted), mask, counted, parts


def normalise(image: Float[Array, "s s"], counted: Bool[Array, "s s"]) -> Float[Array, "s s"]:
    """Stretches intensities to [0, 1] by percentiles of the counted pixels.

    The percentiles are those of `images.normalise`. In large images, every n-th row and column is
    enough to find them.

    Args:
      image: the intensities.
      counted: false for pixels that do not take part in the percentiles.
    """
    every = max(1, len(image) // _PERCENTILE_SIDE)
    looked_at = (slice(every // 2, None, every),) * 2
    counted = counted[looked_at].ravel()
    # Pixels that do not count are ranked last.
    ranked = jnp.sort(jnp.where(counted, image[looked_at].ravel(), jnp.inf))
    last = jnp.maximum(counted.sum() - 1, 0)
    ends = [_ranked_at(ranked, last, p / 100) for p in images.PERCENTILES]
    flat = ends[0] == ends[1]
    low = jnp.where(flat, ranked[0], ends[0])
    high = jnp.where(flat, ranked[last], ends[1])
    return jnp.clip((image - low) / jnp.maximum(high - low, _SMALLEST_RANGE), 0, 1)


def _ranked_at(ranked, last, fraction):
    """Returns a quantile of sorted values by linear interpolation between two ranks."""
    rank = fraction * last
    below = jnp.floor(rank).astype(jnp.int32)
    above = jnp.minimum(below + 1, last)
    part = rank - below
    return (1 - part) * ranked[below] + part * ranked[above]


def _sources(strengths, key, mask):
    """Returns the rows and the columns, both (S, S), that the pixels of the result come from."""
    keys = jax.random.split(key, 6)
    size = len(mask)
    zoom = _log_uniform(keys[0], strengths.scale)
    ratio = _log_uniform(keys[1], strengths.stretch)
    axis = jax.random.uniform(keys[2], maxval=math.pi)
    angle = jnp.deg2rad(strengths.rotate) * _signed_uniform(keys[3])
    shift = strengths.shift * _signed_uniform(keys[4], (2,))

    at = _positions(size)
    body = _centroid(mask, at)
    moved = zoom * _rotation(angle) @ _stretch(ratio, axis) @ body
    shift = jnp.clip(moved + shift, -_FARTHEST, _FARTHEST) - moved

    back = _stretch(1 / ratio, axis) @ _rotation(-angle) / zoom
    rows, columns = jnp.meshgrid(at - shift[0], at - shift[1], indexing="ij")
    source = jnp.stack(
        [back[0, 0] * rows + back[0, 1] * columns, back[1, 0] * rows + back[1, 1] * columns]
    )
    if strengths.elastic:
        field = functools.partial(_smooth_field, size=size)
        source += strengths.elastic * jax.vmap(field)(jax.random.split(keys[5]))
    return source * size + (size - 1) / 2


def _warp(image, mask, counted, parts, rows, columns):
    """Samples the image, the mask, the counted pixels and the parts at (rows, columns)."""
    layers = jnp.stack([image, mask, counted], -1)
    layers = jnp.concatenate([layers, parts], -1).astype(jnp.float32)
    image, mask, counted, *parts = jnp.moveaxis(_bilinear(layers, rows, columns), -1, 0)
    farthest = len(image) - 0.5
    counted = (
        (counted >= 0.5)
        & (jnp.minimum(rows, columns) >= -0.5)
        & (jnp.maximum(rows, columns) <= farthest)
    )
    parts = (jnp.stack(parts, -1) >= 0.5) & counted[..., jnp.newaxis]
    return image, (mask >= 0.5) & counted, counted, parts


def _bilinear(layers, rows, columns):
    """Interpolates layers (S, S, L) at (rows, columns); beyond the frame, the edge goes on."""
    size = len(layers)
    pixels = layers.reshape(size * size, -1)
    rows, columns = (jnp.clip(at, 0, size - 1) for at in (rows, columns))
    top, left = (jnp.minimum(jnp.floor(at), size - 2).astype(jnp.int32) for at in (rows, columns))
    corner = top * size + left
    down, right = (rows - top)[..., None], (columns - left)[..., None]

    def pixel(offset):
        return pixels.at[corner + offset].get(mode="promise_in_bounds")

    upper = (1 - right) * pixel(0) + right * pixel(1)
    lower = (1 - right) * pixel(size) + right * pixel(size + 1)
    return (1 - down) * upper + down * lower


def _change_intensity(strengths, key, image):
    """Changes contrast, illumination, focus and noise, in the order of the path of the light."""
    keys = jax.random.split(key, 6)
    if strengths.invert:
        inverted = jax.random.bernoulli(keys[0], strengths.invert)
        image = jnp.where(inverted, 1 - image, image)
    if strengths.gamma:
        image = image ** _log_uniform(keys[1], strengths.gamma)
    if strengths.illumination:
        field = _uneven_light(keys[2], len(image))
        image *= jnp.exp(strengths.illumination * field)
    if strengths.blur:
        deviation = strengths.blur * jax.random.uniform(keys[3])
        image = _blurred(image, deviation)
    if strengths.noise:
        deviation = strengths.noise * jax.random.uniform(keys[4])
        image += deviation * jax.random.normal(keys[5], image.shape)
    return image


def _uneven_light(key, size):
    """Returns a random slope, vignette and smooth field, whose sum has standard deviation 1."""
    slopes, field = jax.random.split(key)
    at = _positions(size)
    # Each term has standard deviation 1 over the grid.
    slope = math.sqrt(12) * at
    bend = math.sqrt(180) * (jnp.square(at) - 1 / 12)
    constant = jnp.ones_like(at)
    terms = jnp.stack(
        [
            jnp.outer(down, across)
            for down, across in [
                (slope, constant),
                (constant, slope),
                (bend, constant),
                (constant, bend),
                (slope, slope),
            ]
        ]
    )
    drawn = jnp.tensordot(jax.random.normal(slopes, (len(terms),)), terms, 1)
    return (drawn + _smooth_field(field, size)) / math.sqrt(len(terms) + 1)


def _smooth_field(key, size):
    """Returns a smooth random field (S, S); at each pixel, its mean is 0 and its deviation 1."""
    waves = 2 * math.pi * jnp.outer(_positions(size), jnp.array(_CYCLES_PER_SIDE))
    basis = jnp.concatenate([jnp.ones((size, 1)), jnp.cos(waves), jnp.sin(waves)], axis=1)
    drawn = jax.random.normal(key, (basis.shape[1],) * 2)
    # A constant would shift the whole image, or make all of it brighter.
    drawn = drawn.at[0, 0].set(0)
    terms = (1 + len(_CYCLES_PER_SIDE)) ** 2 - 1
    return basis @ drawn @ basis.T / math.sqrt(terms)


def _blurred(image, deviation):
    """Returns the image after a Gaussian blur, a product with a band matrix along each axis."""
    at = jnp.arange(len(image), dtype=jnp.float32)
    distance = at[:, jnp.newaxis] - at[jnp.newaxis]
    variance = jnp.maximum(jnp.square(deviation), _SMALLEST_RANGE)
    band = jnp.exp(-jnp.square(distance) / (2 * variance))
    band /= band.sum(1, keepdims=True)
    return band @ image @ band.T


def _positions(size):
    """Returns the pixels' centres along one axis, in sides from the grid's centre."""
    return (jnp.arange(size) - (size - 1) / 2) / size


def _centroid(mask, at):
    """Returns row and column of a mask's centroid; of the grid's centre if the mask is empty."""
    total = jnp.maximum(mask.sum(), 1)
    return jnp.stack([mask.sum(1) @ at, mask.sum(0) @ at]) / total


def _rotation(angle):
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([cos, -sin]), jnp.stack([sin, cos])])


def _stretch(ratio, axis):
    """Returns the matrix that zooms by sqrt(ratio) along an axis, by 1 / sqrt(ratio) across it."""
    root = jnp.sqrt(ratio)
    turn = _rotation(axis)
    return turn @ jnp.diag(jnp.stack([root, 1 / root])) @ turn.T


def _log_uniform(key, strength):
    """Draws a number between 1 / (1 + strength) and 1 + strength, uniform in its logarithm."""
    return jnp.exp(math.log1p(strength) * _signed_uniform(key))


def _signed_uniform(key, shape=()):
    return jax.random.uniform(key, shape, minval=-1, maxval=1)
