"""Normalisation by groups of feature maps, which the networks share.

Reference: Wu, He, Group Normalization, ECCV 2018.
"""

import math
from typing import Any

from flax import linen as nn
from jax import lax
from jax import numpy as jnp

EPSILON = 1e-5
MAPS_PER_GROUP = 8


class GroupNorm(nn.Module):
    """Normalises each image's groups of maps by their own mean and variance.

    The same in training and inference, and for any companions in the batch. A
    group has 8 maps, or the largest power of two below that divides them.

    Flax's own reshapes the maps into groups, which is slow on the CPU; here
    the sums are taken a map at a time and joined afterwards.
    """

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        """Maps (B, H, W, C) to (B, H, W, C)."""
        maps = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (maps,))
        bias = self.param("bias", nn.initializers.zeros, (maps,))
        exact = x.astype(jnp.float32)
        mean = _group_mean(exact.mean((1, 2)))
        square = _group_mean(jnp.square(exact).mean((1, 2)))
        # Rounding could make a constant map's variance negative.
        variance = jnp.maximum(square - jnp.square(mean), 0)
        factor = lax.rsqrt(variance + EPSILON) * scale[jnp.newaxis]
        offset = bias[jnp.newaxis] - mean * factor
        y = exact * factor[:, jnp.newaxis, jnp.newaxis]
        y += offset[:, jnp.newaxis, jnp.newaxis]
        return y.astype(self.dtype)


def _group_mean(values):
    """Replaces (B, C) values by the means of their groups."""
    batch, maps = values.shape
    size = math.gcd(maps, MAPS_PER_GROUP)
    means = values.reshape(batch, maps // size, size).mean(-1)
    return jnp.repeat(means, size, axis=-1)
