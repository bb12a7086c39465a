"""The paper's segmentation network (section 2.3.1, figure 2)."""

import functools
from collections.abc import Callable

import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from spheroid_jax.models.blocks import Conv, Deconv, DownConv, crop_to, pad_to_multiple
from spheroid_jax.models.normalization import EPSILON, GroupNorm

NORMS = ("image", "batch", "group")
DOWN_SAMPLINGS = 4
BLOCKS_PER_GROUP = 3


class SegmentationNetwork(nn.Module):
    """Multiscale network: one encoder, two deep paths, one decoder.

    At width 60 and 480 x 480 pixels the encoder has 60 maps of 240 x 240, 120 of 120 x 120, 240 of
    60 x 60 (where DeepPath1 starts) and 480 of 30 x 30 (where DeepPath2 starts); the decoder goes
    the same way back with long skips.

    Attributes:
      width: number of feature maps of the first layer; doubled at each down-sampling.
      depth: number of inception-residual blocks in each deep path.
      norm: "image" normalises each image by its own statistics, in training and inference alike;
        "batch" normalises by the statistics of the batch in training and by running averages in
        inference; "group" is "image" by groups of maps. With the paper's batch size of 1, "image"
        and "batch" train the same; docs/evidence/paper.md says why "image" is the default.
      norm_momentum: momentum of the running averages of "batch".
      dtype: dtype of the products; parameters stay float32.
      remat: compute each block again in the backward pass instead of keeping its inner values:
        less memory, more time, the same gradient.
    """

    width: int = 60
    depth: int = 9
    norm: str = "image"
    norm_momentum: float = 0.99
    dtype: DTypeLike = jnp.float32
    remat: bool = False

    @nn.compact
    def __call__(
        self, image: Float[Array | np.ndarray, "B H W 1"], *, train: bool = False
    ) -> Float[Array, "B H W 2"]:
        """Computes class logits.

        Args:
          image: gray values in [0, 1]; any H and W.
          train: with the norm "batch", normalise by the statistics of the batch and update the
            running averages (collection `batch_stats`).

        Returns:
          The logits, float32: background, foreground.
        """
        height, width = image.shape[1:3]
        x = pad_to_multiple(jnp.asarray(image, self.dtype), 2**DOWN_SAMPLINGS)
        encoded = []
        for level in range(DOWN_SAMPLINGS):
            maps = self.width * 2**level
            x = nn.relu(DownConv(maps, dtype=self.dtype, name=f"down_{level + 1}")(x))
            encoded.append(x)
        half, quarter, eighth, sixteenth = encoded

        path_1 = self._deep_path(IR1, "path_1", eighth, train)
        path_1 = nn.relu(Conv(4 * self.width, dtype=self.dtype, name="path_1_end")(path_1))
        path_2 = self._deep_path(IR2, "path_2", sixteenth, train)

        x = path_2
        skips = (path_1, quarter, half)
        for level, skip in enumerate(skips):
            maps = skip.shape[-1]
            x = Deconv(maps, dtype=self.dtype, name=f"up_{level + 1}")(x)
            x = jnp.concatenate([nn.relu(x), skip], axis=-1)
        logits = Deconv(2, dtype=self.dtype, name="up_4")(x)
        return crop_to(logits, height, width).astype(jnp.float32)

    def _deep_path(self, block, name, x, train):
        """Chains the blocks, with long skips over each group of blocks and over the whole path."""
        block = nn.remat(block) if self.remat else block
        path_input = group_input = x
        for index in range(self.depth):
            x = block(norm=self._norm(train), dtype=self.dtype, name=f"{name}_block_{index + 1}")(x)
            if (index + 1) % BLOCKS_PER_GROUP == 0:
                x = group_input = x + group_input
        return x + path_input

    def _norm(self, train):
        """Returns the constructor of a block's normalisation."""
        if self.norm == "image":
            return functools.partial(nn.InstanceNorm, epsilon=EPSILON, dtype=self.dtype)
        if self.norm == "batch":
            return functools.partial(
                nn.BatchNorm,
                use_running_average=not train,
                momentum=self.norm_momentum,
                epsilon=EPSILON,
                dtype=self.dtype,
            )
        if self.norm == "group":
            return functools.partial(GroupNorm, dtype=self.dtype)
        raise ValueError(f"norm = {self.norm!r}; there are {', '.join(NORMS)}")


class IR1(nn.Module):
    """Inception-residual block of 1 x 3 and 3 x 1 convolutions (DeepPath1).

    The branches are added to the input; normalisation and ReLU follow. The branches are linear,
    because the paper's only activation stands at the end.
    """

    norm: Callable
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B H W C"]:
        """Maps (B, H, W, C) to (B, H, W, C)."""

        def branch(name, y, kernel_sizes):
            for index, size in enumerate(kernel_sizes):
                y = Conv(
                    x.shape[-1], size, use_bias=False, dtype=self.dtype, name=f"{name}_{index + 1}"
                )(y)
            return y

        pair = ((1, 3), (3, 1))
        x = x + branch("short", x, pair) + branch("long", x, pair + pair)
        return nn.relu(self.norm(name="norm")(x))


class IR2(nn.Module):
    """Inception-residual block of 3 x 3 convolutions (DeepPath2).

    The branches are concatenated with the input, and a 1 x 1 convolution brings the number of maps
    back; normalisation and ReLU follow.
    """

    norm: Callable
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B H W C"]:
        """Maps (B, H, W, C) to (B, H, W, C)."""
        maps = x.shape[-1]

        def conv(name, y, size=(3, 3)):
            return Conv(maps, size, use_bias=False, dtype=self.dtype, name=name)(y)

        short = conv("short_1", x)
        long = conv("long_2", conv("long_1", x))
        joined = jnp.concatenate([x, short, long], axis=-1)
        return nn.relu(self.norm(name="norm")(conv("reduce", joined, (1, 1))))
