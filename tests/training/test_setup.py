"""What a config's values become; whole folds are in test_launch.py."""

import chex
import jax
import numpy as np
from jax import numpy as jnp

from configs import base
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
        # Of a constant gradient Adam's update is the learning rate.
        update, state = optimizer.update({"w": jnp.ones(3)}, state, params)
        sizes.append(float(-update["w"][0]))
    np.testing.assert_allclose(sizes, [0, 0.5e-4, 1e-4], rtol=1e-4)
