"""Tests of nominal times: which images are of one round."""

import pytest

from spheroid_jax.plates import nominal


def test_minutes_between_plates_are_one_round_with_the_time_of_most_wells():
    found = nominal.times({"a": [0, 48.0], "b": [0, 48.2], "c": [0.1, 48.2]})
    assert found == {0: 0, 0.1: 0, 48.0: 48.2, 48.2: 48.2}


def test_a_round_lasts_no_longer_than_the_tolerance():
    found = nominal.times({"a": [10.0], "b": [10.4], "c": [10.6]})
    assert found == {10.0: 10.0, 10.4: 10.0, 10.6: 10.6}


def test_a_film_keeps_all_its_times_beside_another_film_that_began_later():
    one = [n / 6 for n in range(12)]
    found = nominal.times({"a": one, "b": [time + 0.05 for time in one]})
    assert sorted(set(found.values())) == one
    assert all(found[time + 0.05] == time for time in one)


@pytest.mark.parametrize(("meant", "time"), [(48, 48.2), (48.7, 48.2), (47.6, None), (60, None)])
def test_an_option_means_the_nearest_time_within_the_tolerance(meant, time):
    assert nominal.nearest(meant, [0.0, 48.2]) == time
