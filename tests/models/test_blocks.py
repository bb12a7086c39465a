"""Tests of the building blocks."""

import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp
from skimage.measure import block_reduce

from spheroid_jax import models
from spheroid_jax.models import blocks

LAYOUT = ("NHWC", "HWIO", "NHWC")


@pytest.mark.parametrize("size", [(8, 10), (7, 9), (6, 5), (1, 3)])
def test_down_conv_is_a_dilated_strided_convolution(rng, size):
    x = jnp.asarray(rng.normal(size=(2, *size, 3)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(3, 3, 3, 4)), jnp.float32)
    bias = jnp.arange(4.0)
    variables = {"params": {"conv": {"kernel": kernel, "bias": bias}}}
    actual = jax.jit(blocks.DownConv(4).apply)(variables, x)
    expected = lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(2, 2),
        padding=((2, 2), (2, 2)),
        rhs_dilation=(2, 2),
        dimension_numbers=LAYOUT,
    )
    assert actual.shape == (2, -(-size[0] // 2), -(-size[1] // 2), 4)
    np.testing.assert_allclose(actual, expected + bias.reshape(1, 1, 1, 4), rtol=1e-4, atol=1e-4)


def test_1x1_conv_is_a_matrix_product_with_bias(rng):
    x = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    kernel = rng.normal(size=(1, 1, 5, 6)).astype(np.float32)
    bias = np.arange(6, dtype=np.float32)
    variables = {"params": {"kernel": kernel, "bias": bias}}
    actual = blocks.Conv(6, (1, 1)).apply(variables, jnp.asarray(x))
    expected = np.einsum("bhwc,cf->bhwf", x, kernel[0, 0]) + bias
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_deconv_adds_one_bias_a_map(rng):
    x = jnp.zeros((1, 2, 3, 4))
    variables = models.initial_variables(blocks.Deconv(2), 4, seed=0)
    variables["params"]["bias"] = jnp.array([5.0, -7.0])
    y = blocks.Deconv(2).apply(variables, x)
    assert y.shape == (1, 4, 6, 2)
    np.testing.assert_array_equal(y, jnp.broadcast_to(y[0, 0, 0], y.shape))
    np.testing.assert_array_equal(y[0, 0, 0], [5, -7])


def test_max_pool_keeps_each_blocks_maximum(rng):
    x = rng.normal(size=(2, 6, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(
        blocks.max_pool_2x2(jnp.asarray(x)), block_reduce(x, (1, 2, 2, 1), np.max)
    )


def test_gradient_of_max_pool_goes_to_the_maximum_shared_by_equals():
    x = jnp.array([[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 5.0, 1.0]])
    gradient = jax.grad(lambda x: blocks.max_pool_2x2(x).sum())(x.reshape(1, 2, 4, 1))
    expected = [[0, 0, 0.5, 0], [1, 0, 0.5, 0]]
    np.testing.assert_array_equal(gradient.reshape(2, 4), expected)


def test_padding_is_zero_below_and_right_and_undone_by_cropping():
    x = jnp.ones((1, 5, 8, 2))
    padded = blocks.pad_to_multiple(x, 4)
    assert padded.shape == (1, 8, 8, 2)
    np.testing.assert_array_equal(padded[:, 5:], jnp.zeros((1, 3, 8, 2)))
    np.testing.assert_array_equal(blocks.crop_to(padded, 5, 8), x)
