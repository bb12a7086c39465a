"""Tests of growth-rate inhibition and of normalised drug response."""

import math

import numpy as np
import pytest
from scipy import stats

from spheroid_jax.plates import gr, gr_curve

# Line MCF10A, drugA, 48 h, replicate 1 of the toy data of Hafner et al. 2016, and the metrics that
# their R package GRmetrics published for it (datarail/gr_metrics, R_input1_GRmetrics.tsv).
DOSES = np.array([0.001, 0.003162, 0.01, 0.03162, 0.1, 0.3162, 1, 3.162, 10])
COUNTS = np.array([1131, 1205, 1021, 743, 459, 318, 284, 274, 249.0])
CONTROL, START = 1212.5, 299.5
PUBLISHED = {
    "gr50": 0.0401590540510592,
    "grmax": -0.087471872664457,
    "gr_aoc": 0.622696637673626,
    "gec50": 0.0446507657124445,
    "grinf": -0.0656685389606291,
    "h_gr": 1.16389429109656,
}
# The example of the authors' Python package, `gr50.gr_metrics`.
FIVE = np.array([0.001, 0.01, 0.1, 1.0, 10.0])
ACTIVE = np.array([0.965, 0.953, 0.533, 0.0976, 0.0188])
INACTIVE = np.array([0.985, 0.916, 0.978, 1.04, 0.936])


def published_values():
    return gr.values(COUNTS, START, math.log2(CONTROL / START))


def test_a_gr_value_is_that_of_the_authors_example():
    # `compute_gr_single` of gr50: 1710 cells, control 1766, 492.8 at time 0.
    found = gr.values(np.array([1710.0]), 492.8, math.log2(1766 / 492.8))
    assert found[0] == pytest.approx(0.965305500206, abs=1e-12)


def test_gr_values_by_hand():
    # The control doubles twice: once gives 2^(1/2) - 1, halving twice 2^(-2 / 2) - 1.
    found = gr.values(np.array([4.0, 2.0, 1.0, 0.25, 0.0, np.nan]), 1.0, 2.0)
    np.testing.assert_allclose(found, [1, 2**0.5 - 1, 0, -0.5, -1, np.nan])


def test_gr_values_do_not_depend_on_the_length_of_the_experiment():
    share = np.array([0.8, 0.3, -0.2])
    short, long = (gr.values(np.exp2(t * share), 1.0, t) for t in (1.0, 3.0))
    np.testing.assert_allclose(short, long)


def test_a_control_that_does_not_grow_gives_no_gr_values():
    control = gr.control_growth(np.array([0.9, 1.0, 1.05]), 1.0)
    assert control.note == "control does not grow"
    assert np.isnan(gr.values(np.array([0.5, 1.0]), 1.0, control.doublings)).all()
    found = gr.fit(np.array([1.0, 2.0]), np.array([np.nan, np.nan]))
    assert (found.note, found.n_dropped) == ("no GR values", 2)


def test_growth_of_the_control_has_the_error_of_its_mean():
    control = gr.control_growth(np.array([2.0, 4.0, 8.0, np.nan]), np.array([1.0, 1.0, 1.0, 1.0]))
    # Doublings 1, 2, 3: mean 2, standard deviation 1.
    assert control.doublings == pytest.approx(2)
    assert control.relative_error == pytest.approx(1 / math.sqrt(3) / 2)


def test_metrics_are_those_published_for_the_toy_data():
    found = gr.fit(DOSES, published_values())
    for name, value in PUBLISHED.items():
        assert getattr(found, name).value == pytest.approx(value, rel=5e-5), name
    assert found.r2 == pytest.approx(0.996524149183775, abs=1e-9)
    assert found.effect and found.note == ""


def test_metrics_are_those_of_the_authors_python_example():
    found = gr.fit(FIVE, ACTIVE)
    expected = (0.114025, 0.0188, 0.481125, 0.110411, 0.018109, 1.145262)
    names = ("gr50", "grmax", "gr_aoc", "gec50", "grinf", "h_gr")
    for name, value in zip(names, expected, strict=True):
        assert getattr(found, name).value == pytest.approx(value, rel=5e-5), name


def test_a_flat_response_is_that_of_the_authors_python_example():
    found = gr.fit(FIVE, INACTIVE)
    assert found.gr50.value == math.inf and not found.effect
    assert found.grmax.value == pytest.approx(0.936)
    assert found.gr_aoc.value == pytest.approx(0.026375)
    assert found.grinf.value == pytest.approx(0.971)
    assert math.isnan(found.gec50.value) and found.note == "no effect within the doses"


def test_the_f_test_has_two_and_n_minus_three_degrees_of_freedom():
    values = published_values()
    found = gr.fit(DOSES, values)
    flat = np.sum((values - values.mean()) ** 2)
    squares = (1 - found.r2) * flat
    expected = stats.f.sf((flat - squares) / 2 / (squares / 6), 2, 6)
    assert found.p == pytest.approx(expected, rel=1e-6)


def test_a_flat_response_below_one_half_is_below_all_doses():
    found = gr.fit(FIVE, np.array([0.31, 0.29, 0.3, 0.32, 0.28]))
    assert found.gr50.value == -math.inf


def test_a_gr50_that_is_not_reached_is_at_least_something():
    doses = np.repeat(FIVE, 3)
    curve = 0.7 + 0.3 / (1 + doses / 0.05)
    found = gr.fit(doses, curve + np.tile([-0.02, 0, 0.02], 5))
    assert found.gr50.value == found.gr50.high == math.inf
    assert 0.05 < found.gr50.low <= 10
    assert found.note == "GR50 is not reached"


def test_the_unit_of_doses_and_the_order_of_wells_do_not_matter():
    values, order = published_values(), np.array([3, 1, 8, 0, 2, 7, 4, 6, 5])
    first = gr.fit(DOSES, values)
    second = gr.fit(1000 * DOSES[order], values[order])
    np.testing.assert_allclose(second.gr50, 1000 * np.array(first.gr50), rtol=1e-3)
    np.testing.assert_allclose(second.grinf, first.grinf, rtol=1e-2)
    np.testing.assert_allclose(second.gr_aoc.value, first.gr_aoc.value)


def test_the_interval_of_gr50_holds_what_the_f_quantile_allows():
    """At the interval's ends the least sum of squares is S (1 + F / (n - 3)), by a grid search."""
    values = published_values()
    found = gr.fit(DOSES, values)
    squares = (1 - found.r2) * np.sum((values - values.mean()) ** 2)
    grinf, slope = np.meshgrid(np.linspace(-0.3, 0.2, 401), np.linspace(0.6, 3, 401))
    for end in (found.gr50.low, found.gr50.high):
        # (GR50 / GEC50)^h = 0.5 / (0.5 - GRinf)
        gec50 = end / (0.5 / (0.5 - grinf)) ** (1 / slope)
        ratio = (DOSES[:, None, None] / gec50) ** slope
        fitted = grinf + (1 - grinf) / (1 + ratio)
        least = np.min(np.sum((fitted - values[:, None, None]) ** 2, axis=0))
        assert least == pytest.approx(squares * (1 + stats.f.ppf(0.95, 1, 6) / 6), rel=5e-3)


def test_an_error_of_the_control_widens_the_intervals():
    curve = gr_curve.solve(np.log10(DOSES), published_values(), 0.0)
    alone, shared = (gr_curve.gr50(curve._replace(control_error=error)) for error in (0.0, 0.1))
    assert shared.value == alone.value
    assert shared.high - shared.low > 1.3 * (alone.high - alone.low)


def test_intervals_of_grmax_and_area_by_hand():
    doses = np.repeat([1.0, 10.0], 2)
    found = gr.fit(doses, np.array([0.9, 1.1, 0.2, 0.4]))
    # Within doses each of two groups has the sum of squares 0.02, so s^2 = 0.04 / 2 = 0.02.
    half = stats.t.ppf(0.975, 2) * math.sqrt(0.02 / 2)
    np.testing.assert_allclose(found.grmax, [0.3, 0.3 - half, 0.3 + half])
    # Area over the curve: 1 - (1.0 + 0.3) / 2 = 0.35, with variance s^2 (1/4 + 1/4) / 2.
    half = stats.t.ppf(0.975, 2) * math.sqrt(0.02 / 4)
    np.testing.assert_allclose(found.gr_aoc, [0.35, 0.35 - half, 0.35 + half])
    assert found.note == "too few doses (4 needed)"


def test_ndr_is_one_at_the_negative_control_zero_without_growth_and_minus_one_at_death():
    found, note = gr.ndr(np.array([4.0, 1.0, 0.25, 0.0, np.nan]), 4.0, 0.25)
    np.testing.assert_allclose(found, [1, 0, -1, -1, np.nan], atol=1e-12)
    assert note == ""


def test_ndr_by_hand():
    # Fold 2, negative 4, positive 1/2: (1 - 2^-1) / (1 - 2^-2) = 2 / 3.
    found, _ = gr.ndr(np.array([2.0]), 4.0, 0.5)
    assert found[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("negative", "positive", "note"),
    [
        (1.0, 0.5, "control does not grow"),
        (4.0, 1.0, "positive control does not kill"),
        (4.0, 2.0, "positive control does not kill"),
        (4.0, math.nan, "positive control does not kill"),
    ],
)
def test_ndr_needs_a_growing_and_a_killing_control(negative, positive, note):
    found, said = gr.ndr(np.array([2.0, 1.0]), negative, positive)
    assert np.isnan(found).all() and said == note


def test_rows_have_the_columns_of_gr_calculator():
    rows = gr.gr_calculator_rows(
        "MCF10A", "drugA", np.array([0.0, 0.1, 1.0]), np.array([9.0, 8.0, np.nan]), 3.0, 10.0
    )
    assert [row._asdict() for row in rows] == [
        {
            "cell_line": "MCF10A",
            "treatment": "drugA",
            "concentration": 0.1,
            "cell_count": 8.0,
            "cell_count__ctrl": 10.0,
            "cell_count__time0": 3.0,
        }
    ]


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="sizes at the start must be positive"):
        gr.values(np.array([1.0]), 0.0, 1.0)
    with pytest.raises(ValueError, match="sizes at the end must be positive"):
        gr.values(np.array([-1.0]), 1.0, 1.0)
