"""Tests of the time to a multiple of a size, and of the growth delay."""

import math

import numpy as np
import pytest

from spheroid_jax.plates import delay
from spheroid_jax.plates.survival import TimeToEvent

HOURS = np.arange(5) * 24.0


def reached(*hours):
    return [TimeToEvent(one, True) for one in hours]


def late(*hours):
    return [TimeToEvent(one, False, "not reached") for one in hours]


def test_the_time_is_interpolated_in_the_logarithm():
    # From 2 to 8 in a day: the multiple 4 of the first size 1 is half the way.
    found = delay.time_to_multiple(HOURS[:4], np.array([1.0, 2, 8, 9]), t0_h=0.0, multiple=4)
    assert found.observed and found.after_h == pytest.approx(36)


def test_the_time_of_exponential_growth_is_exact():
    size = 3e5 * np.exp(0.03 * HOURS)
    found = delay.time_to_multiple(HOURS, size, t0_h=24.0)
    assert found.after_h == pytest.approx(math.log(5) / 0.03)


def test_the_time_counts_from_treatment_and_the_size_from_the_image_before():
    found = delay.time_to_multiple(HOURS, np.array([9.0, 1, 2, 10, 20]), t0_h=30.0)
    # From 2 to 10 in ln: 5 is reached after ln 2.5 / ln 5 of the third day.
    assert found.after_h == pytest.approx(48 + 24 * math.log(2.5) / math.log(5) - 30)


def test_only_the_first_upward_crossing_counts():
    size = np.array([1.0, 5, 2, 6, 7])
    assert delay.time_to_multiple(HOURS, size, t0_h=0.0).after_h == pytest.approx(24)


def test_a_size_that_is_not_reached_is_censored_at_the_last_size():
    size = np.array([1.0, 2, 3, 4, math.nan])
    found = delay.time_to_multiple(HOURS, size, t0_h=12.0)
    assert found == (72 - 12, False, "not reached")


def test_a_spheroid_that_dissolves_and_regrows_has_a_time():
    found = delay.time_to_multiple(HOURS, np.array([1.0, 0, 0, 5, 6]), t0_h=0.0)
    assert found.observed and 48 < found.after_h <= 72


def test_a_well_without_a_size_at_treatment_has_no_time():
    found = delay.time_to_multiple(HOURS, np.ones(5), t0_h=-1.0)
    assert math.isnan(found.after_h) and found.note == "no size at or before t0"


def test_times_do_not_depend_on_unit_start_or_order(rng):
    size = np.exp(0.02 * HOURS + rng.normal(0, 0.1, 5))
    expected = delay.time_to_multiple(HOURS, size, t0_h=0.0).after_h
    order = rng.permutation(5)
    found = delay.time_to_multiple(HOURS[order] + 100, 1e-3 * size[order], t0_h=100.0)
    assert found.after_h == pytest.approx(expected)


def test_the_delay_is_the_difference_of_the_medians():
    found = delay.growth_delay(reached(100, 120, 140), reached(50, 60, 80))
    assert (found.hours.value, found.treated_h, found.control_h) == (60, 120, 60)
    assert (found.treated, found.control) == (3, 3)
    assert math.isnan(found.hours.low) and found.note == "no interval below 6 wells per group"


def test_censored_wells_count_until_they_are_censored():
    # 100, 120+, 140, 160+: S = 3/4, then 3/8 at 140.
    treated = [*reached(100, 140), *late(120, 160)]
    assert delay.growth_delay(treated, reached(50)).treated_h == 140


@pytest.mark.parametrize(
    ("treated", "control", "note"),
    [
        (late(90, 90, 90), reached(40, 50, 60), "not reached (treated)"),
        (reached(40, 50, 60), late(90, 90, 90), "not reached (control)"),
        (late(90, 90, 90), late(90, 90, 90), "not reached (treated and control)"),
        ([TimeToEvent(math.nan, False)], reached(40), "a group without wells"),
    ],
)
def test_a_delay_that_does_not_exist_is_missing_and_says_why(treated, control, note):
    found = delay.growth_delay(treated, control)
    assert found.note == note and np.isnan(found.hours).all()


def test_the_interval_is_that_of_the_seed_and_holds_the_value(rng):
    treated = reached(*rng.normal(200, 20, 12))
    control = reached(*rng.normal(100, 10, 12))
    found = delay.growth_delay(treated, control)
    assert found == delay.growth_delay(treated, control)
    assert found.hours.low < found.hours.value < found.hours.high
    # Between the extremes of the differences.
    assert found.hours.high < max(t.after_h for t in treated) - min(t.after_h for t in control)


def test_the_interval_is_unbounded_where_many_draws_have_no_median():
    treated = [*reached(100, 110, 120, 130, 140), *late(200, 200, 200, 200)]
    found = delay.growth_delay(treated, reached(*range(50, 59)))
    assert found.hours.value == 140 - 54
    assert found.hours.high == math.inf and math.isfinite(found.hours.low)


def test_the_interval_covers_the_true_delay_in_about_95_percent_of_100_runs():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        treated, control = np.exp(rng.normal(5, 0.2, 12)), np.exp(rng.normal(4, 0.2, 12))
        found = delay.growth_delay(reached(*treated), reached(*control))
        covered += found.hours.low <= math.exp(5) - math.exp(4) <= found.hours.high
    assert 0.9 <= covered / 100 <= 1


def test_a_multiple_of_one_is_an_error():
    with pytest.raises(ValueError, match="multiple is 1.0, and must be above 1"):
        delay.time_to_multiple(HOURS, HOURS + 1, t0_h=0.0, multiple=1.0)
