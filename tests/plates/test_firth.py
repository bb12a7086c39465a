"""Tests of Firth's logistic regression against exact results and another implementation."""

import math

import numpy as np
import pytest
from scipy import optimize

from spheroid_jax.plates import firth

DOSE = np.repeat([0.0, 2, 4, 6, 8, 10], 6)
CONTROLLED = np.array([0] * 14 + [1, 0, 0, 0] + [1, 1, 0, 1, 0, 0] + [1] * 5 + [0] + [1] * 6, bool)
SEPARATED = DOSE > 5


def table(a, b, c, d):
    """Returns x and y of a 2 x 2 table: a successes and b failures at 0, c and d at 1."""
    x = np.repeat([0.0, 0, 1, 1], [a, b, c, d])
    return x[:, np.newaxis], np.repeat([True, False, True, False], [a, b, c, d])


@pytest.mark.parametrize("cells", [(3, 7, 6, 2), (0, 8, 8, 0), (0, 5, 3, 3), (1, 1, 20, 4)])
def test_a_two_by_two_table_has_one_half_added_to_each_cell(cells):
    found = firth.firth_logistic(*table(*cells)).coefficients
    a, b, c, d = (cell + 0.5 for cell in cells)
    assert found[0].value == pytest.approx(math.log(a / b), abs=1e-7)
    assert found[1].value == pytest.approx(math.log(c * b / (a * d)), abs=1e-7)


@pytest.mark.parametrize(
    ("y", "intercept", "slope", "log_likelihood"),
    [
        (
            CONTROLLED,
            (-4.877265208, -9.271899070, -2.325435780),
            (0.8125826, 0.40397586, 1.51691855),
            -8.066538789,
        ),
        (
            SEPARATED,
            (-12.500006914, -28.193999990, -4.553926620),
            (2.50000138, 0.93614496, 5.43202141),
            -1.087395724,
        ),
    ],
    ids=["overlap", "separation"],
)
def test_coefficients_and_profile_intervals_are_those_of_firthlogist(
    y, intercept, slope, log_likelihood
):
    """The numbers are those of the Python package firthlogist 0.5.0, tolerance 1e-10."""
    found = firth.firth_logistic(DOSE[:, np.newaxis], y)
    np.testing.assert_allclose(found.coefficients[0], intercept, rtol=1e-6)
    np.testing.assert_allclose(found.coefficients[1], slope, rtol=1e-6)
    assert found.log_likelihood == pytest.approx(log_likelihood, rel=1e-8)


def test_the_maximum_is_that_of_a_general_optimiser(rng):
    x = rng.normal(size=(40, 2))
    y = rng.random(40) < 1 / (1 + np.exp(-x[:, 0]))
    design = np.column_stack([np.ones(40), x])

    def loss(b):
        chance = 1 / (1 + np.exp(-design @ b))
        information = design.T @ np.diag(chance * (1 - chance)) @ design
        likelihood = np.sum(np.log(np.where(y, chance, 1 - chance)))
        return -likelihood - np.linalg.slogdet(information)[1] / 2

    best = optimize.minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    found = firth.firth_logistic(x, y)
    np.testing.assert_allclose([one.value for one in found.coefficients], best.x, atol=1e-6)
    assert found.log_likelihood == pytest.approx(-best.fun)


def test_a_unit_of_dose_scales_the_slope_alone():
    found = firth.firth_logistic(DOSE[:, np.newaxis], CONTROLLED).coefficients
    other = firth.firth_logistic(1e6 * DOSE[:, np.newaxis], CONTROLLED).coefficients
    np.testing.assert_allclose(other[0], found[0], rtol=1e-6)
    np.testing.assert_allclose(1e6 * np.array(other[1]), found[1], rtol=1e-6)


def test_failures_instead_of_successes_change_the_sign():
    found = firth.firth_logistic(DOSE[:, np.newaxis], CONTROLLED).coefficients
    other = firth.firth_logistic(DOSE[:, np.newaxis], ~CONTROLLED).coefficients
    for one, opposite in zip(found, other, strict=True):
        assert opposite == pytest.approx((-one.value, -one.high, -one.low), rel=1e-6)


@pytest.mark.parametrize("chosen", [True, False])
def test_one_outcome_alone_has_finite_coefficients(chosen):
    found = firth.firth_logistic(DOSE[:, np.newaxis], np.full(36, chosen))
    assert np.isfinite(np.array(found.coefficients)).all()
    assert found.coefficients[1].value == pytest.approx(0, abs=1e-9)


def test_an_end_that_is_never_reached_is_infinite():
    assert firth.interval_end(lambda value: -1.0, 0.0, -0.5) == -math.inf
    assert firth.interval_end(lambda value: value**2 - 4, 0.0, 0.3) == pytest.approx(2)


@pytest.mark.parametrize(
    ("x", "message"),
    [(np.ones((36, 1)), "collinear"), (np.full((36, 1), math.nan), "x must be finite")],
)
def test_wrong_doses_are_errors(x, message):
    with pytest.raises(ValueError, match=message):
        firth.firth_logistic(x, CONTROLLED)
