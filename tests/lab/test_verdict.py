"""Tests of verdicts: each check by hand, and the packaged rules on drawn images."""

import dataclasses
import json
import math

import numpy as np
import pytest
from helpers import disk, marking, thresholding
from scipy import ndimage

import spheroid_jax as sj
from spheroid_jax.inference import evidence, model_file, predict, presence, pretrained
from spheroid_jax.inference.evidence import Evidence
from spheroid_jax.lab import rules, verdict
from spheroid_jax.synthetic import failures, spheroids

GOOD = Evidence(
    share=0.1,
    doubt=0.01,
    unsure=0.05,
    darkness=0.5,
    edge_contrast=0.5,
    grain=3.0,
    plain=0.002,
    hollow=0.0,
    noise=0.01,
    signal_to_noise=50,
    blur=1.8,
    solidity=0.97,
    border=0.0,
    neck=1.0,
    specks=0.0,
    crowd=1,
    dome=0.1,
    fragments=0,
    bodies=1,
)


@pytest.fixture(scope="module")
def packaged():
    return rules.load(pretrained.EARLIER)[0]


def test_an_ordinary_body_is_ok(packaged):
    found = verdict.judge(GOOD, packaged)
    assert found.verdict == "ok"
    assert found.findings == ()
    assert found.presence > 2
    assert found.measured


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bodies": 2}, "several"),
        ({"neck": 0.5}, "several"),
        ({"crowd": 9}, "several"),
        ({"border": 0.2}, "border"),
        ({"blur": 4.0}, "out of focus"),
        ({"signal_to_noise": 5.0}, "low contrast"),
        ({"specks": 0.05}, "debris"),
        ({"solidity": 0.6, "doubt": 0.06}, "disintegrated"),
    ],
)
def test_each_check_has_its_verdict(packaged, changes, expected):
    found = verdict.judge(dataclasses.replace(GOOD, **changes), packaged)
    assert expected in found.findings
    assert found.verdict == found.findings[0]


def test_without_a_mask_the_verdict_is_empty(packaged):
    found = verdict.judge(Evidence(share=0.0), packaged)
    assert found == ("empty", ("empty",), -math.inf, False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"crowd": 9}, "several"), ({"dome": 0.3}, "not like the training images"), ({}, "empty")],
)
def test_what_the_network_does_not_see_is_not_measured(packaged, changes, expected):
    found = verdict.judge(Evidence(share=0.0, **changes), packaged)
    assert (found.verdict, found.measured) == (expected, False)


@pytest.mark.parametrize(
    ("odds", "expected", "measured"),
    [
        (1.3, "ok", True),
        (1.1, "not like the training images", True),
        (0.0, "not like the training images", True),
        (-0.1, "not like the training images", False),
        (-1.3, "empty", False),
    ],
)
def test_near_the_threshold_of_presence_an_image_is_in_doubt(trusting, odds, expected, measured):
    thresholds = trusting.thresholds | {"presence": 0.0, "presence_margin": 1.2}
    given = trusting._replace(intercept=odds, thresholds=thresholds)
    found = verdict.judge(GOOD, given)
    assert (found.verdict, found.measured, found.presence) == (expected, measured, odds)


def test_scores_far_from_all_calibration_images_are_unfamiliar(packaged):
    odd = dataclasses.replace(GOOD, hollow=0.9, unsure=0.0, plain=0.4)
    assert verdict.is_unfamiliar(odd, packaged)
    assert not verdict.is_unfamiliar(GOOD, packaged)


def test_presence_is_a_weighted_sum_of_standardised_scores():
    plain = rules.Rules(
        intercept=0.5,
        weights=dict.fromkeys(presence.SCORES, 0.0) | {"darkness": 2.0},
        mean=dict.fromkeys(presence.SCORES, 0.0) | {"darkness": 0.1},
        sd=dict.fromkeys(presence.SCORES, 1.0) | {"darkness": 0.05},
        precision=np.eye(8).tolist(),
        centre=[0.0] * 8,
        thresholds={"presence": 0.0},
        error_bars={},
    )
    score = dataclasses.replace(GOOD, darkness=0.2)
    assert verdict.presence(score, plain) == pytest.approx(0.5 + 2 * (0.2 - 0.1) / 0.05)
    # A score far off counts as four standard deviations.
    assert verdict.presence(dataclasses.replace(GOOD, darkness=9.0), plain) == pytest.approx(8.5)


def _judged(params, packaged, image):
    prepared = predict.prepare(params, image)
    maps = np.asarray(predict.grid_maps(params, prepared.grid[np.newaxis]))[0]
    scores, _ = evidence.of_image(params, image, prepared, maps)
    return verdict.judge(scores, packaged)


@pytest.mark.parametrize("name", pretrained.names())
def test_drawn_empty_wells_are_empty_and_bodies_are_not(name):
    """Other seeds than the calibration's; benchmarks/verdicts.py counts many more."""
    params, packaged = sj.load(name), rules.load(name)[0]
    empty = [
        _judged(params, packaged, failures.make_empty(kind, n, seed=909))
        for kind in failures.EMPTY
        for n in range(3)
    ]
    assert sum(found.measured for found in empty) <= 1
    # The others are "several", as debris can be as large as small bodies, or in doubt.
    assert sum(found.verdict == "empty" for found in empty) >= 22
    for flavour in spheroids.FLAVOURS:
        for n in range(6):
            image, _ = spheroids.make_image(flavour, n, seed=909, size=240)
            assert _judged(params, packaged, image).measured


@pytest.mark.parametrize(
    ("made", "of"), [(marking, pretrained.DEFAULT), (thresholding, pretrained.EARLIER)]
)
def test_a_model_without_rules_is_judged_by_the_packaged_one_of_its_kind(tmp_path, made, of):
    model_file.save(made(), tmp_path / "model", provenance={})
    found, name = rules.load(tmp_path / "model")
    assert name == of
    assert ("disbelief" in found.weights) == (of == pretrained.DEFAULT)


def test_a_model_with_markers_says_whether_there_are_several(packaged):
    told = dataclasses.replace(GOOD, disbelief=0.05, bodies=1, neck=0.3, crowd=40)
    assert not verdict.is_several(told, packaged)
    assert verdict.is_several(dataclasses.replace(told, bodies=2), packaged)


def test_a_score_that_could_not_be_measured_counts_as_the_mean(packaged):
    unknown = dataclasses.asdict(dataclasses.replace(GOOD, grain=math.nan))
    place = packaged.presence.names.index("grain")
    assert presence.standardised(unknown, packaged.presence)[place] == 0


def test_damaged_rules_are_named(tmp_path):
    path = tmp_path / rules.FILE
    path.write_text(json.dumps({"intercept": 1}))
    with pytest.raises(rules.RulesError, match=r"verdict\.json: damaged"):
        rules.read(path)


# Scores.


def _scene(rng, *, size=96, contrast=0.5, noise=0.01):
    mask = disk(size, (size / 2, size / 2), size / 5)
    grid = np.where(mask, 0.75 - contrast, 0.75) + noise * rng.standard_normal(mask.shape)
    return grid.astype(np.float32), np.where(mask, 0.99, 0.01).astype(np.float32), mask


def test_scores_of_a_clean_disk_by_hand(rng):
    grid, probability, mask = _scene(rng)
    found = evidence.collect(grid, probability)
    assert found.share == pytest.approx(mask.mean())
    assert found.doubt == pytest.approx(0.01, abs=1e-4)
    assert found.unsure == 0
    assert found.darkness == pytest.approx(0.5, abs=0.01)
    assert found.edge_contrast == pytest.approx(0.5, abs=0.01)
    assert found.noise == pytest.approx(0.01, rel=0.2)
    assert (found.bodies, found.fragments, found.crowd) == (1, 0, 1)
    assert found.border == found.specks == 0
    assert found.hollow == pytest.approx(0, abs=0.01)
    # White noise of 1.5 to 6 px: 0.18 of its standard deviation after and 0.96 before the blur.
    assert found.grain == pytest.approx((0.0018 + 0.004) / (0.0096 + 0.004), rel=0.15)
    # The disc's area over the middle's, and what of the contrast that is.
    assert found.dome == pytest.approx(0.5 * mask.sum() / 48**2, rel=0.03)


def test_a_plain_body_is_plain_up_to_the_blur_of_its_contour(rng):
    grid, probability, _ = _scene(rng, noise=0.0)
    # exp(-(d / 1.5)^2 / 2) is below 1/20 of the mean steepness within 2 px from d = 4.2 px on.
    inner = disk(96, (48, 48), 96 / 5 - 4.2).mean()
    assert evidence.collect(grid, probability).plain == pytest.approx(inner, rel=0.12)


def test_a_dark_band_between_bright_middle_and_surroundings_is_hollow(rng):
    _, probability, mask = _scene(rng, noise=0.0)
    ring = mask & ~disk(96, (48, 48), 96 / 5 - 6)
    for middle, expected in ((0.75, 0.5), (0.35, 0.1), (0.2, 0.0)):
        bubble = np.where(mask, np.where(ring, 0.25, middle), 0.75).astype(np.float32)
        found = evidence.collect(bubble, probability).hollow
        assert found == pytest.approx(expected, abs=1e-5)


def test_a_crowd_is_counted_without_the_network():
    """Discs count, of either polarity; specks, lines and edges do not."""
    grid = np.full((192, 192), 0.8, np.float32)
    assert evidence.crowd(grid) == 0
    for row in range(24, 192, 48):
        for column in range(24, 192, 48):
            grid[row - 10 : row + 10, column - 10 : column + 10][disk(20, (10, 10), 8)] = 0.2
    assert evidence.crowd(grid) == evidence.crowd(1 - grid) == 16
    lines = np.full((192, 192), 0.8, np.float32)
    lines[:, 60:66] = lines[100:] = 0.2
    lines[20::40, 20::40] = 0.0
    assert evidence.crowd(lines) == 0


def test_two_discs_have_a_neck_and_an_ellipse_has_none():
    # Half the neck's width is sqrt(15^2 - 13^2) = 7.5.
    discs = disk(120, (60, 40), 15) | disk(120, (60, 66), 15)
    inside = ndimage.distance_transform_edt(discs)
    assert evidence.neck(inside) == pytest.approx(7.5 / 15, abs=0.07)
    rows, columns = np.indices((120, 120)) - 60
    ellipse = (rows / 15) ** 2 + (columns / 40) ** 2 < 1
    assert evidence.neck(ndimage.distance_transform_edt(ellipse)) > 0.9


def test_bars_lie_along_an_edge_and_are_black_or_white():
    grid = np.full((100, 120), 0.5, np.float32)
    assert not evidence.bars(grid).any()
    grid[85:] = 0
    grid[90:93, 70:100] = 1
    grid[90:93, 10:40] = 0.6  # text
    expected = np.zeros(grid.shape, bool)
    expected[83:] = True  # and the blur of the bar's edge
    np.testing.assert_array_equal(evidence.bars(grid), expected)
    np.testing.assert_array_equal(evidence.bars(grid.T), expected.T)
    grid[40:] = 0  # a black half is a scene and no bar
    assert not evidence.bars(grid).any()


def test_text_in_a_bar_is_no_debris(rng):
    grid, probability, _ = _scene(rng)
    grid[80:] = 0
    grid[84:90, 5:60:6] = 1
    assert evidence.collect(grid, probability).specks < 0.001
    specks, probability, _ = _scene(rng)
    specks[82:85, 5:90:5] = 0
    assert evidence.collect(specks, probability).specks > 0.004


def test_a_blurred_contour_is_measured_in_grid_pixels(rng):
    grid, probability, _ = _scene(rng, noise=0.0)
    for sigma in (1.0, 2.0, 3.0):
        blurred = ndimage.gaussian_filter(grid, sigma)
        # The gradient's own blur of 1.5 px is part of the width.
        expected = math.hypot(sigma, 1.5)
        assert evidence.collect(blurred, probability).blur == pytest.approx(expected, rel=0.25)


def test_fragments_are_no_bodies(rng):
    grid, probability, _ = _scene(rng)
    probability[2:4, 2:4] = 0.9
    probability[80:95, 80:95] = 0.9
    found = evidence.collect(grid, probability)
    assert (found.bodies, found.fragments) == (2, 1)


def test_the_scores_of_an_empty_map_are_none(rng):
    grid, probability, _ = _scene(rng)
    found = evidence.collect(grid, np.zeros_like(probability))
    assert found.share == 0 and math.isnan(found.darkness)
