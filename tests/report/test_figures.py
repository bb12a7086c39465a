"""Tests of the figures: their numbers by hand, their SVG as text."""

import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from helpers import disk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from spheroid_jax.report import curves, f_scores, figures, maps, svg, training

F_SCORES = hnp.arrays(
    float, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.floats(0, 1)
)


def texts(data):
    """The texts of an SVG file, which must be well-formed."""
    root = ElementTree.fromstring(data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text")]


def panels(data):
    return len(re.findall(rb'<g id="axes_\d+">', data))


def models(labels, rng):
    return {
        label: {
            "dataset1": rng.uniform(0.5, 1, (5, 12)),
            "data & <set> $2$": rng.uniform(0, 1, (5, 4)),
        }
        for label in labels
    }


def fold(*names, last=40):
    """A fold's curves at every tenth step."""
    steps = np.arange(10, last + 1, 10)
    return {name: (steps, 1 / steps) for name in names}


ADVER = (
    "cross_entropy",
    "validation/mean",
    "adversarial_loss",
    "adversary_accuracy",
    "lambda",
    "steps_per_second",
)
BASE = ADVER[:2]


def example(title, *, truth=None):
    image = np.linspace(0, 1, 60 * 60).reshape(60, 60)
    truth = disk(60, (30, 30), 12) if truth is None else truth
    return maps.Example(
        title, image, truth, {"Adver": 0.9 * truth, "Base": image}, {"Adver": 0.9375, "Base": 0.5}
    )


def drawn(rng):
    """One of each figure, drawn anew."""
    schedules = {"linear": {"dataset1": np.array([0.8, 0.9, np.nan])}}
    yield f_scores.intervals(models(["Adver", "Base"], rng))
    yield f_scores.tails(models(["Adver", "Base"], rng))
    yield f_scores.lambda_study(schedules)
    yield training.training_curves({"Adver": [fold(*ADVER)] * 2})
    yield maps.probability_maps([example("best"), example("worst")], ["Adver"])


# The numbers.


def test_percentages_by_hand():
    scores = [[0.0, 0.5, 0.75, 1.0], [0.25, 0.5, 0.5, 0.75], [0, 0, 0, 1]]
    interval = curves.percentage_above(scores, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(
        interval.folds, [[75, 75, 50, 25, 0], [100, 75, 25, 0, 0], [25, 25, 25, 25, 0]]
    )
    np.testing.assert_array_equal(interval.minimum, [25, 25, 25, 0, 0])
    np.testing.assert_array_equal(interval.median, [75, 75, 25, 25, 0])
    np.testing.assert_array_equal(interval.maximum, [100, 75, 50, 25, 0])


def test_thresholds_are_exact_hundredths():
    assert len(curves.THRESHOLDS) == 101
    assert curves.THRESHOLDS[[0, 7, 70, 100]].tolist() == [0, 0.07, 0.7, 1]


def test_perfect_images_are_above_every_threshold_but_one():
    median = curves.percentage_above(np.ones((3, 4))).median
    assert median.tolist() == [100] * 100 + [0]


@given(F_SCORES)
def test_median_lies_in_the_band_and_all_fall(scores):
    interval = curves.percentage_above(scores)
    assert (interval.minimum <= interval.median).all()
    assert (interval.median <= interval.maximum).all()
    for curve in (*interval.folds, *interval[1:]):
        assert ((curve >= 0) & (curve <= 100)).all()
        assert (np.diff(curve) <= 0).all()
        assert curve[-1] == 0


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1])
def test_what_is_no_f_score_is_refused(bad):
    with pytest.raises(ValueError, match=rf"^F-score {bad} is not in \[0, 1\]"):
        curves.percentage_above([[0.5, bad]])


@pytest.mark.parametrize("shape", [(0,), (4,), (5, 0), (1, 2, 3)])
def test_scores_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"not \(folds, images\)$"):
        curves.image_means(np.zeros(shape))


def test_image_means_are_over_the_folds():
    means = curves.image_means([[0, 0.5], [1, 0.5]])
    assert means.tolist() == [0.5, 0.5]


def test_median_curve_is_of_the_folds_that_go_on():
    steps, values = curves.median_curve(
        [
            (np.array([10, 20, 30]), np.array([1.0, 4.0, 7.0])),
            (np.array([10, 20]), np.array([2.0, 6.0])),
            (np.array([10]), np.array([9.0])),
        ]
    )
    assert steps.tolist() == [10, 20]
    assert values.tolist() == [2, 5]


# What training recorded.


def test_records_become_a_curve_per_metric():
    records = [
        {"step": 50, "cross_entropy": 0.5, "lambda": 0.001},
        {"step": 50, "validation/mean": 0.75},
        {"step": 100, "cross_entropy": 0.25, "lambda": 0.002},
    ]
    read = curves.by_metric(records)
    assert {name: [list(a) for a in pair] for name, pair in read.items()} == {
        "cross_entropy": [[50, 100], [0.5, 0.25]],
        "lambda": [[50, 100], [0.001, 0.002]],
        "validation/mean": [[50], [0.75]],
    }


# The figures.


def test_the_same_figures_are_the_same_bytes():
    first = list(drawn(np.random.default_rng(0)))
    # A user's own settings change nothing, and stay.
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        assert first == list(drawn(np.random.default_rng(0)))
        assert matplotlib.rcParams["font.size"] == 30
    assert all(texts(data) for data in first)
    assert not any(b"<dc:date>" in data for data in first)


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_intervals_have_a_panel_a_model(rng, count):
    labels = [f"Model {n}" for n in range(count)]
    data = f_scores.intervals(models(labels, rng))
    assert panels(data) == count
    shown = texts(data)
    assert set(labels) <= set(shown)
    assert "data & <set> $2$: median, range of folds" in shown
    assert {"F-score (%)", "images with a higher F-score (%)", "100"} <= set(shown)


def test_tails_say_how_many_images_fail(rng):
    scores = models(["Adver"], rng)
    scores["Adver"]["dataset1"] = np.array([[0.6, 0.9, 1, 1], [0.7, 0.9, 1, 1]])
    scores["Base"] = {"dataset1": np.array([[0.7, 0.0, 1.0]])}
    data = f_scores.tails(scores)
    assert panels(data) == 2
    shown = texts(data)
    assert {"Adver", "Base", "dataset1", "25.0 %", "33.3 %", "below 70 %"} <= set(shown)


def test_lambda_study_crosses_out_each_diverged_fold():
    def crosses(*values):
        schedules = {"linear": {"dataset1": np.array(values)}}
        data = f_scores.lambda_study(schedules)
        assert panels(data) == 2
        assert {"linear", "dataset1", "diverged"} <= set(texts(data))
        return data.count(b"<use ")

    healthy = crosses(0.8, 0.8, 0.8)
    assert crosses(0.8, 0.8, np.nan) == healthy
    assert crosses(0.8, 0.8, 0.8, np.nan) == healthy + 1
    crosses(np.nan, np.nan)


def test_lambda_study_shows_schedules_of_other_datasets():
    schedules = {"linear": {"a": np.array([0.8])}, "none": {"b": [0.7]}}
    assert {"a", "b"} <= set(texts(f_scores.lambda_study(schedules)))


@pytest.mark.parametrize("count", [0, 7])
def test_datasets_that_cannot_be_told_apart_are_refused(count):
    datasets = {f"dataset{n}": np.ones((1, 1)) for n in range(count)}
    with pytest.raises(ValueError, match=f"1 to 6 datasets, not {count}"):
        f_scores.intervals({"Adver": datasets})


def test_runs_without_adversary_have_no_panels_of_one():
    runs = {"Base": [fold(*BASE)] * 2, "Adver": [fold(*ADVER)] * 2}
    data = training.training_curves(runs)
    assert panels(data) == 2 + 5
    shown = texts(data)
    assert {"Base", "Adver", "λ", "adversary cannot tell"} <= set(shown)
    assert "fold that ended early" not in shown
    data = training.training_curves({"Base": runs["Base"]})
    assert panels(data) == 2
    assert "adversary cannot tell" not in texts(data)


def test_a_fold_that_ended_early_is_marked():
    folds = [fold("cross_entropy"), fold("cross_entropy", last=20)]
    data = training.training_curves({"Adver": folds})
    assert "fold that ended early" in texts(data)


def label_places(data):
    """The heights of the labels at the first panel's vertical axis, in points, from the top."""
    root = ElementTree.fromstring(data)
    (axis,) = (g for g in root.iter() if g.get("id") == "matplotlib.axis_2")
    labels = (node for node in axis.iter() if node.tag.endswith("}text") and node.get("y"))
    return sorted(float(node.get("y")) for node in labels if node.text != "Adver")


@pytest.mark.parametrize("decades", [0.05, 0.3, 0.69, 0.7, 1, 1.5, 2.2, 3, 4, 7, 12])
def test_labels_of_a_logarithmic_axis_do_not_overlap(decades):
    steps = np.arange(10, 50, 10)
    curve = {"cross_entropy": (steps, 3 * 10 ** -np.linspace(0, decades, 4))}
    places = label_places(training.training_curves({"Adver": [curve], "Base": [curve]}))
    assert len(places) >= 2
    assert np.diff(places).min() > 8  # The labels' size.


def test_runs_without_curves_are_refused():
    with pytest.raises(ValueError, match="^no training curves of Base$"):
        training.training_curves({"Adver": [fold(*ADVER)], "Base": [{}]})
    with pytest.raises(ValueError, match="^no training curves of any$"):
        training.training_curves({})


def test_maps_have_a_row_a_model_and_the_scores():
    examples = [example("best"), example("worst")]
    data = maps.probability_maps(examples, ["Base", "Adver"])
    assert panels(data) == 2 * 3
    assert data.count(b"<image ") == 6
    shown = texts(data)
    assert {"best", "worst", "image", "Adver", "Base"} <= set(shown)
    assert shown.count("F 93.8 %") == shown.count("F 50.0 %") == 2


def test_maps_of_an_image_without_an_outline_can_be_drawn():
    for truth in (np.zeros((60, 60), bool), np.ones((60, 60), bool)):
        data = maps.probability_maps([example("x", truth=truth)], [])
        assert svg.TRUTH.encode() not in data
    assert svg.TRUTH.encode() in maps.probability_maps([example("x")], [])


def test_maps_of_noise_stay_near_600_kb(rng):
    noise = rng.uniform(0.4, 0.6, (240, 240))
    maps_of_noise = {model: noise for model in "abc"}
    scores = dict.fromkeys("abc", 0.5)
    busy = maps.Example("x", noise, noise > 2, maps_of_noise, scores)
    assert len(maps.probability_maps([busy] * 3, list("abc"))) < 700_000


# The tiles of contact sheets.


def test_a_tile_parts_bodies_that_touch():
    labels = np.zeros((100, 200), int)
    labels[20:80, 40:100], labels[20:80, 100:160] = 7, 3
    tile = figures.tile("a", "note", np.zeros(labels.shape), labels, labels > 0)
    assert tile.truth.shape == (120, 240)  # A longer side of 240 px.
    assert ndimage.label(tile.truth)[1] == 2
    # A mask of the same pixels differs only by the line.
    assert set(np.nonzero(tile.prediction & ~tile.truth)[1]) == {119}
    assert not (tile.truth & ~tile.prediction).any()


def test_a_seam_goes_both_ways_and_the_background_has_none():
    labels = np.array([[1, 1, 0], [2, 2, 2], [0, 3, 2]])
    expected = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0]], bool)
    np.testing.assert_array_equal(figures._seams(labels), expected)
    assert not figures._seams(labels > 0).any()
