"""The paper's adversarial network (section 2.3.2)."""

import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from spheroid_jax.models.blocks import Conv, DownConv

LEAK = 0.2  # slope of the leaky ReLU below zero


class AdversarialNetwork(nn.Module):
    """Classifier that tells ground truths (real) from segmentations (fake).

    Attributes:
      width: number of feature maps of the first layer; doubled at each down-sampling.
      depth: number of repetitions of (dilated 3 x 3 of stride 2, then 1 x 1).
      dtype: dtype of the products; parameters stay float32.
    """

    width: int = 8
    depth: int = 6
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, judged: Float[Array | np.ndarray, "B H W 2"]) -> Float[Array, "B 2"]:
        """Computes two class logits per image.

        Args:
          judged: the image times the probability of each class, or times the one-hot ground truth.

        Returns:
          The logits, float32: fake, real.
        """
        x = jnp.asarray(judged)
        for level in range(self.depth):
            maps = self.width * 2**level
            x = DownConv(maps, dtype=self.dtype, name=f"down_{level + 1}")(x)
            x = nn.leaky_relu(x, LEAK)
            x = Conv(maps, (1, 1), dtype=self.dtype, name=f"mix_{level + 1}")(x)
            x = nn.leaky_relu(x, LEAK)
        x = Conv(2, dtype=self.dtype, name="classes")(x)
        return x.mean(axis=(1, 2), dtype=jnp.float32)
