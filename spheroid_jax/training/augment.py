"""Augmentation beyond the paper's flips and quarter turns, inside the step.

For models that are to work on images of other laboratories. Positions and
displacements are in sides of the grid, with the origin at its centre;
intensities are in [0, 1]. What sample n becomes depends on (seed, n) alone:
not on the stream, the batch size, or where training was resumed.
"""

import functools
import math
from typing import NamedTuple

import jax
from jax import numpy as jnp

from spheroid_jax import images

# The body's centroid stays this far from the grid's centre at most.
_FARTHEST = 0.45
# Smooth random fields have these frequencies along each axis, besides 0.
_CYCLES_PER_SIDE = (0.5, 1.0, 1.5, 2.0)
# Percentiles are taken of about this many pixels squared.
_PERCENTILE_SIDE = 64
_SMALLEST_RANGE = 1e-6


class Strengths(NamedTuple):
    """How strongly samples are changed; 0 is not at all.

    Attributes:
      scale: largest zoom factor, minus 1; log-uniform, in and out.
      shift: largest shift along each axis, in sides.
      rotate: largest rotation, either way, in degrees.
      stretch: largest ratio of two perpendicular zoom factors, minus 1;
        log-uniform, of any direction, keeping areas.
      elastic: standard deviation of a smooth displacement, in sides.
      gamma: largest exponent of the intensities, minus 1; log-uniform, both
        ways.
      invert: probability of exchanging dark and bright.
      illumination: standard deviation of the logarithm of a smooth factor.
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


def make_augment(strengths, *, seed):
    """Binds the strengths to a pure function.

    Args:
      strengths: `Strengths`.
      seed: non-negative integer.

    Returns:
      `augment(image, mask, counted, step) -> (image, mask, counted)`, each (B, S, S), as
      `augment_sample` changes each sample; None where all strengths are 0.
    """
    if not any(strengths):
        return None

    def augment(image, mask, counted, step):
        number = step * len(image) + jnp.arange(len(image))
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), number)
        # Coordinates would suffer from an accelerator's fast products.
        with jax.default_matmul_precision("highest"):
            return jax.vmap(functools.partial(augment_sample, strengths))(
                keys, image, mask, counted
            )

    return augment


def augment_sample(strengths, key, image, mask, counted):
    """Changes one sample at random.

    Args:
      strengths: `Strengths`.
      key: of the sample.
      image: (S, S), in [0, 1].
      mask: (S, S), boolean.
      counted: (S, S), boolean: where there is an image.

    Returns:
      The same three. What comes from beyond the frame continues the edge and
      is not counted; the image is normalised as `images.normalise` does.
    """
    geometry, intensity = jax.random.split(key)
    if any(strengths[:5]):
        image, mask, counted = _warp(*(image, mask, counted), *_sources(strengths, geometry, mask))
    image = _change_intensity(strengths, intensity, image)
    return normalise(image, counted), mask, counted


def normalise(image, counted):
    """As `images.normalise`, by the percentiles of the counted pixels.

    Of large images every n-th pixel is looked at, for speed.

    Args:
      image: (S, S), float32.
      counted: (S, S), boolean.

    Returns:
      (S, S), in [0, 1].
    """
    every = max(1, len(image) // _PERCENTILE_SIDE)
    looked_at = (slice(every // 2, None, every),) * 2
    counted = counted[looked_at].ravel()
    # What is not counted comes last.
    ranked = jnp.sort(jnp.where(counted, image[looked_at].ravel(), jnp.inf))
    last = jnp.maximum(counted.sum() - 1, 0)
    ends = [_ranked_at(ranked, last, p / 100) for p in images.PERCENTILES]
    flat = ends[0] == ends[1]
    low = jnp.where(flat, ranked[0], ends[0])
    high = jnp.where(flat, ranked[last], ends[1])
    return jnp.clip((image - low) / jnp.maximum(high - low, _SMALLEST_RANGE), 0, 1)


def _ranked_at(ranked, last, fraction):
    """Interpolates between the two ranks that a quantile lies between."""
    rank = fraction * last
    below = jnp.floor(rank).astype(jnp.int32)
    above = jnp.minimum(below + 1, last)
    part = rank - below
    return (1 - part) * ranked[below] + part * ranked[above]


def _sources(strengths, key, mask):
    """Where each pixel of the result comes from: rows, columns (S, S)."""
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


def _warp(image, mask, counted, rows, columns):
    """Samples the three at (rows, columns), bilinearly."""
    layers = jnp.stack([image, mask, counted], -1).astype(jnp.float32)
    image, mask, counted = jnp.moveaxis(_bilinear(layers, rows, columns), -1, 0)
    farthest = len(image) - 0.5
    counted = (
        (counted >= 0.5)
        & (jnp.minimum(rows, columns) >= -0.5)
        & (jnp.maximum(rows, columns) <= farthest)
    )
    return image, (mask >= 0.5) & counted, counted


def _bilinear(layers, rows, columns):
    """Interpolates (S, S, L) at (rows, columns), continuing the edge."""
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
    """From the specimen to the camera: contrast, light, optics, sensor."""
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
    """A slope, a vignette and a smooth field, together of deviation 1."""
    slopes, field = jax.random.split(key)
    at = _positions(size)
    # Each of deviation 1 over the grid.
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
    """A random (S, S) of mean 0 and deviation 1, at each pixel."""
    waves = 2 * math.pi * jnp.outer(_positions(size), jnp.array(_CYCLES_PER_SIDE))
    basis = jnp.concatenate([jnp.ones((size, 1)), jnp.cos(waves), jnp.sin(waves)], axis=1)
    drawn = jax.random.normal(key, (basis.shape[1],) * 2)
    # A constant would be a shift, or a brighter lamp.
    drawn = drawn.at[0, 0].set(0)
    terms = (1 + len(_CYCLES_PER_SIDE)) ** 2 - 1
    return basis @ drawn @ basis.T / math.sqrt(terms)


def _blurred(image, deviation):
    """A Gaussian blur: a product with a band matrix along each axis."""
    at = jnp.arange(len(image), dtype=jnp.float32)
    distance = at[:, jnp.newaxis] - at[jnp.newaxis]
    variance = jnp.maximum(jnp.square(deviation), _SMALLEST_RANGE)
    band = jnp.exp(-jnp.square(distance) / (2 * variance))
    band /= band.sum(1, keepdims=True)
    return band @ image @ band.T


def _positions(size):
    """The pixels' centres along an axis, in sides from the grid's centre."""
    return (jnp.arange(size) - (size - 1) / 2) / size


def _centroid(mask, at):
    """(row, column) of a mask's centroid; the grid's centre if empty."""
    total = jnp.maximum(mask.sum(), 1)
    return jnp.stack([mask.sum(1) @ at, mask.sum(0) @ at]) / total


def _rotation(angle):
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([cos, -sin]), jnp.stack([sin, cos])])


def _stretch(ratio, axis):
    """Zooms along an axis by sqrt(ratio), and across it by 1 / sqrt(ratio)."""
    root = jnp.sqrt(ratio)
    turn = _rotation(axis)
    return turn @ jnp.diag(jnp.stack([root, 1 / root])) @ turn.T


def _log_uniform(key, strength):
    """Between 1 / (1 + strength) and 1 + strength."""
    return jnp.exp(math.log1p(strength) * _signed_uniform(key))


def _signed_uniform(key, shape=()):
    return jax.random.uniform(key, shape, minval=-1, maxval=1)
