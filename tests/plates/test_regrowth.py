"""Tests of regrowth after treatment, and of the dose that controls half of the spheroids."""

import math

import numpy as np
import pytest
from scipy import optimize

from spheroid_jax.plates import regrowth
from spheroid_jax.plates.regrowth import Rule

DOSE = np.repeat([0.0, 2, 4, 6, 8, 10], 6)
CONTROLLED = np.array([0] * 14 + [1, 0, 0, 0] + [1, 1, 0, 1, 0, 0] + [1] * 5 + [0] + [1] * 6, bool)


def event(*sizes, t0_h=0.0, **options):
    """Finds the event of sizes on successive days."""
    hours = np.arange(len(sizes)) * 24.0
    return regrowth.event(hours, np.array(sizes, float), t0_h=t0_h, **options)


def test_regrowth_is_the_first_size_above_that_at_treatment_after_two_rises():
    assert event(10, 8, 5, 7, 9, 11, 13) == (120, True, "")


def test_a_size_equal_to_that_at_treatment_is_not_above_it():
    assert event(10, 5, 8, 10).observed is False
    assert event(10, 5, 8, 10, 10.1) == (96, True, "")


def test_one_rise_is_not_enough_unless_the_rule_says_so():
    assert event(10, 5, 12, 11, 12, 13) == (120, True, "")
    assert event(10, 5, 12, 11, 12, rule=Rule(rising=1)) == (48, True, "")
    assert event(10, 5, 6, 11, 12, 13, rule=Rule(rising=4)) == (120, True, "")


def test_the_level_is_relative_to_the_size_at_treatment():
    assert event(10, 5, 6, 8, 11, 16, rule=Rule(level=1.5)) == (120, True, "")
    assert event(10, 5, 6, 8, 11, 16, rule=Rule(level=0.5)) == (48 + 24, True, "")


def test_a_spheroid_that_never_shrank_counts_as_regrown():
    assert event(10, 11, 12, 13) == (48, True, "never below its size at treatment")


def test_a_later_fall_does_not_undo_regrowth():
    assert event(10, 5, 8, 12, 3, 2, 1) == (72, True, "")


def test_a_spheroid_that_stays_small_is_censored_at_the_last_image():
    assert event(10, 8, 6, 5, 5, 6) == (120, False, "not regrown by the last image")


def test_a_dissolved_spheroid_is_controlled_until_the_last_image():
    assert event(10, 5, 0, 0, 0) == (96, False, "not regrown by the last image")


def test_the_time_counts_from_treatment_and_the_size_from_the_image_before():
    assert event(3, 10, 5, 8, 12, t0_h=30.0) == (96 - 30, True, "")


def test_a_well_that_is_lost_is_censored_at_its_last_good_image():
    good = np.array([True, True, True, False, False, False])
    note = "not followed after its last good image"
    assert event(10, 5, 6, 9, 12, 15, good=good) == (48, False, note)
    assert event(10, 5, 6, math.nan, math.nan) == (48, False, note)


def test_a_bad_image_between_good_ones_is_left_out():
    good = np.array([True, True, False, True, True])
    assert event(10, 5, 99, 8, 12, good=good) == (96, True, "")


def test_a_well_without_a_good_image_at_treatment_has_no_time():
    found = event(10, 5, 8, 12, good=np.array([False, True, True, True]))
    assert math.isnan(found.after_h) and found.note == "no size at or before t0"


def test_a_well_without_an_image_after_treatment_is_censored_at_once():
    assert event(10, 12, t0_h=24.0).after_h == 0


def test_events_do_not_depend_on_unit_start_or_order(rng):
    hours, size = np.arange(7) * 24.0, np.array([10.0, 8, 5, 7, 9, 11, 13])
    order = rng.permutation(7)
    found = regrowth.event(hours[order] + 100, 1e-6 * size[order], t0_h=100.0)
    assert found == (120, True, "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": Rule(rising=0)}, "rising must be at least 1"),
        ({"rule": Rule(level=0.0)}, "level above 0"),
    ],
)
def test_wrong_rules_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        event(1, 2, 3, **options)


def test_a_negative_size_is_an_error():
    with pytest.raises(ValueError, match="size must be at least 0, and is -2"):
        event(1, -2, 3)


def test_the_dose_of_symmetric_control_is_the_middle():
    found = regrowth.scd50(DOSE, DOSE > 5)
    assert found.dose.value == pytest.approx(5)
    assert found.dose.high - 5 == pytest.approx(5 - found.dose.low)
    # All groups of the neighbouring doses are of one kind.
    assert 4 < found.dose.low < 5 and found.note == ""


def test_the_dose_and_its_interval_are_those_of_a_general_optimiser():
    found = regrowth.scd50(DOSE, CONTROLLED)
    design = np.column_stack([np.ones(36), DOSE])

    def loss(b):
        chance = 1 / (1 + np.exp(-np.clip(design @ b, -500, 500)))
        information = design.T @ (design * (chance * (1 - chance))[:, np.newaxis])
        likelihood = np.sum(np.log(np.where(CONTROLLED, chance, 1 - chance)))
        return -likelihood - np.linalg.slogdet(information)[1] / 2

    best = optimize.minimize(loss, [-4.0, 0.8], method="Nelder-Mead", options={"xatol": 1e-8})
    assert found.dose.value == pytest.approx(-best.x[0] / best.x[1], rel=1e-4)
    for end in (found.dose.low, found.dose.high):
        along = optimize.minimize_scalar(
            lambda slope, end=end: loss(np.array([-slope * end, slope])),
            bounds=(0.01, 3),
            method="bounded",
        )
        # The 0.95 quantile of chi-square with one degree of freedom.
        assert 2 * (along.fun - best.fun) == pytest.approx(3.841459, rel=1e-4)
    assert (found.count, found.controlled) == (36, 15)


@pytest.mark.parametrize(("scale", "shift"), [(100.0, 0.0), (1e-6, 0.0), (1.0, 1000.0)])
def test_the_dose_follows_the_unit_of_the_doses(scale, shift):
    expected = np.array(regrowth.scd50(DOSE, CONTROLLED).dose)
    found = regrowth.scd50(scale * DOSE + shift, CONTROLLED)
    np.testing.assert_allclose(found.dose, scale * expected + shift, rtol=1e-6)
    assert scale * found.slope.value == pytest.approx(regrowth.scd50(DOSE, CONTROLLED).slope.value)


@pytest.mark.parametrize(
    ("dose", "controlled", "note"),
    [
        (DOSE, np.arange(36) % 2 == 0, "no dose dependence"),
        (DOSE, ~CONTROLLED, "no dose dependence: control falls with dose"),
        (DOSE, np.zeros(36, bool), "no dose dependence: none controlled"),
        (DOSE, np.ones(36, bool), "no dose dependence: all controlled"),
        (np.full(36, 4.0), CONTROLLED, "too few doses (2 needed)"),
        (np.array([]), np.array([], bool), "too few doses (2 needed)"),
    ],
)
def test_a_dose_that_does_not_exist_is_missing_and_says_why(dose, controlled, note):
    found = regrowth.scd50(dose, controlled)
    assert found.note == note and np.isnan(found.dose).all()


def test_a_dose_outside_the_doses_says_so():
    controlled = np.repeat([False, True], [32, 4])
    controlled[26] = True
    found = regrowth.scd50(DOSE, controlled & (DOSE > 6))
    inside = found.dose.value <= 10
    assert found.note == ("" if inside else "outside the doses")
    few = np.zeros(60, bool)
    few[[50, 52, 54, 56]] = True
    beyond = regrowth.scd50(np.repeat(np.arange(6.0), 10), few)
    assert beyond.dose.value > 5 and beyond.note == "outside the doses"


@pytest.mark.parametrize(
    ("dose", "controlled"), [((2, 20), (0, 1)), ((2, 2, 20), (0, 0, 1)), ((1, 2, 3), (0, 1, 1))]
)
def test_two_or_three_spheroids_have_a_result_without_dose_dependence(dose, controlled):
    found = regrowth.scd50(np.array(dose, float), np.array(controlled, bool))
    assert found.note == "no dose dependence"
    assert found.slope.low < 0 < found.slope.value < found.slope.high < math.inf
