"""Intervals and tests of a comparison, and the numbers of its tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.compare import aggregate
from spheroid_jax.evaluation.metrics import Agreement


def scores_of(f_scores):
    """(folds, images, fields) of which only F is set."""
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
    """Copies of images tell nothing new, so the interval stays."""
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
