"""Tests of the area under the dose response, and of hormesis."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import multitest

from spheroid_jax.plates import dose_groups

NOISE = np.array([-0.03, -0.01, 0.01, 0.03])


def groups(means):
    doses = np.repeat(10.0 ** np.arange(len(means)), len(NOISE))
    return doses, np.concatenate([mean * (1 + NOISE) for mean in means])


def test_the_area_by_hand():
    # Decades from 1 to 100: (1.0 + 0.6) / 2 and (0.6 + 0.2) / 2, divided by two decades.
    found = dose_groups.auc(np.array([100.0, 1.0, 10.0, 10.0]), np.array([0.2, 1.0, 0.5, 0.7]))
    assert found.value.value == pytest.approx(0.6)
    assert (found.low_dose, found.high_dose, found.n_doses) == (1.0, 100.0, 3)
    # One pair of replicates: s^2 = 0.02 with 1 degree; weights 1/4, 1/2, 1/4 of means of 1, 2, 1.
    half = stats.t.ppf(0.975, 1) * math.sqrt(0.02 * (1 / 16 + 1 / 8 + 1 / 16))
    assert found.value.high - found.value.value == pytest.approx(half)


def test_the_area_weights_uneven_doses_by_their_distance():
    found = dose_groups.auc(np.array([1.0, 10.0, 1e4]), np.array([3.0, 1.0, 1.0]))
    # (1 * 2 + 3 * 1) / 4
    assert found.value.value == pytest.approx(1.25)
    assert math.isnan(found.value.low)


def test_the_area_leaves_out_dose_zero_and_missing_responses():
    doses, responses = np.array([0.0, 1.0, 10.0, 10.0]), np.array([9.0, 1.0, 0.5, np.nan])
    assert dose_groups.auc(doses, responses).value.value == pytest.approx(0.75)


@pytest.mark.parametrize("doses", [[], [5.0], [5.0, 5.0], [0.0, 5.0]])
def test_one_dose_has_no_area(doses):
    found = dose_groups.auc(np.array(doses), np.ones(len(doses)))
    assert math.isnan(found.value.value) and found.note == "too few doses (2 above 0 needed)"


def test_hormesis_is_a_low_dose_above_and_a_higher_one_below_the_control():
    found = dose_groups.hormesis(*groups([1.0, 1.3, 0.9, 0.4]), 1 + NOISE)
    assert found.found and found.dose == 10.0
    assert found.excess == pytest.approx(0.3)


def test_its_p_value_is_that_of_welch_adjusted_by_holm():
    doses, responses = groups([1.0, 1.1, 0.9, 0.4])
    found = dose_groups.hormesis(doses, responses, 1 + NOISE)
    p = [
        stats.ttest_ind(responses[doses == each], 1 + NOISE, equal_var=False, alternative="greater")
        for each in np.unique(doses)
    ]
    adjusted = multitest.multipletests([each.pvalue for each in p], method="holm")[1]
    assert found.p == pytest.approx(adjusted[1])


@pytest.mark.parametrize(
    "means",
    [[1.0, 1.0, 0.8, 0.4], [1.0, 1.3, 1.3, 1.3], [0.4, 0.8, 1.0, 1.3]],
    ids=["only inhibits", "only stimulates", "inhibits before it stimulates"],
)
def test_other_orders_are_no_hormesis(means):
    assert not dose_groups.hormesis(*groups(means), 1 + NOISE).found


def test_holm_is_that_of_statsmodels():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.5])
    expected = multitest.multipletests(p, method="holm")[1]
    np.testing.assert_allclose(dose_groups._holm(p), expected)


def test_single_wells_have_no_test():
    found = dose_groups.hormesis(np.array([1.0, 10.0]), np.array([1.3, 0.2]), 1 + NOISE)
    assert not found.found and found.note == "too few wells (2 per group needed)"


def test_equal_wells_are_compared_without_a_warning():
    doses = np.repeat([1.0, 10.0], 3)
    found = dose_groups.hormesis(doses, np.repeat([2.0, 0.5], 3), np.ones(3))
    assert found.found and found.dose == 1.0
