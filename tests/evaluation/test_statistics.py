"""Tests of the confidence intervals, the Wilcoxon test and the effect size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.compare import aggregate
from spheroid_jax.evaluation.metrics import Agreement


def scores_of(f_scores):
    """Returns scores (folds, images, fields) with only the F-scores set."""
    scores = np.zeros((*np.shape(f_scores), len(Agreement._fields)))
    scores[..., Agreement._fields.index("f_score")] = f_scores
    return scores


# Two folds of three images: means 0.6 and 0.8.
HAND_MADE = np.array([[0.5, 0.6, 0.7], [0.9, 0.9, 0.6]])


def test_table_2_averages_over_images_and_then_over_folds():
    scores = scores_of(HAND_MADE)
    scores[..., 0] = HAND_MADE / 2
    scores[..., 1] = 0.25
    table = aggregate.table_2(scores)
    # Sample standard deviation of 0.6 and 0.8.
    assert table["maF"] == pytest.approx((0.7, 0.2 / np.sqrt(2)))
    assert table["maP"] == pytest.approx((0.35, 0.1 / np.sqrt(2)))
    assert table["maR"] == pytest.approx((0.25, 0.0))


def test_a_single_fold_has_no_standard_deviation():
    mean, std = aggregate.over_folds(HAND_MADE[:1])
    assert mean == pytest.approx(0.6) and np.isnan(std)


def test_images_without_a_score_do_not_count():
    values = np.array([[1.0, np.nan], [2.0, 4.0]])
    assert aggregate.over_folds(values).mean == 2.0


def test_the_tail_is_of_all_folds_and_images():
    median, fifth, failed = aggregate.tail(scores_of(HAND_MADE))
    assert median == pytest.approx(0.65)
    assert fifth == pytest.approx(0.525)
    assert failed == 3 / 6  # 0.7 itself has not failed.


def test_an_interval_without_spread_is_a_point():
    found = statistics.bootstrap(np.full((5, 4), 0.3), list("abcd"))
    np.testing.assert_allclose(found, 0.3)


def test_one_group_leaves_the_folds_alone_to_vary(rng):
    scores = rng.random((5, 6))
    found = statistics.bootstrap(scores, ["one"] * 6)
    by_fold = scores.mean(axis=1)
    reference = stats.bootstrap(
        (by_fold,), np.mean, method="percentile", n_resamples=4000, rng=rng
    ).confidence_interval
    np.testing.assert_allclose(found[1:], reference, atol=0.01)
    assert found.mean == pytest.approx(scores.mean())


def test_groups_not_images_are_drawn(rng):
    """Copies of images bring no information, so the interval stays the same."""
    scores = rng.random((1, 8))
    groups = list(range(8))
    alone = statistics.bootstrap(scores, groups)
    copied = statistics.bootstrap(np.tile(scores, 10), groups * 10)
    naive = statistics.bootstrap(np.tile(scores, 10), list(range(80)))
    np.testing.assert_allclose(copied, alone)
    assert naive.high - naive.low < 0.6 * (alone.high - alone.low)


def test_intervals_hold_the_truth_about_as_often_as_they_say(rng):
    held = 0
    for _ in range(200):
        scores = rng.normal(0.5, 0.1, (1, 30))
        _, low, high = statistics.bootstrap(scores, range(30), draws=500)
        held += low <= 0.5 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_below_ten_groups_the_interval_is_a_t_interval():
    # Group means 0.2, 0.4, 0.6: their standard deviation is 0.2, and t(2 degrees) is 4.3027.
    scores = np.array([[0.2, 0.3, 0.5, 0.6]])
    mean, low, high = statistics.interval(scores, "abbc", bounds=(-9, 9))
    half = 4.3027 * 0.2 * np.sqrt((1 + 4 + 1) / 4**2)
    assert (mean, low, high) == pytest.approx((0.4, 0.4 - half, 0.4 + half), abs=1e-4)
    alike = statistics.interval(scores[:, 1:], "abc", bounds=(-9, 9))
    reference = stats.t.interval(0.95, 2, np.mean(scores[0, 1:]), stats.sem(scores[0, 1:]))
    np.testing.assert_allclose(alike[1:], reference)


def test_folds_widen_a_t_interval():
    group_effect, fold_effect = np.array([[-0.1, 0.0, 0.1]]), np.array([[-0.2], [0.2]])
    alone = statistics.interval(0.5 + group_effect + 0 * fold_effect, "abc", bounds=(-9, 9))
    found = statistics.interval(0.5 + group_effect + fold_effect, "abc", bounds=(-9, 9))
    # Variances of the mean: 0.01 / 3 of the groups (2 degrees), 0.08 / 2 of the folds (1).
    groups, folds = 0.01 / 3, 0.04
    degrees = (groups + folds) ** 2 / (groups**2 / 2 + folds**2 / 1)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(groups + folds)
    assert found.high - found.mean == pytest.approx(half)
    assert alone.high - alone.mean == pytest.approx(stats.t.ppf(0.975, 2) * np.sqrt(groups))


def test_folds_never_narrow_a_t_interval():
    """If the folds hardly differ, more degrees of freedom would make the interval narrower."""
    group_effect = np.array([[-0.1, 0.1]])
    one_fold = statistics.interval(0.5 + group_effect, "ab", bounds=(-9, 9))
    fold_effect = np.linspace(-0.15, 0.15, 5)[:, np.newaxis]
    five_folds = statistics.interval(0.5 + group_effect + fold_effect, "ab", bounds=(-9, 9))
    np.testing.assert_allclose(one_fold, five_folds)


def test_an_interval_ends_where_scores_do():
    assert statistics.interval(np.array([[0.5, 0.9]]), "ab") == pytest.approx((0.7, 0.0, 1.0))
    better = statistics.paired(np.array([[0.5, 0.9]]), np.array([[0.4, 0.2]]), "ab")
    assert better.difference == pytest.approx((0.4, -1.0, 1.0))


def test_one_group_has_no_interval(rng):
    for scores in (rng.random((1, 6)), rng.random((5, 6))):
        mean, low, high = statistics.interval(scores, ["one"] * 6)
        assert mean == scores.mean() and np.isnan([low, high]).all()


def test_from_ten_groups_on_the_interval_is_the_bootstrap(rng):
    scores = rng.random((2, 10))
    assert statistics.interval(scores, range(10)) == statistics.bootstrap(scores, range(10))
    assert statistics.interval(scores[:, :9], range(9)) != statistics.bootstrap(
        scores[:, :9], range(9)
    )


@pytest.mark.parametrize(
    ("counts", "name"),
    [
        ([3], "95 % t interval over groups"),
        ([30, 12], "95 % bootstrap interval over groups"),
        ([1], "no interval, because there is one group"),
        ([1, 3], "95 % t interval over groups; none for one group"),
        (
            [10, 9],
            "95 % bootstrap interval over groups from 10 groups on, t interval over groups below",
        ),
    ],
)
def test_a_caption_names_the_interval(counts, name):
    assert statistics.interval_name(counts) == name


def test_a_model_that_is_better_on_every_group():
    worse = np.array([[0.5, 0.6, 0.7, 0.4, 0.3, 0.8]])
    gain = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    found = statistics.paired(worse + gain, worse, range(6))
    assert found.effect == 1.0 and found.groups == 6
    assert found.p == pytest.approx(2 / 2**6)  # Exact: one sign pattern of 64.
    assert found.difference.mean == pytest.approx(0.035)
    back = statistics.paired(worse, worse + gain, range(6))
    assert back.effect == -1.0 and back.p == pytest.approx(found.p)


def test_equal_models_do_not_differ():
    found = statistics.paired(HAND_MADE, HAND_MADE[::-1], "abc")
    assert found == ((0.0, 0.0, 0.0), 3, 1.0, 0.0)


def test_images_of_a_group_are_one_pair():
    first = np.array([[0.9, 0.8, 0.1, 0.2]])
    second = np.array([[0.5, 0.5, 0.5, 0.5]])
    found = statistics.paired(first, second, ["a", "a", "b", "b"])
    assert found.groups == 2
    assert found.effect == 0.0  # +0.35 and -0.35.


def test_the_effect_counts_ranks():
    # Differences 1, -2, 3: ranks 1 + 3 against 2 of 6.
    found = statistics.paired(np.array([[1.0, 0.0, 3.0]]), np.array([[0.0, 2.0, 0.0]]), "abc")
    assert found.effect == pytest.approx(2 / 6)


def test_effect_and_p_value_treat_equal_groups_alike():
    # Differences 0, 0, 1, 2, -3 have the ranks 1.5, 1.5, 3, 4, 5: 3 + 4 - 5 of a sum of 15.
    # If zeros had no rank, neither model would be better: 1 + 2 - 3 = 0.
    first = np.array([[1.0, 1.0, 1.0, 2.0, 0.0]])
    second = np.array([[1.0, 1.0, 0.0, 0.0, 3.0]])
    found = statistics.paired(first, second, "abcde")
    assert found.effect == pytest.approx(2 / 15)
    # Half of the 8 ways to give the ranks 3, 4 and 5 signs have a positive sum of 7 or more.
    assert found.p == 1.0


def test_equal_groups_speak_for_neither_model():
    first = np.array([[0.5] * 9 + [0.6]])
    found = statistics.paired(first, np.full((1, 10), 0.5), range(10))
    assert found.effect == pytest.approx(10 / 55)
    assert found.p == 1.0  # Two signs of one rank.


def test_p_values_are_adjusted_for_their_number():
    # By hand: 0.01 * 4 / 1, 0.02 * 4 / 2, then the least from the right.
    found = statistics.adjusted([0.01, 0.04, 0.02, 0.5])
    np.testing.assert_allclose(found, [0.04, 0.16 / 3, 0.04, 0.5])


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 99))
def test_the_mean_lies_in_its_interval(folds, images, seed):
    rng = np.random.default_rng(seed)
    scores = rng.random((folds, images))
    groups = rng.integers(0, 3, images)
    mean, low, high = statistics.bootstrap(scores, groups, draws=300)
    assert low - 1e-12 <= high + 1e-12
    assert scores.min() - 1e-12 <= low and high <= scores.max() + 1e-12
    assert mean == pytest.approx(scores.mean())
