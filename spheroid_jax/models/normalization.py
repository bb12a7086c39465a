"""Group normalisation, which the networks share.

Reference: Wu, He, Group Normalization, ECCV 2018.
"""

import math

from flax import linen as nn
from jax import lax
from jax import numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

EPSILON = 1e-5  # added to every variance
MAPS_PER_GROUP = 8


class GroupNorm(nn.Module):
    """Normalises each image's groups of maps by the group's own mean and variance.

    The result is the same in training and inference, and does not depend on the other images of
    the batch. A group has 8 maps, or as many as the largest power of two below 8 that divides the
    number of maps.

    Flax's GroupNorm reshapes the maps into groups, which is slow on the CPU; here the sums are
    taken map by map and joined afterwards.
    """

    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B H W C"]:
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


def _group_mean(values: Float[Array, "B C"]) -> Float[Array, "B C"]:
    """Replaces each value by the mean of its group."""
    batch, maps = values.shape
    size = math.gcd(maps, MAPS_PER_GROUP)
    means = values.reshape(batch, maps // size, size).mean(-1)
    return jnp.repeat(means, size, axis=-1)
