"""Bland-Altman limits of agreement: by hand, against statsmodels, and by simulation."""

import math

import jaxtyping
import numpy as np
import pytest
from scipy import stats

from spheroid_jax.evaluation import statistics

FIRST = np.array([3.0, 5.0, 7.0, 9.0, 11.0])
SECOND = np.array([2.0, 3.0, 4.0, 5.0, 6.0])


def test_bias_and_limits_by_hand():
    # The differences are 1, 2, 3, 4, 5: their mean is 3, their sample variance 10 / 4.
    found = statistics.bland_altman(FIRST, SECOND)
    sd = math.sqrt(2.5)
    assert (found.count, found.sd) == (5, pytest.approx(sd))
    assert found.bias.mean == pytest.approx(3)
    assert found.low.mean == pytest.approx(3 - 1.96 * sd)
    assert found.high.mean == pytest.approx(3 + 1.96 * sd)


def test_intervals_by_hand():
    found = statistics.bland_altman(FIRST, SECOND)
    t = 2.7764451  # 97.5 % quantile for 4 degrees of freedom, from a printed table.
    half = t * math.sqrt(2.5 / 5)
    assert found.bias[1:] == pytest.approx((3 - half, 3 + half))
    # 1.96^2 / (2 * 4) = 0.4802, so that the variance of a limit is 2.5 (0.2 + 0.4802).
    half = t * math.sqrt(2.5 * 0.6802)
    assert found.low[1:] == pytest.approx((found.low.mean - half, found.low.mean + half))
    assert found.high[1:] == pytest.approx((found.high.mean - half, found.high.mean + half))


def test_the_interval_of_the_bias_is_that_of_a_paired_t_test(rng):
    first, second = rng.normal(2, 1, 30), rng.normal(0, 1, 30)
    expected = stats.ttest_rel(first, second).confidence_interval()
    found = statistics.bland_altman(first, second)
    assert found.bias[1:] == pytest.approx((expected.low, expected.high))


def test_statsmodels_finds_the_same_interval_of_the_bias(rng):
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    first, second = rng.normal(2, 1, 30), rng.normal(0, 1, 30)
    about = weightstats.DescrStatsW(first - second)
    found = statistics.bland_altman(first, second)
    assert found.bias[1:] == pytest.approx(about.tconfint_mean())
    assert found.sd == pytest.approx(about.std_mean * math.sqrt(30))


def test_swapped_methods_have_mirrored_limits(rng):
    first, second = rng.random(12), rng.random(12)
    there, back = statistics.bland_altman(first, second), statistics.bland_altman(second, first)
    assert back.bias == pytest.approx([-there.bias[n] for n in (0, 2, 1)])
    assert back.low == pytest.approx([-there.high[n] for n in (0, 2, 1)])


def test_a_unit_scales_all_numbers(rng):
    first, second = rng.random(12), rng.random(12)
    groups = list("aabbccddeeff")
    for names in (None, groups):
        one = statistics.bland_altman(first, second, names)
        ten = statistics.bland_altman(10 * first, 10 * second, names)
        assert np.ravel(ten[:3]) == pytest.approx(10 * np.ravel(one[:3]))


def test_equal_methods_agree_without_spread():
    found = statistics.bland_altman(FIRST, FIRST)
    assert np.ravel(found[:3]) == pytest.approx(np.zeros(9))


def test_groups_widen_the_intervals_and_keep_the_limits(rng):
    groups = np.repeat(np.arange(15), 4)
    first = rng.normal(0, 1, 15)[groups] + rng.normal(0, 0.1, 60)
    plain = statistics.bland_altman(first, np.zeros(60))
    grouped = statistics.bland_altman(first, np.zeros(60), groups)
    assert (grouped.bias.mean, grouped.sd) == (plain.bias.mean, plain.sd)
    for one, other in zip(grouped[:3], plain[:3], strict=True):
        assert one.high - one.low > 1.4 * (other.high - other.low)


def test_intervals_hold_the_truth_in_95_of_100_experiments():
    rng = np.random.default_rng(0)
    held = np.zeros(3)
    for _ in range(1000):
        found = statistics.bland_altman(rng.normal(1, 2, 20), np.zeros(20))
        truths = (1, 1 - 1.96 * 2, 1 + 1.96 * 2)
        held += [
            each.low <= true <= each.high for each, true in zip(found[:3], truths, strict=True)
        ]
    # The standard error of a share of 1000 is 0.7 points.
    assert np.all(held / 1000 > 0.925) and np.all(held / 1000 < 0.975)


@pytest.mark.parametrize(
    ("first", "second"), [(FIRST[:2], SECOND[:2]), (np.array([1, 2, np.nan]), np.ones(3))]
)
def test_too_few_and_missing_values_are_named(first, second):
    with pytest.raises(ValueError, match="3 or more finite pairs"):
        statistics.bland_altman(first, second)


def test_unpaired_values_are_refused():
    # The tests' check of shapes comes before the function's own.
    with pytest.raises((ValueError, jaxtyping.TypeCheckError)):
        statistics.bland_altman(FIRST, SECOND[:1])
