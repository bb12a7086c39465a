"""Tests of group and batch normalisation."""

import chex
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from narrow import BATCH_NORM, QUICKLY, compiled, logits_of, narrow, paths

from spheroid_jax import models
from spheroid_jax.models.normalization import GroupNorm


def group_norm(x, scale=1.0, bias=0.0, **fields):
    module = GroupNorm(**fields)
    maps = x.shape[-1]
    variables = {
        "scale": jnp.full(maps, scale, jnp.float32),
        "bias": jnp.full(maps, bias, jnp.float32),
    }
    return jax.jit(module.apply)({"params": variables}, x)


@pytest.mark.parametrize(("maps", "group"), [(16, 8), (8, 8), (60, 4), (10, 2), (3, 1)])
def test_groups_of_maps_are_normalised_by_mean_and_variance(rng, maps, group):
    x = rng.normal(3, 2, (2, 5, 7, maps)).astype(np.float32)
    y = group_norm(x, scale=1.5, bias=0.5)
    for n in range(2):
        for first in range(0, maps, group):
            values = x[n, :, :, first : first + group].astype(np.float64)
            expected = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
            np.testing.assert_allclose(
                y[n, :, :, first : first + group], 1.5 * expected + 0.5, atol=1e-4
            )


def test_group_normalisation_of_an_image_does_not_see_its_companions(rng):
    x = rng.normal(size=(2, 6, 6, 8)).astype(np.float32)
    together = group_norm(x)
    for n in range(2):
        np.testing.assert_allclose(together[n], group_norm(x[n : n + 1])[0], atol=1e-6)


def test_group_normalisation_of_a_constant_is_zero_and_finite():
    y = group_norm(jnp.full((1, 8, 8, 8), 1e3))
    assert np.abs(y).max() < 1


def test_group_normalisation_takes_its_statistics_in_float32(rng):
    x = jnp.asarray(rng.normal(20, 1, (1, 32, 32, 8)), jnp.bfloat16)
    y = group_norm(x, dtype=jnp.bfloat16)
    assert y.dtype == jnp.bfloat16
    exact = group_norm(x.astype(jnp.float32))
    assert np.abs(y.astype(jnp.float32) - exact).max() < 0.02


# Batch normalisation.


def test_running_statistics_move_in_training_only():
    _, variables, images = narrow(BATCH_NORM)
    before = paths(variables["batch_stats"])
    assert len(before) == 2 * 2  # mean and variance of a block in each path
    for train in (False, True):
        state = compiled(BATCH_NORM, train)(variables, images)[1]
        after = paths(state["batch_stats"])
        assert after.keys() == before.keys()
        for path in before:
            moved = (np.asarray(after[path]) != before[path]).any()
            assert moved == train, path


def test_running_statistics_keep_99_percent_at_a_step():
    _, variables, images = narrow(BATCH_NORM)
    apply = compiled(BATCH_NORM, train=True)
    moved = apply(variables, images)[1]["batch_stats"]
    shifted = jax.tree.map(lambda leaf: leaf + 1, variables["batch_stats"])
    moved_from_shifted = apply({**variables, "batch_stats": shifted}, images)[1]["batch_stats"]
    chex.assert_trees_all_close(
        moved_from_shifted, jax.tree.map(lambda leaf: leaf + 0.99, moved), atol=1e-5
    )


def test_training_normalises_by_the_batch_alone():
    _, variables, images = narrow(BATCH_NORM)
    shifted = jax.tree.map(lambda leaf: leaf + 1, variables["batch_stats"])
    shifted = {**variables, "batch_stats": shifted}
    np.testing.assert_array_equal(
        logits_of(BATCH_NORM, train=True), logits_of(BATCH_NORM, shifted, train=True)
    )
    inference = logits_of(BATCH_NORM)
    assert np.abs(inference - logits_of(BATCH_NORM, shifted)).max() > 1e-3
    other = np.stack([images[0], images[1] ** 4])
    mixed = logits_of(BATCH_NORM, images=other, train=True)
    assert np.abs(mixed[0] - logits_of(BATCH_NORM, train=True)[0]).max() > 1e-3


def test_for_one_image_both_norms_train_the_same():
    _, variables, images = narrow(BATCH_NORM)
    module = models.build("multiscale", width=4, depth=1, norm="image")
    own = models.initial_variables(module, 1, seed=3)
    assert set(variables) == {"params", "batch_stats"}
    chex.assert_trees_all_equal(own, {"params": variables["params"]})
    np.testing.assert_allclose(
        logits_of(BATCH_NORM, images=images[:1], train=True),
        jax.jit(module.apply, compiler_options=QUICKLY)(own, images[:1]),
        rtol=1e-3,
        atol=1e-4,
    )
