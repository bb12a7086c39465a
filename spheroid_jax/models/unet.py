"""U-net*: the original U-Net with zero-padded convolutions (section 3).

Reference: Ronneberger, Fischer, Brox, MICCAI 2015 (the paper's [12]).
"""

import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from spheroid_jax.models.blocks import (
    Conv,
    Deconv,
    crop_to,
    depth_to_space,
    max_pool_2x2,
    pad_to_multiple,
    space_to_depth,
)
from spheroid_jax.models.normalization import GroupNorm

NORMS = ("none", "group")


class UNet(nn.Module):
    """U-Net whose output has the size of its input.

    Attributes:
      width: number of feature maps of the first level; doubled at each down-sampling.
      depth: number of down-samplings.
      patch: side of the squares of pixels that the first level takes for one pixel; each pixel of
        a square becomes a map of its own. No detail is lost, and the finest level, which costs
        most, works on patch^2 times fewer pixels. 1 is the original U-Net.
      norm: "none" is the original U-Net; "group" normalises by groups of maps after each 3 x 3
        convolution.
      markers: whether a third map of the output is the logit of the bodies' markers
        (`images.markers`), by which touching bodies are told apart.
      cores: whether the last map of the output is the logit of the bodies' dense cores; what it
        says of the background means nothing.
      dtype: dtype of the products; parameters stay float32.
      remat: compute each pair of convolutions again in the backward pass instead of keeping its
        inner values: less memory, more time, the same gradient.
    """

    width: int = 64
    depth: int = 4
    patch: int = 1
    norm: str = "none"
    markers: bool = False
    cores: bool = False
    dtype: DTypeLike = jnp.float32
    remat: bool = False

    @nn.compact
    def __call__(
        self, image: Float[Array | np.ndarray, "B H W 1"], *, train: bool = False
    ) -> Float[Array, "B H W maps"]:
        """Computes class logits.

        Args:
          image: gray values in [0, 1]; any H and W.
          train: without effect; every segmentation network is called with it.

        Returns:
          The logits, float32: background, foreground, with `markers` the marker, and with
            `cores` the core.
        """
        del train
        if self.norm not in NORMS:
            raise ValueError(f"norm = {self.norm!r}; there are {', '.join(NORMS)}")
        height, width = image.shape[1:3]
        x = pad_to_multiple(jnp.asarray(image, self.dtype), self.patch * 2**self.depth)
        x = space_to_depth(x, self.patch)
        skips = []
        for level in range(self.depth):
            x = self._two_convolutions(f"down_{level + 1}", x, level)
            skips.append(x)
            x = max_pool_2x2(x)
        x = self._two_convolutions("bottom", x, self.depth)
        for level in reversed(range(self.depth)):
            maps = self.width * 2**level
            x = Deconv(maps, dtype=self.dtype, name=f"deconv_{level + 1}")(x)
            x = jnp.concatenate([skips[level], x], axis=-1)
            x = self._two_convolutions(f"up_{level + 1}", x, level)
        logits = self._pixels("classes", x, 2)
        for name in ("markers", "cores"):
            if getattr(self, name):
                logits = jnp.concatenate([logits, self._pixels(name, x, 1)], axis=-1)
        return crop_to(logits, height, width).astype(jnp.float32)

    def _pixels(self, name, x, maps):
        """Computes the maps of the output at each pixel of the squares."""
        x = Conv(maps * self.patch**2, (1, 1), dtype=self.dtype, name=name)(x)
        return depth_to_space(x, self.patch)

    def _two_convolutions(self, name, x, level):
        def convolutions(module, x):
            for index in (1, 2):
                x = Conv(
                    module.width * 2**level,
                    # The normalisation would take a bias off again.
                    use_bias=module.norm == "none",
                    dtype=module.dtype,
                    name=f"{name}_conv_{index}",
                )(x)
                if module.norm == "group":
                    x = GroupNorm(dtype=module.dtype, name=f"{name}_norm_{index}")(x)
                x = nn.relu(x)
            return x

        if self.remat:
            convolutions = nn.remat(convolutions)
        return convolutions(self, x)
