"""Simulations of how often the 95 % intervals cover the true mean."""

import numpy as np
import pytest

from spheroid_jax.evaluation import statistics

# Group means with their true mean. Skewed as F-scores are: many close to 1, a few far below.
SCORES = {
    "normal": (lambda rng, count: rng.normal(0.6, 0.1, count), 0.6),
    "skewed": (lambda rng, count: rng.beta(4, 1, count), 0.8),
}
DRAWS = 300


def experiment(rng, kind, group_count, *, equal_sizes, folds=1, fold_spread=0.0):
    """Draws scores (folds, images); returns the scores, the images' groups, and the true mean.

    All images of a group have the group's score. Each fold adds a number to every score;
    `fold_spread` is the standard deviation of these numbers.
    """
    draw, mean = SCORES[kind]
    sizes = np.full(group_count, 3) if equal_sizes else rng.integers(1, 13, group_count)
    groups = np.repeat(np.arange(group_count), sizes)
    scores = draw(rng, group_count)[groups] + rng.normal(0, fold_spread, (folds, 1))
    return scores, groups, mean


def coverage(kind, group_count, repeats, *, compute=statistics.interval, **options):
    """Returns the share of the intervals that contain the true mean."""
    rng = np.random.default_rng(group_count)
    held = 0
    for _ in range(repeats):
        scores, groups, mean = experiment(rng, kind, group_count, **options)
        _, low, high = compute(scores, groups, draws=DRAWS)
        held += low <= mean <= high
    return held / repeats


# Lower limits: 0.95 less what theory does not promise (the percentile bootstrap of ten groups is
# a little narrow; t intervals take scores for normal) less 3 standard errors of the simulation
# (0.7 % for 1000 repeats, 1.1 % for 400).
@pytest.mark.parametrize("equal_sizes", [True, False], ids=["equal sizes", "varying sizes"])
@pytest.mark.parametrize(
    ("group_count", "repeats", "normal", "skewed"),
    [
        (2, 1000, 0.93, 0.89),
        (3, 1000, 0.93, 0.88),
        (5, 1000, 0.93, 0.88),
        (8, 1000, 0.93, 0.89),
        (10, 400, 0.87, 0.84),
        (20, 400, 0.89, 0.88),
    ],
)
def test_intervals_cover_the_truth_about_as_often_as_they_say(
    group_count, repeats, normal, skewed, equal_sizes
):
    for kind, least in (("normal", normal), ("skewed", skewed)):
        found = coverage(kind, group_count, repeats, equal_sizes=equal_sizes)
        assert least <= found <= 0.985, kind


@pytest.mark.parametrize("group_count", [2, 3, 5])
@pytest.mark.parametrize("fold_spread", [0.03, 0.3])
def test_intervals_allow_for_folds_that_differ(group_count, fold_spread):
    found = coverage("normal", group_count, 600, equal_sizes=True, folds=5, fold_spread=fold_spread)
    # Above 0.95 where one of the two parts of the variance is taken for larger than it is.
    assert 0.92 <= found <= 0.995


@pytest.mark.parametrize(("group_count", "usual"), [(2, 0.5), (3, 0.74), (5, 0.85)])
def test_the_bootstrap_alone_would_be_too_narrow(group_count, usual):
    found = coverage("normal", group_count, 400, compute=statistics.bootstrap, equal_sizes=True)
    assert found == pytest.approx(usual, abs=0.08)
