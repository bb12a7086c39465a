"""Convolutions with fewer multiplications: the same values as XLA's own."""

import chex
import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp

from spheroid_jax.models import minimal_filtering
from spheroid_jax.models.convolution import same_convolution

KERNELS = [(1, 3), (3, 1), (3, 3)]
# Smaller than a tile, a tile, one more, not square.
SIZES = [(1, 2), (3, 3), (4, 5), (7, 6), (8, 9)]


def plain(x, kernel):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def arrays(rng, size, kernel_size, channels=3, features=4, batch=2):
    """x, kernel, and a gradient by the output; of the present float width."""
    return (
        jnp.asarray(rng.normal(size=(batch, *size, channels))),
        jnp.asarray(rng.normal(size=(*kernel_size, channels, features))),
        jnp.asarray(rng.normal(size=(batch, *size, features))),
    )


@pytest.mark.parametrize("kernel_size", KERNELS)
@pytest.mark.parametrize("size", SIZES)
def test_values_and_kernel_gradients_are_the_plain_ones(rng, size, kernel_size):
    with jax.enable_x64(True):
        x, kernel, g = arrays(rng, size, kernel_size)
        expected, pullback = jax.vjp(plain, x, kernel)
        np.testing.assert_allclose(minimal_filtering.convolve(x, kernel), expected, atol=1e-12)
        np.testing.assert_allclose(
            minimal_filtering.kernel_gradient(x, g, kernel.shape), pullback(g)[1], atol=1e-12
        )


def test_by_hand():
    # Four outputs of a row: the pixel to the left, twice it, thrice the right.
    x = jnp.arange(1.0, 5.0).reshape(1, 1, 4, 1)
    kernel = jnp.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(
        minimal_filtering.convolve(x, kernel).ravel(), [8, 14, 20, 11], rtol=1e-6
    )


@pytest.mark.parametrize("kernel_size", KERNELS)
def test_rounding_in_float32_stays_below_1e_5_of_the_largest_value(rng, kernel_size):
    x, kernel, _ = arrays(rng, (32, 30), kernel_size, 64, 64, batch=1)
    exact = plain(*(np.asarray(a, np.float64) for a in (x, kernel)))
    rounded = minimal_filtering.convolve(x, kernel)
    assert rounded.dtype == jnp.float32
    assert np.abs(rounded - exact).max() < 1e-5 * np.abs(exact).max()


def paying(rng, kernel_size=(3, 3)):
    """Arrays for which `same_convolution` takes this way on the CPU."""
    x, kernel, g = arrays(rng, (24, 23), kernel_size, 32, 33, batch=1)
    assert minimal_filtering.pays(x, kernel)
    return x, kernel, g


@pytest.mark.parametrize("kernel_size", KERNELS)
def test_a_layer_of_the_network_takes_it_forward_and_backward(rng, kernel_size, monkeypatch):
    used = []
    for name in ("convolve", "kernel_gradient"):
        function = getattr(minimal_filtering, name)

        def counted(*arguments, name=name, function=function):
            used.append(name)
            return function(*arguments)

        monkeypatch.setattr(minimal_filtering, name, counted)
    with jax.enable_x64(True):
        x, kernel, g = paying(rng, kernel_size)
        actual, pullback = jax.vjp(same_convolution, x, kernel)
        expected, plain_pullback = jax.vjp(plain, x, kernel)
        for a, e in zip((actual, *pullback(g)), (expected, *plain_pullback(g)), strict=True):
            np.testing.assert_allclose(a, e, atol=1e-10)
    # Forward, the gradient by the input, the gradient by the kernel.
    assert sorted(used) == ["convolve", "convolve", "kernel_gradient"]


def test_it_can_be_mapped_and_recomputed(rng):
    with jax.enable_x64(True):
        x, kernel, _ = paying(rng, (1, 3))
        pair = jnp.stack([x, 2 * x])

        def gradients(convolution):
            def loss(x, kernel):
                return jnp.sin(convolution(x, kernel)).sum()

            loss = jax.checkpoint(loss)
            mapped = jax.vmap(jax.grad(loss, (0, 1)), (0, None))
            return jax.jit(mapped)(pair, kernel)

        chex.assert_trees_all_close(gradients(same_convolution), gradients(plain), atol=1e-10)


@pytest.mark.parametrize(
    ("shape", "kernel_shape", "dtype", "pays"),
    [
        ((1, 60, 60, 240), (1, 3, 240, 240), np.float32, True),
        ((1, 30, 30, 480), (3, 3, 480, 480), np.float32, True),
        ((1, 240, 240, 1), (3, 3, 1, 60), np.float32, False),  # few channels
        ((1, 480, 480, 64), (3, 3, 64, 64), np.float32, False),  # out of cache
        ((1, 15, 15, 128), (3, 3, 128, 128), np.float32, False),  # few pixels
        ((1, 60, 60, 240), (5, 5, 240, 240), np.float32, False),
        ((1, 60, 60, 240), (1, 3, 240, 240), jnp.bfloat16, False),  # too coarse
    ],
)
def test_where_it_pays(shape, kernel_shape, dtype, pays):
    x = jax.ShapeDtypeStruct(shape, dtype)
    kernel = jax.ShapeDtypeStruct(kernel_shape, dtype)
    assert minimal_filtering.pays(x, kernel) == pays
