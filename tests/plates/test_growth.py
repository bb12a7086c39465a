"""Tests of fold change, specific growth rate, doubling time and radial speed."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from spheroid_jax.plates import growth
from spheroid_jax.plates.estimate import Estimate

# ln sizes 0, 1, 3 at days 0, 1, 2: slope 3/2, residuals 1/6, -1/3, 1/6.
HOURS = np.array([0.0, 24.0, 48.0])
SIZES = np.exp([0.0, 1.0, 3.0])
# 0.975 quantile of t with 1 degree of freedom.
T_1 = 12.706204736


def drawn(rng, *, rate=0.4, days=7, noise=0.05, size=2e6):
    hours = np.arange(days) * 24.0
    return hours, size * np.exp(rate * hours / 24 + rng.normal(0, noise, days))


def test_the_fold_change_is_relative_to_the_last_size_at_or_before_t0():
    times = np.array([0.0, 24.0, 48.0, 72.0])
    found = growth.fold_change(times, np.array([5.0, 10.0, 20.0, 5.0]), 30.0)
    assert found.baseline == (24.0, 10.0, "")
    np.testing.assert_allclose(found.values, [0.5, 1.0, 2.0, 0.5])
    assert growth.fold_change(times, np.array([5.0, 10.0, 20.0, 5.0]), 48).baseline.size == 20


def test_the_fold_change_skips_a_missing_size_at_t0():
    found = growth.fold_change(HOURS, np.array([4.0, math.nan, 8.0]), 24.0)
    assert found.baseline.time_h == 0
    np.testing.assert_allclose(found.values, [1.0, math.nan, 2.0])


@pytest.mark.parametrize(
    ("sizes", "t0", "note"),
    [
        ([1.0, 2.0, 3.0], -1.0, "no size at or before t0"),
        ([math.nan, 2.0, 3.0], 0.0, "no size at or before t0"),
        ([0.0, 2.0, 3.0], 0.0, "the size at t0 is 0"),
    ],
)
def test_a_fold_change_without_a_baseline_is_missing_and_says_why(sizes, t0, note):
    found = growth.fold_change(HOURS, np.array(sizes), t0)
    assert found.note == note and np.isnan(found.values).all()


def test_the_rate_and_its_interval_are_those_computed_by_hand():
    found = growth.specific_rate(HOURS, SIZES)
    # RSS = 1/36 + 1/9 + 1/36 = 1/6, n - 2 = 1, sum of squares of days = 2.
    half = T_1 * math.sqrt(1 / 6 / 2)
    np.testing.assert_allclose(found.rate_per_day, [1.5, 1.5 - half, 1.5 + half])
    assert found.residual_sd == pytest.approx(math.sqrt(1 / 6))
    assert (found.count, found.window_h) == (3, (0.0, 48.0))
    # Half of the interval is below 0.
    assert found.note == "not growing" and math.isnan(found.doubling_days.value)


def test_the_rate_is_that_of_statsmodels(rng):
    hours, size = drawn(rng)
    found = growth.specific_rate(hours, size)
    fit = sm.OLS(np.log(size), sm.add_constant(hours / 24)).fit()
    expected = [fit.params[1], *fit.conf_int()[1]]
    np.testing.assert_allclose(found.rate_per_day, expected, rtol=1e-9)
    assert found.residual_sd == pytest.approx(math.sqrt(fit.mse_resid), rel=1e-9)
    value, low, high = expected
    np.testing.assert_allclose(found.doubling_days, np.log(2) / [value, high, low], rtol=1e-9)


def test_the_rate_is_recovered_within_3_percent_of_the_truth(rng):
    hours, size = drawn(rng, rate=0.5, days=11, noise=0.05)
    found = growth.specific_rate(hours, size)
    assert found.rate_per_day.value == pytest.approx(0.5, rel=0.03)
    assert found.doubling_days.value == pytest.approx(math.log(2) / 0.5, rel=0.03)


def test_the_interval_of_the_rate_covers_the_truth_in_95_percent_of_200_runs():
    rng = np.random.default_rng(7)
    found = [growth.specific_rate(*drawn(rng)).rate_per_day for _ in range(200)]
    share = np.mean([one.low <= 0.4 <= one.high for one in found])
    assert 0.92 <= share <= 0.98


@given(
    unit=st.floats(1e-9, 1e9),
    shift=st.floats(-1000, 1000),
    order=st.permutations(range(7)),
)
def test_the_rate_does_not_depend_on_unit_start_or_order(unit, shift, order):
    hours, size = drawn(np.random.default_rng(3))
    expected = growth.specific_rate(hours, size)
    order = np.array(order)
    found = growth.specific_rate(hours[order] + shift, unit * size[order])
    np.testing.assert_allclose(found.rate_per_day, expected.rate_per_day, rtol=1e-7)
    np.testing.assert_allclose(found.doubling_days, expected.doubling_days, rtol=1e-7)


def test_only_points_of_the_window_count_with_both_ends():
    hours = np.arange(6) * 24.0
    size = np.exp([9.0, 0.0, 1.0, 3.0, 9.0, 9.0])
    found = growth.specific_rate(hours, size, window_h=(24.0, 72.0))
    np.testing.assert_allclose(found.rate_per_day, growth.specific_rate(HOURS, SIZES).rate_per_day)
    assert (found.count, found.window_h) == (3, (24.0, 72.0))


def test_missing_sizes_do_not_count():
    hours = np.append(HOURS, 72.0)
    found = growth.specific_rate(hours, np.append(SIZES, math.nan))
    assert found == growth.specific_rate(HOURS, SIZES)


@pytest.mark.parametrize(
    ("hours", "sizes", "note"),
    [
        ([], [], "too few points (3 needed)"),
        ([0, 24], [1, 2], "too few points (3 needed)"),
        ([0, 24, 48], [1, 2, math.nan], "too few points (3 needed)"),
        ([24, 24, 24], [1, 2, 3], "all points at one time"),
        ([0, 24, 48], [1, 0, 3], "a size of 0 or less has no logarithm"),
    ],
)
def test_a_rate_that_does_not_exist_is_missing_and_says_why(hours, sizes, note):
    found = growth.specific_rate(np.array(hours, float), np.array(sizes, float))
    assert found.note == note
    assert np.isnan([*found.rate_per_day, *found.doubling_days]).all()


def test_equal_sizes_do_not_grow():
    found = growth.specific_rate(np.arange(9) * 24.0, np.full(9, 123.4567))
    assert found.rate_per_day == (0, 0, 0)
    assert found.note == "not growing" and math.isnan(found.doubling_days.value)


def test_a_shrinking_spheroid_has_a_rate_and_no_doubling_time(rng):
    found = growth.specific_rate(*drawn(rng, rate=-0.4))
    assert found.rate_per_day.high < 0
    assert found.note == "shrinking" and math.isnan(found.doubling_days.value)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_a_diameter_and_an_area_give_the_rate_of_the_volume(rng, power):
    hours, volume = drawn(rng)
    found = growth.specific_rate(hours, volume ** (power / 3), power=power)
    expected = growth.specific_rate(hours, volume)
    np.testing.assert_allclose(found.rate_per_day, expected.rate_per_day, rtol=1e-7)
    np.testing.assert_allclose(found.doubling_days, expected.doubling_days, rtol=1e-7)


def test_the_rate_of_a_volume_is_one_and_a_half_times_that_of_an_area():
    assert growth.to_volume_rate(Estimate(1.0, 0.5, 2.0), 2) == (1.5, 0.75, 3.0)


def test_the_ends_of_a_doubling_time_are_those_of_the_rate():
    found, note = growth.doubling_days(Estimate(0.5, 0.25, 1.0))
    np.testing.assert_allclose(found, np.log(2) * np.array([2.0, 1.0, 4.0]))
    assert note == ""


@pytest.mark.parametrize(
    ("hours", "sizes", "options", "message"),
    [
        (HOURS, SIZES[:2], {}, "time_h has 3 values and size has 2"),
        (np.array([0.0, math.nan, 1.0]), SIZES, {}, "time_h must be finite"),
        (HOURS, SIZES, {"power": 0}, "power is 0"),
        (HOURS, SIZES, {"window_h": (48.0, 24.0)}, "must begin before it ends"),
    ],
)
def test_wrong_arguments_are_named(hours, sizes, options, message):
    # Without the type checker, which would speak first.
    function = getattr(growth.specific_rate, "__wrapped__", growth.specific_rate)
    with pytest.raises(Exception, match=message) as caught:
        function(hours, sizes, **options)
    assert isinstance(caught.value, ValueError)


def plate_of(rates, *, days=(0.0, 1.0, 2.0, 3.0)):
    """Returns hours, sizes and wells of exact exponentials."""
    hours = np.tile(np.array(days) * 24, len(rates))
    sizes = np.concatenate([np.exp(rate * np.array(days)) for rate in rates])
    return hours, sizes, np.repeat(np.arange(len(rates)), len(days))


def test_the_mean_rate_has_a_t_interval_over_wells():
    found = growth.rate_of_wells(*plate_of([0.1, 0.2, 0.6]))
    sd = float(np.std([0.1, 0.2, 0.6], ddof=1))
    half = 4.30265272991 * sd / math.sqrt(3)
    np.testing.assert_allclose(found.rate_per_day, [0.3, 0.3 - half, 0.3 + half])
    assert (found.count, found.unit, found.note) == (3, "wells", "not growing")
    assert found.sd_per_day == pytest.approx(sd)
    assert [found.wells[i].rate_per_day.value for i in range(3)] == pytest.approx([0.1, 0.2, 0.6])


def test_the_number_of_units_is_that_of_experiments_where_there_are_several():
    hours, sizes, wells = plate_of([0.1, 0.2, 0.3, 0.5, 0.5])
    # The mean of each experiment counts once, whatever its number of wells.
    unit = np.where(wells < 3, "first", "second")
    found = growth.rate_of_wells(hours, sizes, wells, unit=unit)
    assert (found.count, found.unit) == (2, "experiments")
    half = T_1 * float(np.std([0.2, 0.5], ddof=1)) / math.sqrt(2)
    np.testing.assert_allclose(found.rate_per_day, [0.35, 0.35 - half, 0.35 + half])


def test_wells_of_one_experiment_are_the_units():
    plate = plate_of([0.1, 0.2, 0.3])
    found = growth.rate_of_wells(*plate, unit=np.full(12, "one"))
    assert found == growth.rate_of_wells(*plate)


def test_a_well_without_a_rate_is_counted():
    hours, sizes, wells = plate_of([0.3, 0.31, 0.32])
    sizes[2:4] = math.nan
    found = growth.rate_of_wells(hours, sizes, wells)
    assert found.rate_per_day.value == pytest.approx(0.315)
    assert (found.count, found.note) == (2, "1 of 3 wells without a rate")
    assert found.doubling_days.value == pytest.approx(math.log(2) / 0.315)


def test_one_well_has_no_interval():
    found = growth.rate_of_wells(*plate_of([0.3]))
    assert found.rate_per_day.value == pytest.approx(0.3)
    assert math.isnan(found.rate_per_day.low) and math.isnan(found.sd_per_day)
    assert (found.count, found.note) == (1, "no interval")
    assert found.doubling_days.value == pytest.approx(math.log(2) / 0.3)


def test_a_condition_without_any_rate_says_so():
    found = growth.rate_of_wells(*plate_of([0.3, 0.2], days=(0.0, 1.0)))
    assert (found.count, found.note) == (0, "2 of 2 wells without a rate")
    assert math.isnan(found.rate_per_day.value)


def test_a_well_in_two_experiments_is_an_error():
    hours, sizes, wells = plate_of([0.1, 0.2])
    unit = np.array([1, 1, 1, 2, 2, 2, 2, 2])
    with pytest.raises(ValueError, match="well 0 belongs to several experiments"):
        growth.rate_of_wells(hours, sizes, wells, unit=unit)


def test_a_radius_that_grows_linearly_gives_its_speed(rng):
    hours = 48 + np.arange(8) * 24.0
    diameter = 2 * (200 + 15 * np.arange(8)) + rng.normal(0, 4, 8)
    found = growth.linear_radius(hours, diameter)
    fit = sm.OLS(diameter / 2, sm.add_constant(np.arange(8.0))).fit()
    np.testing.assert_allclose(found.um_per_day, [fit.params[1], *fit.conf_int()[1]], rtol=1e-9)
    np.testing.assert_allclose(found.radius_0_um, [fit.params[0], *fit.conf_int()[0]], rtol=1e-9)
    assert found.residual_sd_um == pytest.approx(math.sqrt(fit.mse_resid))
    assert found.um_per_day.low < 15 < found.um_per_day.high
    assert (found.count, found.window_h) == (8, (48.0, 216.0))


def test_a_speed_needs_three_points():
    found = growth.linear_radius(np.array([0.0, 24.0]), np.array([100.0, 110.0]))
    assert found.note == "too few points (3 needed)" and math.isnan(found.um_per_day.value)
