"""The paper's adversarial network (section 2.3.2)."""

from typing import Any

from flax import linen as nn
from jax import numpy as jnp

from spheroid_jax.models.blocks import Conv, DownConv

LEAK = 0.2


class AdversarialNetwork(nn.Module):
    """Tells ground truths (real) from segmentations (fake).

    Attributes:
      width: feature maps of the first layer; doubled at each down-sampling.
      depth: repetitions of (dilated 3 x 3 of stride 2, then 1 x 1).
      dtype: what products are computed in; parameters stay float32.
    """

    width: int = 8
    depth: int = 6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        """Computes two class logits an image.

        Args:
          x: (B, H, W, 2), the image times each class's probability (or
            times the one-hot ground truth).

        Returns:
          logits (B, 2), float32: fake, real.
        """
        for level in range(self.depth):
            maps = self.width * 2**level
            x = DownConv(maps, dtype=self.dtype, name=f"down_{level + 1}")(x)
            x = nn.leaky_relu(x, LEAK)
            x = Conv(maps, (1, 1), dtype=self.dtype, name=f"mix_{level + 1}")(x)
            x = nn.leaky_relu(x, LEAK)
        x = Conv(2, dtype=self.dtype, name="classes")(x)
        return x.mean(axis=(1, 2), dtype=jnp.float32)
