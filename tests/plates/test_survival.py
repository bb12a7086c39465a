"""Tests of Kaplan-Meier curves, medians and the log-rank test against lifelines."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

from spheroid_jax.plates import survival
from spheroid_jax.plates.survival import TimeToEvent

# Events at 2, 4 and 6; censored at 4 and 8.
TIMES = np.array([2.0, 4, 4, 6, 8])
OBSERVED = np.array([True, True, False, True, False])


def drawn(rng, scale=100.0, count=30):
    """Returns whole days, so that there are ties, with about a third censored."""
    times, ends = rng.exponential(scale, count), rng.exponential(2 * scale, count)
    return np.ceil(np.minimum(times, ends) / 24) * 24, times <= ends


def test_the_curve_is_that_computed_by_hand():
    curve = survival.kaplan_meier(TIMES, OBSERVED)
    np.testing.assert_array_equal(curve.time, [0, 2, 4, 6, 8])
    # The unit that is censored at 4 is at risk at 4.
    np.testing.assert_array_equal(curve.at_risk, [5, 5, 4, 2, 1])
    np.testing.assert_array_equal(curve.events, [0, 1, 1, 1, 0])
    np.testing.assert_allclose(curve.survival, [1, 0.8, 0.6, 0.3, 0.3])
    s = math.sqrt(1 / (5 * 4) + 1 / (4 * 3)) / abs(math.log(0.6))
    assert curve.low[2] == pytest.approx(0.6 ** math.exp(1.959964 * s))
    assert curve.high[2] == pytest.approx(0.6 ** math.exp(-1.959964 * s))
    assert math.isnan(curve.low[0]) and curve.note == ""


def test_the_curve_and_its_interval_are_those_of_lifelines(rng):
    times, observed = drawn(rng)
    curve = survival.kaplan_meier(times, observed)
    fit = KaplanMeierFitter().fit(times, observed)
    np.testing.assert_array_equal(curve.time, fit.survival_function_.index)
    np.testing.assert_allclose(curve.survival, fit.survival_function_.to_numpy()[:, 0])
    inside = (curve.survival > 0) & (curve.survival < 1)
    expected = fit.confidence_interval_.to_numpy()[inside]
    np.testing.assert_allclose(np.stack([curve.low, curve.high], 1)[inside], expected, rtol=1e-6)
    np.testing.assert_array_equal(curve.at_risk, fit.event_table["at_risk"])


def test_a_curve_without_events_says_so():
    curve = survival.kaplan_meier(TIMES, np.zeros(5, bool))
    assert curve.note == "no events" and (curve.survival == 1).all()
    assert np.isnan(curve.low).all() and np.isnan(curve.high).all()


def test_the_probability_of_control_is_read_from_the_curve():
    curve = survival.kaplan_meier(TIMES, OBSERVED)
    at = survival.control_probability(curve, 5.0)
    assert at.probability == (curve.survival[2], curve.low[2], curve.high[2])
    # After 5 h, one unit has an event at 6 and one is followed until 8.
    assert (at.at_risk, at.note) == (2, "")
    # An event at the time itself has come.
    assert survival.control_probability(curve, 6.0).probability.value == pytest.approx(0.3)
    assert survival.control_probability(curve, 6.0).at_risk == 1
    later = survival.control_probability(curve, 8.5)
    assert math.isnan(later.probability.value) and later.note == "later than the last image"


def test_full_control_has_the_exact_interval_of_n_of_n():
    curve = survival.kaplan_meier(np.full(6, 240.0), np.zeros(6, bool))
    found = survival.control_probability(curve, 200.0)
    # Clopper-Pearson for 6 of 6.
    np.testing.assert_allclose(found.probability, [1, 0.540742, 1], rtol=1e-5)
    assert (found.at_risk, found.note) == (6, "exact binomial interval")
    assert survival.control_probability(curve, 240.0).at_risk == 6


def test_no_control_has_the_exact_interval_of_0_of_n():
    curve = survival.kaplan_meier(np.arange(1.0, 7), np.ones(6, bool))
    found = survival.control_probability(curve, 1000.0)
    np.testing.assert_allclose(found.probability, [0, 0, 0.459258], atol=1e-6)
    assert found.at_risk == 0


@given(st.lists(st.integers(1, 20), min_size=1, max_size=15))
def test_the_median_without_censoring_is_the_ordinary_one(times):
    times = np.array(times, float)
    assert survival.median(times, np.ones(len(times), bool)) == np.median(times)


def test_the_median_with_censoring_is_that_of_lifelines():
    for seed in range(20):
        times, observed = drawn(np.random.default_rng(seed), count=21)
        curve = survival.kaplan_meier(times, observed)
        if np.min(np.abs(curve.survival - 0.5)) < 1e-9:
            continue  # lifelines takes the first of two times.
        fit = KaplanMeierFitter().fit(times, observed)
        assert survival.median(times, observed) == fit.median_survival_time_


def test_a_median_that_is_not_reached_is_infinite():
    assert survival.median(np.array([1.0, 2, 3]), np.array([True, False, False])) == math.inf


def test_a_curve_that_ends_at_one_half_has_the_median_at_its_last_step():
    observed = np.array([True, True, False, False])
    assert survival.median(np.array([1.0, 2, 3, 4]), observed) == 2


def test_medians_of_resamples_are_those_of_repeated_units(rng):
    times, observed = drawn(rng, count=12)
    counts = rng.multinomial(12, np.full(12, 1 / 12), size=50)
    found = survival.medians(times, observed, counts)
    expected = [survival.median(np.repeat(times, one), np.repeat(observed, one)) for one in counts]
    np.testing.assert_array_equal(found, expected)


def test_the_log_rank_test_is_that_of_lifelines(rng):
    first, second = drawn(rng, 60.0), drawn(rng, 200.0, 25)
    found = survival.log_rank(*first, *second)
    expected = logrank_test(first[0], second[0], first[1], second[1])
    assert found.z**2 == pytest.approx(expected.test_statistic)
    assert found.p == pytest.approx(expected.p_value)
    # The first group has its events earlier, more than expected.
    assert found.z > 0
    swapped = survival.log_rank(*second, *first)
    assert (swapped.z, swapped.p) == pytest.approx((-found.z, found.p))


@pytest.mark.parametrize("later", [False, True])
def test_a_log_rank_test_without_a_common_event_says_so(later):
    others = np.array([9.0, 10.0]), np.array([later, later])
    found = survival.log_rank(TIMES, np.zeros(5, bool), *others)
    assert math.isnan(found.p) and found.note == "no events while both groups are observed"


def test_wells_without_a_time_are_not_followed():
    wells = [TimeToEvent(5, True), TimeToEvent(math.nan, False, "no size"), TimeToEvent(9, False)]
    times, observed = survival.followed(wells)
    np.testing.assert_array_equal(times, [5, 9])
    np.testing.assert_array_equal(observed, [True, False])


@pytest.mark.parametrize("times", [[-1.0], [math.nan], []])
def test_times_that_are_none_are_errors(times):
    with pytest.raises(ValueError, match="times"):
        survival.kaplan_meier(np.array(times), np.ones(len(times), bool))
    curve = survival.kaplan_meier(TIMES, OBSERVED)
    with pytest.raises(ValueError, match="time_h is -1.0"):
        survival.control_probability(curve, -1.0)
