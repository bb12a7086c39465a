"""Tests of devices that share a batch; conftest.py simulates four devices."""

import jax
import numpy as np
import pytest
from helpers import make_batch, make_generalising, make_networks

from spheroid_jax.runtime import devices
from spheroid_jax.training import loop, steps

BATCH = 4


def loss_curve(count, number_of_steps=6, beyond=False):
    """Trains on `count` devices; returns the losses and the final parameters.

    If `beyond` is true, the training has all options that the paper does not have.
    """
    networks, options = make_generalising() if beyond else (make_networks(), {})
    placement = devices.share_batch(BATCH, count)
    state = steps.init_state(*networks, seed=0, averaged=beyond)
    sharding = None
    if placement is not None:
        state = jax.device_put(state, placement.everywhere)
        sharding = placement.shared
    lines = []

    class Progress:
        def advance(self, step):
            pass

        def metrics(self, step, metrics):
            lines.append(metrics)

        def validation(self, step, scores):
            pass

    class Checkpoints:
        def save(self, step, state, score=None):
            used = {len(leaf.devices()) for leaf in jax.tree.leaves(state)}
            assert used == {count}

        def wait(self):
            pass

    state = loop.train(
        state,
        steps.make_run_steps(steps.make_train_step(*networks, **options), placement),
        iter([make_batch(BATCH)] * number_of_steps),
        plan=loop.Plan(number_of_steps, 2, number_of_steps, 1),
        validate=lambda state: {"mean": 0.5},
        checkpoints=Checkpoints(),
        progress=Progress(),
        stop_requested=lambda: None,
        sharding=sharding,
    )
    return lines, jax.device_get(state.seg_params)


@pytest.fixture(scope="module")
def one_device():
    return loss_curve(1)


@pytest.mark.parametrize("count", [2, 4])
def test_many_devices_train_as_one_with_the_whole_batch(one_device, count):
    lines, parameters = loss_curve(count)
    expected_lines, expected = one_device
    assert len(lines) == len(expected_lines) == 3
    for line, expected_line in zip(lines, expected_lines, strict=True):
        assert line == pytest.approx(expected_line, rel=1e-4)
    # The first steps of Adam have the sign of the gradient, which rounding can change for a few.
    for leaf, other in zip(jax.tree.leaves(parameters), jax.tree.leaves(expected), strict=True):
        assert np.mean(np.abs(leaf - other) < 1e-4) > 0.99


def test_many_devices_augment_as_one():
    lines, parameters = loss_curve(4, number_of_steps=2, beyond=True)
    expected_lines, expected = loss_curve(1, number_of_steps=2, beyond=True)
    assert lines[0] == pytest.approx(expected_lines[0], rel=1e-4)
    for leaf, other in zip(jax.tree.leaves(parameters), jax.tree.leaves(expected), strict=True):
        assert np.mean(np.abs(leaf - other) < 1e-4) > 0.99


@pytest.mark.parametrize(("batch_size", "used"), [(1, 1), (3, 3), (4, 4), (6, 3), (8, 4), (5, 1)])
def test_as_many_devices_as_divide_the_batch(batch_size, used):
    placement = devices.share_batch(batch_size)
    if used == 1:
        assert placement is None
    else:
        assert len(placement.everywhere.device_set) == used


@pytest.mark.parametrize("count", [3, 5])
def test_devices_that_are_not_there_or_do_not_divide_are_refused(count):
    with pytest.raises(ValueError, match=f"devices = {count}: there are 4"):
        devices.share_batch(4, count)
