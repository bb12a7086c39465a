"""Building blocks that the networks share (paper, sections 2.3.1 and 2.3.2).

All arrays are (B, H, W, C). Parameters are float32; `dtype` is the dtype of the products (float32
or bfloat16).
"""

from flax import linen as nn
from jax import numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from spheroid_jax.models.convolution import same_convolution, transposed_convolution_2x2

KERNEL_INIT = nn.initializers.he_normal()


class Conv(nn.Module):
    """Stride-1 convolution with zero padding that keeps the size."""

    features: int
    kernel_size: tuple[int, int] = (3, 3)
    use_bias: bool = True
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B H W {self.features}"]:
        """Maps (B, H, W, C) to (B, H, W, features)."""
        shape = (*self.kernel_size, x.shape[-1], self.features)
        kernel = self.param("kernel", KERNEL_INIT, shape)
        x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
        y = x @ kernel[0, 0] if self.kernel_size == (1, 1) else same_convolution(x, kernel)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y += bias.astype(self.dtype).reshape(1, 1, 1, -1)
        return y


class DownConv(nn.Module):
    """3 x 3 convolution with dilation 2, stride 2 and padding 2 (section 2.3.1).

    With dilation and stride both at 2, every tap falls on an even row and column. The layer is
    therefore computed as an ordinary 3 x 3 convolution of every second pixel.
    """

    features: int
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B _ _ {self.features}"]:
        """Maps (B, H, W, C) to (B, ceil(H / 2), ceil(W / 2), features)."""
        return Conv(self.features, dtype=self.dtype, name="conv")(x[:, ::2, ::2])


class Deconv(nn.Module):
    """2 x 2 transposed convolution with stride 2 (section 2.3.1)."""

    features: int
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B 2*H 2*W {self.features}"]:
        """Maps (B, H, W, C) to (B, 2 H, 2 W, features)."""
        shape = (x.shape[-1], 4 * self.features)
        kernel = self.param("kernel", KERNEL_INIT, shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        y = transposed_convolution_2x2(x.astype(self.dtype), kernel.astype(self.dtype))
        return y + bias.astype(self.dtype).reshape(1, 1, 1, -1)


def pad_to_multiple(x: Float[Array, "B H W C"], multiple: int) -> Float[Array, "B _ _ C"]:
    """Pads height and width, below and to the right, with zeros to multiples of `multiple`."""
    bottom, right = (-side % multiple for side in x.shape[1:3])
    return jnp.pad(x, ((0, 0), (0, bottom), (0, right), (0, 0)))


def crop_to(
    x: Float[Array, "B _ _ C"], height: int, width: int
) -> Float[Array, "B {height} {width} C"]:
    """Undoes `pad_to_multiple`."""
    return x[:, :height, :width]


def space_to_depth(
    x: Float[Array, "B H W C"], side: int
) -> Float[Array, "B H//{side} W//{side} C*{side}**2"]:
    """Turns each square of `side` x `side` pixels into one pixel with side^2 times the maps.

    Args:
      x: H and W are multiples of `side`.
      side: side of the squares, in pixels.

    Returns:
      (B, H / side, W / side, side^2 C); the maps of a square's pixels follow row by row.
    """
    batch, height, width, maps = x.shape
    x = x.reshape(batch, height // side, side, width // side, side, maps)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(
        batch, height // side, width // side, side * side * maps
    )


def depth_to_space(
    x: Float[Array, "B H W C"], side: int
) -> Float[Array, "B H*{side} W*{side} C//{side}**2"]:
    """Undoes `space_to_depth`."""
    batch, height, width, maps = x.shape
    x = x.reshape(batch, height, width, side, side, maps // side**2)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(
        batch, height * side, width * side, maps // side**2
    )


def max_pool_2x2(x: Float[Array, "B H W C"]) -> Float[Array, "B H//2 W//2 C"]:
    """Halves height and width, both even, by the maximum of each 2 x 2 block.

    The maximum is a reshape because XLA's gradient of a pooling window (select-and-scatter) is
    slow on the CPU. The maximum is taken pair by pair because the gradient of a maximum over axes
    asks which values equal the maximum: where XLA computes x again with another rounding, no value
    does, and the gradient is NaN. Equal maxima share the gradient.
    """
    batch, height, width, maps = x.shape
    x = x.reshape(batch, height // 2, 2, width // 2, 2, maps)
    x = jnp.maximum(x[:, :, 0], x[:, :, 1])
    return jnp.maximum(x[:, :, :, 0], x[:, :, :, 1])
