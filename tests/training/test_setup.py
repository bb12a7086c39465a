"""Tests of the resolution of a config; test_launch.py tests whole folds."""

import chex
import jax
import numpy as np
from jax import numpy as jnp
from ml_collections import ConfigDict

from configs import adver, base
from spheroid_jax.training.setup import resolve


def small():
    config = base.get_config()
    config.model.width = 2
    config.model.depth = 1
    config.data.size = 32
    return config


def test_the_model_is_the_average_where_there_is_one():
    config = small()
    setup = resolve(config, None)
    state = setup.initial_state()
    model = setup.model(state)
    chex.assert_trees_all_equal(model.variables["params"], state.seg_params)
    config.train.average = 0.9
    setup = resolve(config, None)
    state = setup.initial_state()
    doubled = jax.tree.map(lambda leaf: 2 * leaf, state.seg_average)
    model = setup.model(state.replace(seg_average=doubled))
    chex.assert_trees_all_equal(model.variables["params"], doubled)


def test_a_config_is_resolved_once_and_never_read_again():
    config = small()
    config.adversary = adver.get_config().adversary
    config.adversary.width = 2
    expected = resolve(config.copy_and_resolve_references(), None)
    setup = resolve(config, None)
    forget(config)
    assert setup.plan() == expected.plan()
    assert setup.record == expected.record
    state = setup.initial_state()
    chex.assert_trees_all_equal(state, expected.initial_state())
    model = setup.model(state)
    assert (model.size, model.flips) == (32, False)
    assert setup.rank(None)({"a": 0.5, "b": 1.0}) == 0.75
    batch = {"image": jnp.zeros((1, 32, 32)), "label": jnp.zeros((1, 32, 32), jnp.uint8)}
    after, metrics = jax.eval_shape(setup.train_step(), state, batch)
    assert after.step.shape == metrics["cross_entropy"].shape == ()


def forget(config):
    """Deletes all keys of a config, so that reading one fails."""
    config.unlock()
    for key in list(config):
        if isinstance(config[key], ConfigDict):
            forget(config[key])
        del config[key]


def test_the_initial_average_shares_no_buffer_with_the_parameters():
    config = small()
    config.train.average = 0.9
    state = resolve(config, None).initial_state()
    pairs = zip(jax.tree.leaves(state.seg_params), jax.tree.leaves(state.seg_average), strict=True)
    for leaf, copy in pairs:
        assert leaf.unsafe_buffer_pointer() != copy.unsafe_buffer_pointer()


def test_the_schedule_sets_the_size_of_an_update():
    config = small()
    config.optimizer.schedule = "cosine"
    config.optimizer.warmup = 2
    optimizer = resolve(config, None).network.optimizer
    params = {"w": jnp.ones(3)}
    state = optimizer.init(params)
    sizes = []
    for _ in range(3):
        # For a constant gradient, the update of Adam is the learning rate.
        update, state = optimizer.update({"w": jnp.ones(3)}, state, params)
        sizes.append(float(-update["w"][0]))
    np.testing.assert_allclose(sizes, [0, 0.5e-4, 1e-4], rtol=1e-4)
