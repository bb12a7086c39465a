"""Tests of comparisons: hand-computed values, SciPy and statsmodels as references."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats import multitest, oneway

from spheroid_jax.plates import comparisons, effects

NAN = math.nan
X, Y = np.array([4.0, 6, 8]), np.array([1.0, 2, 3])  # Means 6 and 2, variances 4 and 1.


def only(groups, **options):
    (found,) = comparisons.compare(groups, control="control", **options)
    return found


# What n is.


def test_wells_of_one_experiment_are_called_technical_replicates():
    found = only({"control": Y, "drug": X})
    assert (found.first, found.second) == ("drug", "control")
    assert (found.n_first, found.n_second) == (3, 3)
    assert found.replicates == "n = 3 wells of one experiment: technical replicates only"
    many = only({"control": Y, "drug": np.append(X, 5)})
    assert many.replicates.startswith("n = 4 and 3 wells of one experiment")


def test_wells_of_several_experiments_are_averaged_first():
    """Twelve wells whose means per experiment are X and Y."""
    spread = np.array([-1.0, 1.0, -3.0, 3.0])
    groups = {"control": np.add.outer(Y, spread).ravel(), "drug": np.add.outer(X, spread).ravel()}
    units = dict.fromkeys(groups, np.repeat(["e1", "e2", "e3"], 4).tolist())
    found = only(groups, units=units)
    assert found.replicates == "n = 3 experiments"
    assert found._replace(replicates="") == only({"control": Y, "drug": X})._replace(replicates="")
    assert found.p > 20 * only(groups).p  # As if 12 wells were 12 experiments.


def test_one_experiment_of_a_condition_gives_no_p_even_of_many_wells():
    groups = {"control": np.arange(6.0), "drug": np.arange(10.0, 14)}
    units = {"control": [1, 1, 2, 2, 3, 3], "drug": [1] * 4}
    found = only(groups, units=units)
    assert (found.n_first, found.n_second) == (1, 3)
    assert math.isnan(found.p) and math.isnan(found.p_holm)
    assert found.note == "needs 2 experiments of each condition"
    assert found.change.value == pytest.approx(11.5 - 2.5) and math.isnan(found.change.low)


def test_a_missing_well_is_no_zero_no_control_and_no_experiment():
    groups = {"control": np.append(Y, NAN), "drug": np.append(NAN, X)}
    units = {"control": ["a", "a", "a", "b"], "drug": ["b", "a", "a", "a"]}
    assert only(groups, units=units) == only({"control": Y, "drug": X})
    gone = only({"control": np.full(3, NAN), "drug": X})
    assert math.isnan(gone.change.value) and gone.note == "needs 2 wells of each condition"
    with pytest.raises(ValueError, match="control 'vehicle' is not among the conditions"):
        comparisons.compare(groups, control="vehicle")


def test_all_pairs_are_compared_where_there_is_no_control():
    found = comparisons.compare({"a": X, "b": Y, "c": X + Y}, control=None)
    assert [(each.first, each.second) for each in found] == [("b", "a"), ("c", "a"), ("c", "b")]


# Welch and Hedges.


def test_welch_s_test_is_as_by_hand():
    found = only({"control": Y, "drug": X})
    error, degrees = math.sqrt(5 / 3), (5 / 3) ** 2 / ((4 / 3) ** 2 / 2 + (1 / 3) ** 2 / 2)
    half = stats.t.ppf(0.975, degrees) * error
    np.testing.assert_allclose(found.change, (4, 4 - half, 4 + half))
    assert found.p == pytest.approx(2 * stats.t.sf(4 / error, degrees))
    assert found.p_holm == found.p


def test_hedges_g_is_as_by_hand():
    """With 4 degrees of freedom, J = Gamma(2) / (sqrt(2) Gamma(1.5)) = sqrt(2 / pi)."""
    g = effects.hedges_g(X, Y)
    assert g.value == pytest.approx(math.sqrt(2 / math.pi) * 4 / math.sqrt(2.5))


def test_the_interval_of_hedges_g_inverts_the_noncentral_t():
    g = effects.hedges_g(X, Y)
    root = math.sqrt(9 / 6)
    t = root * 4 / math.sqrt(2.5)
    ends = [
        optimize.brentq(lambda delta, p=p: stats.nct.cdf(t, 4, root * delta) - p, -9, 20)
        for p in (0.975, 0.025)
    ]
    np.testing.assert_allclose(g[1:], ends, rtol=1e-6)


def test_the_interval_of_hedges_g_covers_95_percent(rng):
    found = [effects.hedges_g(rng.normal(1.5, 1, 3), rng.normal(0, 1, 4)) for _ in range(1000)]
    assert np.mean([g.low <= 1.5 <= g.high for g in found]) == pytest.approx(0.95, abs=0.02)


def test_a_huge_hedges_g_still_has_an_interval():
    near, far = (effects.hedges_g(X + distance, Y) for distance in (39.5, 40.5))
    assert near.low < far.low and near.high < far.high  # On both sides of the change of formula.
    g = effects.hedges_g(X + 1e9, Y)
    assert 0 < g.low < g.value < g.high < math.inf


def test_a_ratio_is_that_of_geometric_means():
    found = only({"control": np.exp(Y), "drug": np.exp(X)}, scale="ratio")
    plain = only({"control": Y, "drug": X})
    np.testing.assert_allclose(found.change, np.exp(plain.change))
    assert found.p == pytest.approx(plain.p) and found.effect.value == pytest.approx(
        plain.effect.value
    )
    with pytest.raises(ValueError, match="drug: value 0 is not a number above 0"):
        only({"control": X, "drug": np.array([0.0, 1])}, scale="ratio")


@pytest.mark.parametrize("test", ["welch", "mann-whitney"])
def test_the_unit_changes_neither_p_nor_effect_nor_ratio(test, rng):
    groups = {"control": rng.lognormal(size=5), "drug": rng.lognormal(1, 1, 6)}
    micro = {name: 1e9 * values for name, values in groups.items()}
    for scale in ("difference", "ratio"):
        found, same = (only(g, test=test, scale=scale) for g in (groups, micro))
        assert found.p == pytest.approx(same.p)
        np.testing.assert_allclose(found.effect, same.effect)
        factor = 1 if scale == "ratio" else 1e9
        np.testing.assert_allclose(np.multiply(factor, found.change), same.change)


def test_an_interval_too_wide_for_a_number_is_infinite():
    wide = only({"control": np.array([1.0, 1e200]), "drug": X[:2]}, scale="ratio")
    assert wide.change.low == 0 and wide.change.high == math.inf


def test_conditions_without_spread_have_a_note():
    same = np.array([2.0, 2.0])
    found = only({"control": same, "drug": same + 1})
    assert found.change.value == 1 and math.isnan(found.p)
    assert found.note == "the conditions do not vary"


# Mann-Whitney, Cliff, Hodges and Lehmann.


def test_the_exact_p_of_three_against_three_is_one_tenth():
    found = only({"control": Y, "drug": X}, test="mann-whitney")
    assert found.p == pytest.approx(2 / math.comb(6, 3))
    assert found.effect.value == 1 and found.effect.high == 1
    t = stats.t.ppf(0.975, 4)
    assert found.effect.low == pytest.approx((3 - t**2) / (3 + t**2))
    # The differences are 1 to 7; no test of 3 and 3 values rejects at 5 %.
    assert found.change == (4, -math.inf, math.inf)


def test_ties_of_few_values_are_enumerated():
    """Of the 6 ways to choose 2 of 0, 1, 1, 2, two are as extreme as 1 and 2."""
    found = only({"control": np.array([0.0, 1]), "drug": np.array([1.0, 2])}, test="mann-whitney")
    assert found.p == pytest.approx(4 / 6)  # U = 3.5; 3.5 or 4 in 2 ways, 0.5 or 0 in 2 ways.


def test_cliff_s_delta_is_as_by_hand():
    x, y = np.array([1.0, 3]), np.array([2.0, 0, 3])
    # Signs: (-, +, -) and (+, +, 0).
    assert effects.cliffs_delta(x, y).value == pytest.approx(1 / 6)
    u = stats.mannwhitneyu(x, y).statistic
    assert effects.cliffs_delta(x, y).value == pytest.approx(2 * u / 6 - 1)


def test_the_interval_of_cliff_s_delta_covers_about_95_percent(rng):
    truth = 2 * stats.norm.cdf(1 / math.sqrt(2)) - 1
    found = [effects.cliffs_delta(rng.normal(1, 1, 8), rng.normal(0, 1, 8)) for _ in range(1000)]
    assert np.mean([d.low <= truth <= d.high for d in found]) == pytest.approx(0.955, abs=0.02)


@given(st.integers(2, 8), st.integers(2, 8), st.integers(0, 2**31))
def test_cliff_s_delta_stays_in_its_bounds_and_changes_sign(m, n, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 5, m).astype(float), rng.integers(0, 5, n).astype(float)
    d, turned = effects.cliffs_delta(x, y), effects.cliffs_delta(y, x)
    assert -1 <= d.low <= d.value <= d.high <= 1
    np.testing.assert_allclose(d, (-turned.value, -turned.high, -turned.low))


@pytest.mark.parametrize("sizes", [(4, 4), (5, 8), (8, 8), (9, 12)])
def test_the_interval_of_the_shift_holds_what_the_test_does_not_reject(sizes, rng):
    x, y = rng.normal(1, 1, sizes[0]), rng.normal(0, 1, sizes[1])
    found = effects.shift(x, y)
    for end, inwards in ((found.low, 1e-9), (found.high, -1e-9)):
        inside, outside = (
            stats.mannwhitneyu(x - at, y, method="exact").pvalue
            for at in (end + inwards, end - inwards)
        )
        assert outside <= 0.05 < inside


def test_the_interval_of_the_shift_of_many_values_is_near_the_exact_one(rng, monkeypatch):
    x, y = rng.normal(1, 1, 40), rng.normal(0, 1, 40)
    exact = effects.shift(x, y)
    monkeypatch.setattr(effects, "_EXACT_PAIRS", 0)
    np.testing.assert_allclose(effects.shift(x, y), exact, atol=0.03)


# All conditions, and adjustment.


@pytest.mark.parametrize(
    ("test", "reference"),
    [
        ("welch", lambda groups: oneway.anova_oneway(groups, use_var="unequal").pvalue),
        ("mann-whitney", lambda groups: stats.kruskal(*groups).pvalue),
    ],
)
def test_the_test_of_all_conditions_agrees_with_its_reference(test, reference, rng):
    groups = {name: rng.normal(n, 1 + n, 4 + n) for n, name in enumerate("abc")}
    found = comparisons.overall(groups | {"d": np.array([1.0])}, test=test)
    assert found.p == pytest.approx(reference(list(groups.values())))
    assert found.conditions == 3 and not found.note


def test_kruskal_and_wallis_is_as_by_hand():
    groups = {"a": np.array([1.0, 2]), "b": np.array([3.0, 4]), "c": np.array([5.0, 6])}
    found = comparisons.overall(groups, test="mann-whitney")
    # H = 12 / (6 x 7) (3^2 / 2 + 7^2 / 2 + 11^2 / 2) - 3 x 7.
    assert found.statistic == pytest.approx(12 / 42 * 179 / 2 - 21)


def test_where_conditions_cannot_be_tested_together_the_note_says_why():
    lone = np.array([1.0])
    assert comparisons.overall({"a": X, "b": lone}).note == "needs 2 conditions of 2 wells"
    flat = np.ones(3)
    assert comparisons.overall({"a": X, "b": flat}).note == "a condition does not vary"
    flats = comparisons.overall({"a": flat, "b": flat}, test="mann-whitney")
    assert flats.note == "the conditions do not vary"


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_holm_s_adjustment_agrees_with_statsmodels(count, rng):
    p_values = np.round(rng.beta(0.3, 1, count), 3)  # Many are small, and some are equal.
    reference = multitest.multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(comparisons.adjusted(p_values), reference)


def test_a_comparison_without_p_does_not_count_in_the_adjustment():
    found = comparisons.adjusted(np.array([0.04, NAN, 0.01, 0.03]))
    np.testing.assert_allclose(found, [0.06, NAN, 0.03, 0.06])
    lone = comparisons.compare({"c": Y, "a": X, "b": X[:1]}, control="c")
    assert lone[0].p_holm == lone[0].p and math.isnan(lone[1].p_holm)
    assert comparisons.compare({"c": Y}, control="c") == ()


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="drug: 3 values and 1 units"):
        only({"control": Y, "drug": X}, units={"control": "abc", "drug": "a"})

    with pytest.raises(ValueError, match="drug: value inf is not finite"):
        only({"control": Y, "drug": np.array([1, math.inf])})
