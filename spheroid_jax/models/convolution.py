"""Convolutions that are fast on every platform and give the textbook's values.

Four rewrites, all exact up to rounding; docs/evidence/performance.md, "Convolutions", has what
each one gains:

* On the CPU, a 3-tap convolution of many channels goes through `minimal_filtering`, and so do its
  gradients.
* On the CPU, the kernel gradient of every other convolution is a sum of one matrix product per
  kernel tap, because XLA's own kernel gradient is slow there.
* Other platforms keep XLA's (cuDNN's) convolutions: the platform is known when the program is
  lowered, and the choice is made then.
* A transposed convolution with a 2 x 2 kernel and stride 2 is one matrix product followed by a
  reshape (depth to space), because its taps do not overlap.

Arrays are channels-last: x is (B, H, W, C), a kernel is (kh, kw, C, F).
"""

import jax
from jax import lax
from jax import numpy as jnp
from jaxtyping import Array, Float

from spheroid_jax.models import minimal_filtering

_LAYOUT = ("NHWC", "HWIO", "NHWC")


@jax.custom_vjp
def same_convolution(
    x: Float[Array, "B H W C"], kernel: Float[Array, "kh kw C F"]
) -> Float[Array, "B H W F"]:
    """Convolves at stride 1 with zero padding that keeps the size.

    Args:
      x: the input.
      kernel: kh and kw are odd.

    Returns:
      The output, in the dtype of `x`.
    """
    return lax.platform_dependent(x, kernel, cpu=_on_cpu, default=_plain)


def _forward(x, kernel):
    return same_convolution(x, kernel), (x, kernel)


def _backward(residuals, g):
    return lax.platform_dependent(*residuals, g, cpu=_gradients_on_cpu, default=_plain_gradients)


same_convolution.defvjp(_forward, _backward)


def _plain(x, kernel):
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=_LAYOUT)


def _plain_gradients(x, kernel, g):
    return jax.vjp(_plain, x, kernel)[1](g)


def _on_cpu(x, kernel):
    if minimal_filtering.pays(x, kernel):
        return minimal_filtering.convolve(x, kernel)
    return _plain(x, kernel)


def _gradients_on_cpu(x, kernel, g):
    # With the barrier, XLA makes the tiles again instead of keeping those of the forward pass.
    x = lax.optimization_barrier(x)
    # The gradient by the input is the convolution with the flipped kernel.
    input_gradient = _on_cpu(g, kernel[::-1, ::-1].swapaxes(2, 3))
    if minimal_filtering.pays(x, kernel):
        return input_gradient, minimal_filtering.kernel_gradient(x, g, kernel.shape)
    return input_gradient, _tap_products(x, kernel, g)


def _tap_products(x, kernel, g):
    """Computes the kernel gradient: per tap, the shifted input times the output gradient."""
    kh, kw, channels, features = kernel.shape
    height, width = x.shape[1:3]
    x = jnp.pad(x, ((0, 0), (kh // 2,) * 2, (kw // 2,) * 2, (0, 0)))
    g = g.reshape(-1, features)
    taps = [
        x[:, i : i + height, j : j + width].reshape(-1, channels).T @ g
        for i in range(kh)
        for j in range(kw)
    ]
    return jnp.stack(taps).reshape(kernel.shape)


def transposed_convolution_2x2(
    x: Float[Array, "B H W C"], kernel: Float[Array, "C F4"]
) -> Float[Array, "B 2*H 2*W F4//4"]:
    """Doubles height and width by a 2 x 2 transposed convolution with stride 2.

    Args:
      x: the input.
      kernel: (C, 4 F): F columns for each of the output pixels (2 h, 2 w), (2 h, 2 w + 1),
        (2 h + 1, 2 w) and (2 h + 1, 2 w + 1), in this order.

    Returns:
      The output, (B, 2 H, 2 W, F).
    """
    batch, height, width, _ = x.shape
    y = (x @ kernel).reshape(batch, height, width, 2, 2, -1)
    return y.transpose(0, 1, 3, 2, 4, 5).reshape(batch, 2 * height, 2 * width, -1)
