"""Tests of the quality of a plate: hand-computed values, SciPy and statsmodels as references."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import contingency_tables

from spheroid_jax.plates import quality

NAN = math.nan
POSITIVE = np.array([1.0, 2.0, 3.0])  # Mean 2, sd 1, median 2, MAD 1.
NEGATIVE = np.array([10.0, 14.0, 12.0])  # Mean 12, sd 2, median 12, MAD 2.


def plate(shape):
    """Row and column of every well of a plate."""
    rows, columns = np.indices(shape).reshape(2, -1)
    return rows, columns


def is_outer(rows, columns, shape):
    return (rows % (shape[0] - 1) == 0) | (columns % (shape[1] - 1) == 0)


# Controls.


def test_z_prime_is_as_by_hand():
    found = quality.z_prime(POSITIVE, NEGATIVE)
    assert found.value == pytest.approx(1 - 3 * (1 + 2) / 10)
    assert found.robust == pytest.approx(1 - 3 * 1.4826 * (1 + 2) / 10)
    assert (found.n_positive, found.n_negative, found.note) == (3, 3, "")


def test_ssmd_is_positive_minus_negative():
    found = quality.ssmd(POSITIVE, NEGATIVE)
    assert found.value == pytest.approx(-10 / math.sqrt(5))
    assert found.robust == pytest.approx(-10 / (1.4826 * math.sqrt(5)))
    assert quality.ssmd(NEGATIVE, POSITIVE).value == -found.value


def test_an_outlier_spoils_z_prime_and_hardly_its_robust_form():
    negative = np.array([100.0, 101, 99, 100, 98, 102, 300])
    found = quality.z_prime(np.array([10.0, 11, 9, 10, 12, 8]), negative)
    assert found.value < 0 < 0.8 < found.robust


@pytest.mark.parametrize("measure", [quality.z_prime, quality.ssmd])
def test_the_unit_changes_neither_z_prime_nor_ssmd(measure, rng):
    positive, negative = rng.normal(5, 1, 8), rng.normal(9, 1, 12)
    micro = measure(1e9 * positive, 1e9 * negative)
    np.testing.assert_allclose(micro[:2], measure(positive, negative)[:2])


def test_the_coefficient_of_variation_is_as_by_hand():
    found = quality.cv_percent(NEGATIVE)
    assert found.percent == pytest.approx(100 * 2 / 12)
    assert found.robust_percent == pytest.approx(100 * 1.4826 * 2 / 12)
    assert found.n == 3


def test_a_missing_well_is_no_zero_and_counts_in_no_group():
    positive, negative = np.append(POSITIVE, NAN), np.append(NAN, NEGATIVE)
    assert quality.z_prime(positive, negative) == quality.z_prime(POSITIVE, NEGATIVE)
    assert quality.ssmd(positive, negative) == quality.ssmd(POSITIVE, NEGATIVE)
    assert quality.cv_percent(negative) == quality.cv_percent(NEGATIVE)


@pytest.mark.parametrize("measure", [quality.z_prime, quality.ssmd])
@pytest.mark.parametrize("few", [[], [4.0], [4.0, NAN]])
def test_one_well_of_a_control_is_too_few(measure, few):
    found = measure(np.array(few), NEGATIVE)
    assert math.isnan(found.value) and math.isnan(found.robust)
    assert found.note == "needs 2 wells of each control"
    assert quality.cv_percent(np.array(few)).note == "needs 2 wells"


def test_controls_without_difference_or_spread_have_a_note():
    same = np.array([4.0, 4.0])
    assert quality.z_prime(same, same).note == "the controls do not differ"
    assert quality.ssmd(same, same + 1).note == "the controls do not vary"
    assert quality.z_prime(same, same + 1).value == 1
    assert quality.cv_percent(np.array([-1.0, 1.0])).note == "the mean or the median is 0"


# Edge effect.


def test_the_edge_effect_of_one_condition_is_the_ratio_of_medians(rng):
    rows, columns = plate((8, 12))
    values = rng.lognormal(size=96)
    outer = is_outer(rows, columns, (8, 12))
    found = quality.edge_effect(values, ["a"] * 96, rows, columns, shape=(8, 12))
    assert found.ratio == pytest.approx(np.median(values[outer]) / np.median(values[~outer]))
    assert (found.n_outer, found.n_inner) == (36, 60)
    reference = stats.mannwhitneyu(values[outer], values[~outer]).pvalue
    assert found.p == pytest.approx(reference, abs=0.03)


def test_the_p_value_of_few_wells_is_exact():
    """Of the 6 ways to choose the 2 outer of 4 wells, 2 are as extreme as this."""
    rows, columns = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])
    found = quality.edge_effect(np.array([1.0, 2, 3, 4]), "aaaa", rows, columns, shape=(3, 4))
    assert (found.n_outer, found.n_inner) == (2, 2)
    assert found.p == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("effect", [1.0, 0.8])
def test_a_layout_with_controls_at_the_edge_does_not_confound(effect, rng):
    """The controls are 3 times as large, and most of them are outer wells."""
    shape = (8, 12)
    rows, columns = plate(shape)
    outer = is_outer(rows, columns, shape)
    control = np.where(outer, rng.uniform(size=96) < 0.8, rng.uniform(size=96) < 0.1)
    values = np.where(control, 3.0, 1.0) * np.where(outer, effect, 1) * rng.lognormal(0, 0.03, 96)
    found = quality.edge_effect(values, list(control), rows, columns, shape=shape)
    assert np.median(values[outer]) / np.median(values[~outer]) > 2  # What a naive ratio says.
    assert found.ratio == pytest.approx(effect, abs=0.03)
    assert found.p < 0.001 if effect < 1 else found.p > 0.05


def test_a_plate_of_outer_wells_only_has_no_edge_effect():
    rows, columns = plate((2, 3))
    found = quality.edge_effect(np.ones(6), ["a"] * 6, rows, columns, shape=(2, 3))
    assert math.isnan(found.ratio) and math.isnan(found.p)
    assert found.note == "needs a condition with outer and inner wells"


def test_a_well_that_is_not_on_the_map_is_compared_with_none():
    rows, columns = plate((4, 6))
    values = np.where(is_outer(rows, columns, (4, 6)), 1.0, 2.0)
    conditions = [None if n % 3 else "a" for n in range(24)]
    chosen = np.arange(0, 24, 3)
    found = quality.edge_effect(values, conditions, rows, columns, shape=(4, 6))
    assert found.n_outer + found.n_inner == len(chosen)
    strange = np.where(np.arange(24) % 3, 1e6, values)
    assert found == quality.edge_effect(strange, conditions, rows, columns, shape=(4, 6))
    assert quality.drift(values, conditions, rows).n == len(chosen)
    assert math.isnan(quality.drift(values, [None] * 24, rows).p)


def test_wells_outside_the_plate_and_sizes_of_zero_are_refused():
    rows = columns = np.array([0, 4])
    with pytest.raises(ValueError, match="outside the plate of 4 x 6 wells"):
        quality.edge_effect(np.ones(2), "aa", rows, columns, shape=(4, 6))
    with pytest.raises(ValueError, match="size 0 is not above 0"):
        quality.drift(np.array([0.0, 1]), "aa", rows)
    with pytest.raises(ValueError, match="2 values, 3 conditions, 2 places"):
        quality.drift(np.ones(2), "aaa", rows)


# Drift.


def test_a_drift_of_one_percent_a_column_is_found():
    _, columns = plate((8, 12))
    values = 7 * 1.01**columns
    found = quality.drift(values, ["a"] * 96, columns)
    assert found.percent == pytest.approx(100 * (1.01**11 - 1))
    assert found.p < 0.001 and found.n == 96
    assert quality.drift(values, ["a"] * 96, plate((8, 12))[0]).p == pytest.approx(1, abs=0.1)


def test_the_drift_of_one_condition_agrees_with_scipy(rng):
    places = np.arange(20)
    values = np.exp(0.02 * places + rng.normal(0, 0.1, 20))
    found = quality.drift(values, ["a"] * 20, places)
    slope = stats.theilslopes(np.log(values), places).slope
    assert found.percent == pytest.approx(100 * math.expm1(19 * slope))
    assert found.p == pytest.approx(stats.spearmanr(values, places).pvalue, abs=0.01)


def test_a_dose_that_rises_over_the_columns_is_no_drift(rng):
    rows, columns = plate((8, 12))
    values = 1.3 ** -(columns // 2) * rng.lognormal(0, 0.02, 96)
    conditions = list(columns // 2)
    steady = quality.drift(values, conditions, columns)
    assert abs(steady.percent) < 10 and steady.p > 0.05
    drifting = quality.drift(values * 1.01**columns, conditions, columns)
    assert (100 + drifting.percent) / (100 + steady.percent) == pytest.approx(1.01**11)
    alone = quality.drift(values, list(columns), columns)
    assert math.isnan(alone.percent) and "drift and conditions are the same" in alone.note


def test_neither_the_unit_nor_the_order_of_wells_changes_edge_or_drift(rng):
    rows, columns = plate((8, 12))
    values, conditions = rng.lognormal(size=96), np.array(list("abcd") * 24)
    values[5] = NAN
    order = rng.permutation(96)
    edges = [
        quality.edge_effect(v, list(conditions[o]), rows[o], columns[o], shape=(8, 12))
        for v, o in ((values, slice(None)), (1e9 * values[order], order))
    ]
    drifts = [
        quality.drift(v, list(conditions[o]), rows[o])
        for v, o in ((values, slice(None)), (1e9 * values[order], order))
    ]
    for first, second in (edges, drifts):
        np.testing.assert_allclose(first[:-1], second[:-1])
    assert drifts[0].n == 95


def test_of_plates_without_effect_one_in_twenty_has_p_below_five_percent(rng):
    rows, columns = plate((4, 6))
    conditions = list(np.arange(24) % 3)
    found = [
        (
            quality.edge_effect(values, conditions, rows, columns, shape=(4, 6)).p,
            quality.drift(values, conditions, rows).p,
        )
        for values in rng.lognormal(size=(200, 24))
    ]
    shares = np.mean(np.array(found) < 0.05, axis=0)
    assert (shares > 0.01).all() and (shares < 0.1).all()


# Refused wells.


def test_refused_wells_that_rise_with_dose_warn():
    doses = np.repeat([0, 0.1, 1, 10], [8, 4, 4, 4])
    refused = np.zeros(20, bool)
    refused[-3:] = True
    found = quality.refused_by_dose(doses, refused, unit="uM")
    assert list(found.refused) == [0, 0, 0, 3] and list(found.wells) == [8, 4, 4, 4]
    assert found.p == pytest.approx(4 / math.comb(20, 3), abs=0.003)  # All three at the top dose.
    assert found.warning == (
        f"refused wells rise with dose: 0 of 8 at 0, 3 of 4 at 10 uM (p = {found.p:.2g}): the drug "
        "may dissolve spheroids; refused wells are missing, not zero"
    )
    assert found.note == ""


def test_refused_wells_at_low_doses_do_not_warn():
    doses = np.repeat([0.0, 0.1, 1, 10], 4)
    refused = doses == 0
    found = quality.refused_by_dose(doses, refused)
    assert found.p > 0.9 and not found.warning


def test_the_trend_test_agrees_with_statsmodels(rng):
    doses = rng.choice([0.0, 1, 3, 10], 200)
    refused = rng.uniform(size=200) < 0.05 + 0.008 * doses
    found = quality.refused_by_dose(doses, refused)
    table = np.stack([found.refused, found.wells - found.refused])
    reference = contingency_tables.Table(table).test_ordinal_association()
    assert found.p == pytest.approx(reference.pvalue / 2, abs=0.01)


def test_the_names_of_doses_do_not_matter_and_neither_does_the_order(rng):
    doses = rng.choice([0.0, 1, 3, 10], 60)
    refused = rng.uniform(size=60) < 0.03 * doses
    first = quality.refused_by_dose(doses, refused)
    order = rng.permutation(60)
    second = quality.refused_by_dose(1000 * doses[order], refused[order])
    assert second.p == pytest.approx(first.p, abs=0.01)
    np.testing.assert_array_equal(second.refused, first.refused)


@pytest.mark.parametrize(
    ("doses", "refused", "note"),
    [
        ([0.0, 1], [False, False], "no well was refused"),
        ([0.0, 1], [True, True], "every well was refused"),
        ([1.0, 1], [True, False], "needs 2 doses"),
        ([], [], "needs 2 doses"),
    ],
)
def test_where_no_trend_can_be_tested_the_note_says_why(doses, refused, note):
    found = quality.refused_by_dose(np.array(doses), np.array(refused, bool))
    assert math.isnan(found.p) and found.note == note and not found.warning


@pytest.mark.parametrize("wrong", [-1.0, NAN, math.inf])
def test_a_dose_that_is_no_dose_is_refused(wrong):
    with pytest.raises(ValueError, match="dose .* is not a number from 0 on"):
        quality.refused_by_dose(np.array([0.0, wrong]), np.array([False, True]))
