"""Tests of the schedules of lambda (paper, section 2.4) and of the learning rate."""

import functools

import jax
import numpy as np
import pytest
from jax import numpy as jnp

from spheroid_jax.training.schedules import (
    SCHEDULES,
    constant,
    cosine_ramp,
    learning_rate,
    linear_ramp,
    stepped_ramp,
)

TOTAL = 12_000  # two epochs of 6,000 images, one image per step


@pytest.fixture(scope="module")
def ramp():
    """Computes all values of the paper's ramp, compiled as in a training step."""
    compiled = jax.jit(lambda step: linear_ramp(step, total_steps=TOTAL))
    return np.asarray(compiled(jnp.arange(TOTAL)))


def test_first_and_last_step_have_the_papers_values_exactly(ramp):
    assert ramp[0] == np.float32(8.3e-6)
    assert ramp[-1] == np.float32(1e-1)


def test_lambda_rises_linearly_with_every_step(ramp):
    assert ramp.shape == (TOTAL,)
    assert (np.diff(ramp) > 0).all()
    expected = np.linspace(8.3e-6, 1e-1, TOTAL)
    np.testing.assert_allclose(ramp, expected, rtol=1e-6)


@pytest.mark.parametrize("total", [2, 3, 7, 100, TOTAL])
def test_eager_ends_are_exact_whatever_the_length(total):
    assert linear_ramp(0, total_steps=total) == np.float32(8.3e-6)
    assert linear_ramp(total - 1, total_steps=total) == np.float32(1e-1)


def test_a_training_of_one_step_has_the_start():
    assert linear_ramp(0, total_steps=1) == np.float32(8.3e-6)


def test_start_and_end_can_be_chosen():
    values = linear_ramp(jnp.arange(5), total_steps=5, start=1.0, end=3.0)
    np.testing.assert_allclose(values, [1, 1.5, 2, 2.5, 3])


@pytest.mark.parametrize("step", [3, np.int32(3), jnp.int32(3)])
def test_step_of_any_integer_type_gives_float32(step):
    value = linear_ramp(step, total_steps=7, start=0.0, end=1.0)
    assert value.dtype == jnp.float32
    assert value.shape == ()
    assert float(value) == 0.5


@pytest.mark.parametrize("name", ["linear", "cosine", "stepped"])
def test_each_ramp_has_its_ends_and_never_falls(name):
    schedule = functools.partial(SCHEDULES[name], total_steps=101)
    values = np.asarray(jax.jit(schedule)(jnp.arange(101)))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[[0, -1]], [8.3e-6, 1e-1], rtol=1e-6)
    assert (np.diff(values) >= -1e-9).all()


def test_a_cosine_ramp_is_half_way_in_the_middle_and_flat_at_its_ends():
    values = cosine_ramp(jnp.arange(101), total_steps=101, start=0.0, end=2.0)
    np.testing.assert_allclose(values[50], 1.0, rtol=1e-6)
    np.testing.assert_allclose(values[25], 1 - np.sqrt(0.5), rtol=1e-5)


def test_a_stepped_ramp_has_four_stairs_of_equal_length():
    values = stepped_ramp(jnp.arange(101), total_steps=101, start=1.0, end=4.0)
    at = np.array([0, 24, 25, 49, 50, 74, 75, 100])
    np.testing.assert_allclose(values[at], [1, 1, 2, 2, 3, 3, 4, 4])


def test_a_constant_is_the_end_throughout():
    values = constant(jnp.arange(7), total_steps=7, start=1.0, end=3.0)
    np.testing.assert_array_equal(values, np.full(7, 3, np.float32))
    assert constant(0, total_steps=7, end=0.5).shape == ()


@pytest.mark.parametrize("schedule", SCHEDULES.values())
def test_a_single_step_is_the_first(schedule):
    value = schedule(0, total_steps=1, start=0.2, end=0.2)
    np.testing.assert_allclose(value, 0.2)


# The learning rate.


def test_the_paper_s_learning_rate_is_a_number():
    rate = learning_rate("constant", peak=1e-4, warmup=0, total_steps=10)
    assert rate == 1e-4


def test_a_cosine_falls_from_the_peak_to_zero():
    rate = learning_rate("cosine", peak=0.5, warmup=0, total_steps=100)
    values = np.asarray(jax.jit(rate)(jnp.arange(101)))
    np.testing.assert_allclose(values[[0, 50, 100]], [0.5, 0.25, 0], atol=1e-6)
    np.testing.assert_allclose(values[25], 0.25 * (1 + np.sqrt(0.5)), rtol=1e-5)
    assert (np.diff(values) < 0).all()


def test_a_cosine_after_a_warm_up_has_its_peak_there_and_ends_at_zero():
    rate = learning_rate("cosine", peak=0.5, warmup=20, total_steps=100)
    values = np.asarray(jax.jit(rate)(jnp.arange(101)))
    at = np.array([0, 10, 20, 60, 100])
    np.testing.assert_allclose(values[at], [0, 0.25, 0.5, 0.25, 0], atol=1e-6)
    assert values.argmax() == 20


def test_a_constant_can_be_warmed_up_to():
    rate = learning_rate("constant", peak=0.5, warmup=4, total_steps=100)
    values = np.asarray(rate(jnp.arange(8)))
    expected = [0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.5]
    np.testing.assert_allclose(values, expected)
