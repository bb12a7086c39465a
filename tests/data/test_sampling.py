"""Tests of the random draws: a pure function of (seed, fold, n), uniform and independent.

The statistical tests have fixed seeds, so each of them always gives the same result.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spheroid_jax.data import sampling

POOLS = [np.arange(10), np.arange(20, 27)]
SHARES = [70, 30]
MANY = 40_000


def _draw(pools=POOLS, shares=SHARES, *, seed=0, fold=0, start=0, stop=60):
    return sampling.draw(pools, shares, seed=seed, fold=fold, start=start, stop=stop)


def _equal(one, other):
    return all(map(np.array_equal, one, other))


def _turn_number(draws):
    """Returns a number from 0 to 15 for each combination of two flips and a rotation."""
    return (8 * draws.flip_vertical + 4 * draws.flip_horizontal) + draws.quarter_turns


def _fair(counts):
    """Returns whether the counts fit equal probabilities (chi-squared test, p above 1e-3)."""
    return stats.chisquare(counts).pvalue > 1e-3


def test_types_and_lengths_are_as_said():
    draws = _draw(stop=9)
    assert [(len(column), column.dtype) for column in draws] == [
        (9, np.int64),
        (9, np.bool_),
        (9, np.bool_),
        (9, np.int32),
    ]


@settings(deadline=None)
@given(stop=st.integers(0, 50), start=st.integers(0, 50), seed=st.integers(0, 9))
def test_any_start_gives_the_tail_of_the_whole(stop, start, seed):
    start = min(start, stop)
    whole = _draw(seed=seed, fold=3, stop=stop)
    tail = _draw(seed=seed, fold=3, start=start, stop=stop)
    assert _equal(tail, [column[start:] for column in whole])


def test_draws_do_not_depend_on_global_generators_or_earlier_draws():
    first = _draw()
    np.random.seed(3)
    _draw(seed=1)
    assert _equal(first, _draw())


def test_draws_are_the_same_on_every_machine():
    # A change of these numbers changes every training: raise the version and say so.
    draws = _draw([[3, 1, 4], [15, 9, 2, 6]], seed=7, fold=2, stop=8)
    assert draws.index.tolist() == [1, 1, 4, 1, 2, 4, 2, 9]
    assert draws.flip_vertical.astype(int).tolist() == [0, 0, 1, 0, 1, 0, 0, 0]
    assert draws.flip_horizontal.astype(int).tolist() == [*(1, 1, 0, 0, 1, 1, 1, 0)]
    assert draws.quarter_turns.tolist() == [3, 2, 1, 1, 0, 2, 0, 0]


def _philox(counter, key):
    """Computes Philox4x64-10 in plain Python (Salmon et al., SC 2011)."""
    a, b, c, d = counter
    low, high = key
    for _ in range(10):
        first, second = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
        a, b = second >> 64 ^ b ^ low, second % 2**64
        c, d = first >> 64 ^ d ^ high, first % 2**64
        low = (low + 0x9E3779B97F4A7C15) % 2**64
        high = (high + 0xBB67AE8584CAA73B) % 2**64
    return a, b, c, d


@pytest.mark.parametrize("start", [0, 5, 2**33])
def test_draws_are_those_of_a_second_implementation(start):
    draws = _draw(seed=11, fold=4, start=start, stop=start + 20)
    for n, (index, vertical, horizontal, turns) in enumerate(zip(*draws, strict=True)):
        # NumPy increments the counter before it draws: sample n has counter n + 1.
        words = _philox((start + n + 1, 0, 0, 0), (11, 4))
        share, place = (word / 2**64 for word in words[:2])
        pool = POOLS[0] if share < 0.7 else POOLS[1]
        assert index == pool[int(place * len(pool))]
        assert vertical == words[2] % 2
        assert horizontal == words[2] // 2 % 2
        assert turns == words[2] // 4 % 4


def test_a_far_start_is_a_plain_number():
    assert _equal(
        _draw(start=2**40, stop=2**40 + 5),
        [column[3:] for column in _draw(start=2**40 - 3, stop=2**40 + 5)],
    )


def test_seeds_and_folds_give_draws_of_their_own():
    streams = {
        _draw(seed=seed, fold=fold).index.tobytes()
        for seed, fold in itertools.product([0, 1, 2, 2**63], range(5))
    }
    assert len(streams) == 20


def test_seeds_and_folds_are_unrelated_to_each_other():
    # Neighbouring seeds share no more transformations than by chance: 1 in 16.
    one = _turn_number(_draw(seed=0, fold=1, stop=MANY))
    for seed, fold in ((1, 0), (0, 2), (1, 1)):
        other = _turn_number(_draw(seed=seed, fold=fold, stop=MANY))
        chance = stats.binomtest(int((one == other).sum()), MANY, 1 / 16)
        assert chance.pvalue > 1e-3


@pytest.mark.parametrize("shares", [(70, 30), (0.7, 0.3), (7e9, 3e9)])
def test_datasets_are_drawn_seventy_to_thirty(shares):
    index = _draw(shares=shares, stop=MANY).index
    easy = int(np.isin(index, POOLS[0]).sum())
    # Three standard deviations of a binomial: 0.7 % of the draws.
    assert abs(easy - 0.7 * MANY) < 3 * np.sqrt(0.7 * 0.3 * MANY)
    assert np.array_equal(index, _draw(stop=MANY).index)


def test_images_of_a_dataset_are_drawn_uniformly():
    index = _draw(stop=MANY).index
    for pool in POOLS:
        assert _fair([np.count_nonzero(index == image) for image in pool])


def test_flips_and_turns_are_uniform_and_independent_of_each_other():
    draws = _draw(stop=MANY)
    assert _fair(np.bincount(_turn_number(draws), minlength=16))


def test_flips_and_turns_are_independent_of_image_and_dataset():
    draws = _draw(stop=MANY)
    table = np.zeros((27, 16))
    np.add.at(table, (draws.index, _turn_number(draws)), 1)
    table = table[np.r_[POOLS[0], POOLS[1]]]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def test_a_draw_is_independent_of_the_one_before():
    turns = _turn_number(_draw(stop=MANY))
    table = np.zeros((16, 16))
    np.add.at(table, (turns[:-1], turns[1:]), 1)
    assert stats.chi2_contingency(table).pvalue > 1e-3


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    seed=st.integers(0, 2**64 - 1),
    data=st.data(),
)
def test_any_number_of_datasets_and_only_their_images(sizes, seed, data):
    shares = data.draw(st.lists(st.floats(1e-3, 1e3), min_size=len(sizes), max_size=len(sizes)))
    pools = [100 * (n + 1) + np.arange(size) for n, size in enumerate(sizes)]
    index = _draw(pools, shares, seed=seed).index
    assert np.isin(index, np.concatenate(pools)).all()


@pytest.mark.parametrize("only", range(3))
def test_a_share_belongs_to_the_dataset_in_its_place(only):
    shares = [1e-12] * 3
    shares[only] = 1.0
    pools = [[5], list(range(10, 40)), [70, 80]]
    drawn = set(_draw(pools, shares, stop=2000).index.tolist())
    assert drawn == set(pools[only])


@pytest.mark.parametrize("value", [0.0, 1 - 2.0**-53])
@pytest.mark.parametrize("datasets", [1, 2, 8, 13])
def test_the_ends_of_the_unit_interval_are_images_too(monkeypatch, value, datasets):
    # By rounding, the sum of 8 shares of 0.1 differs from the last cumulative sum.
    monkeypatch.setattr(sampling, "_uniform", lambda words: np.full(words.shape, value))
    pools = [[100 * n + 1, 100 * n + 2] for n in range(datasets)]
    shares = [0.1] * datasets
    expected = pools[0][0] if value == 0 else pools[-1][-1]
    assert set(_draw(pools, shares).index.tolist()) == {expected}


def test_words_map_to_the_unit_interval_without_its_end():
    words = np.array([0, 1 << 63, 2**64 - 1], np.uint64)
    assert sampling._uniform(words).tolist() == [0.0, 0.5, 1 - 2.0**-53]
