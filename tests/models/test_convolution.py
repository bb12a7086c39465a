"""Tests of the convolutions against XLA's own and by hand."""

import functools

import chex
import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp

from spheroid_jax.models.convolution import same_convolution, transposed_convolution_2x2

LAYOUT = ("NHWC", "HWIO", "NHWC")


def _plain(x, kernel):
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT)


@functools.partial(jax.jit, static_argnums=0)
def _value_and_gradients(convolution, x, kernel, g):
    value, pullback = jax.vjp(convolution, x, kernel)
    return value, *pullback(g)


@pytest.mark.parametrize(
    ("kernel_size", "size"),
    [
        ((1, 3), (6, 8)),
        ((3, 1), (6, 8)),
        ((3, 3), (6, 8)),
        ((1, 3), (7, 5)),
        ((3, 1), (7, 5)),
        ((3, 3), (7, 5)),
        ((3, 3), (1, 2)),
    ],
)
def test_same_convolution_and_its_gradients_are_the_plain_ones(rng, kernel_size, size):
    with jax.enable_x64(True):
        x = jnp.asarray(rng.normal(size=(2, *size, 3)))
        kernel = jnp.asarray(rng.normal(size=(*kernel_size, 3, 4)))
        g = jnp.asarray(rng.normal(size=(2, *size, 4)))
        actual = _value_and_gradients(same_convolution, x, kernel, g)
        expected = _value_and_gradients(_plain, x, kernel, g)
        for a, e in zip(actual, expected, strict=True):
            assert a.dtype == jnp.float64
            np.testing.assert_allclose(a, e, rtol=1e-12, atol=1e-12)


def test_same_convolution_by_hand():
    x = jnp.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    kernel = jnp.array([10.0, 1.0, 0.1]).reshape(1, 3, 1, 1)
    # Correlation: the first tap meets the pixel to the left.
    expected = [0 + 1 + 0.2, 10 + 2 + 0.4, 20 + 4 + 0]
    y, x_gradient, kernel_gradient = _value_and_gradients(
        same_convolution, x, kernel, jnp.ones_like(x)
    )
    np.testing.assert_allclose(y.ravel(), expected, rtol=1e-6)
    np.testing.assert_allclose(x_gradient.ravel(), [11, 11.1, 1.1], rtol=1e-6)
    np.testing.assert_allclose(kernel_gradient.ravel(), [3, 7, 6], rtol=1e-6)


@pytest.mark.parametrize("kernels", [None, 0], ids=["one", "many"])
def test_same_convolution_can_be_mapped(rng, kernels):
    with jax.enable_x64(True):
        x = jnp.asarray(rng.normal(size=(3, 2, 5, 6, 2)))
        kernel = jnp.asarray(rng.normal(size=(3, 3, 3, 2, 4)))
        kernel = kernel[0] if kernels is None else kernel

        def gradients(convolution):
            def loss(x, kernel):
                return jnp.sin(convolution(x, kernel)).sum()

            mapped = jax.vmap(jax.grad(loss, (0, 1)), (0, kernels))
            return jax.jit(mapped)(x, kernel)

        for a, e in zip(gradients(same_convolution), gradients(_plain), strict=True):
            np.testing.assert_allclose(a, e, rtol=1e-12, atol=1e-12)


def test_same_convolution_can_be_recomputed_in_the_backward_pass(rng):
    x = jnp.asarray(rng.normal(size=(1, 6, 5, 2)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(3, 3, 2, 2)), jnp.float32)

    def twice(x, kernel):
        return same_convolution(jnp.tanh(same_convolution(x, kernel)), kernel)

    def gradients(function):
        loss = lambda x, kernel: function(x, kernel).sum()  # noqa: E731
        return jax.jit(jax.grad(loss, (0, 1)))(x, kernel)

    chex.assert_trees_all_close(gradients(jax.checkpoint(twice)), gradients(twice), rtol=1e-5)


def test_same_convolution_in_bfloat16_stays_in_bfloat16(rng):
    x = rng.normal(size=(2, 6, 5, 8))
    kernel = rng.normal(size=(3, 3, 8, 4))
    g = rng.normal(size=(2, 6, 5, 4))
    exact, rough = (
        _value_and_gradients(same_convolution, *(jnp.asarray(a, dtype) for a in (x, kernel, g)))
        for dtype in (jnp.float32, jnp.bfloat16)
    )
    for e, r in zip(exact, rough, strict=True):
        assert r.dtype == jnp.bfloat16
        error = np.abs(np.asarray(r, np.float32) - e).max()
        assert error < 0.02 * np.abs(e).max()


def test_transposed_convolution_spreads_each_pixel_over_four(rng):
    x = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    kernel = rng.normal(size=(5, 4 * 2)).astype(np.float32)
    taps = kernel.reshape(5, 2, 2, 2)  # channel, row, column, feature
    expected = np.zeros((2, 6, 8, 2))
    for b, h, w, c in np.ndindex(x.shape):
        for i, j in np.ndindex(2, 2):
            expected[b, 2 * h + i, 2 * w + j] += x[b, h, w, c] * taps[c, i, j]
    actual = transposed_convolution_2x2(jnp.asarray(x), jnp.asarray(kernel))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    # And JAX's own, whose kernel is (row, column, channel, feature)
    # and meets the pixels in the opposite order.
    library = lax.conv_transpose(
        x, taps.transpose(1, 2, 0, 3)[::-1, ::-1], (2, 2), "VALID", dimension_numbers=LAYOUT
    )
    np.testing.assert_allclose(library, expected, rtol=1e-4, atol=1e-5)
