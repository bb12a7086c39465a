"""Tests of the adversarial network."""

import jax
import numpy as np
import pytest
from jax import numpy as jnp

from spheroid_jax import models


@pytest.mark.parametrize("size", [(480, 480), (50, 70), (64, 64)])
def test_adversary_gives_two_logits_per_image(size):
    image = jax.ShapeDtypeStruct((3, *size, 2), np.float32)
    logits, _ = jax.eval_shape(models.build("adversary").init_with_output, jax.random.key(0), image)
    assert logits.shape == (3, 2)
    assert logits.dtype == np.float32


def test_adversary_ends_in_the_mean_over_positions():
    module = models.build("adversary", width=2, depth=1)
    x = jnp.ones((1, 8, 6, 2))
    variables = models.initial_variables(module, 2, seed=0)
    logits, state = module.apply(
        variables, x, capture_intermediates=True, mutable=["intermediates"]
    )
    (maps,) = state["intermediates"]["classes"]["__call__"]
    assert maps.shape == (1, 4, 3, 2)
    np.testing.assert_allclose(logits, np.asarray(maps).mean((1, 2)), rtol=1e-5, atol=1e-6)
