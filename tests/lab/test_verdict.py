"""Tests of verdicts: each check by hand, and the packaged rules on drawn images."""

import dataclasses
import json
import math

import numpy as np
import pytest
from helpers import disk

import spheroid_jax as sj
from spheroid_jax.inference import predict
from spheroid_jax.lab import evidence, rules, verdict
from spheroid_jax.lab.evidence import Evidence
from spheroid_jax.synthetic import failures, spheroids

GOOD = Evidence(
    share=0.1,
    doubt=0.01,
    unsure=0.05,
    contrast=0.5,
    edge_contrast=0.5,
    texture_ratio=1.5,
    relief=0.2,
    ellipse_error=0.05,
    noise=0.01,
    signal_to_noise=50,
    blur=1.8,
    solidity=0.97,
    border=0.0,
    specks=0.0,
    fragments=0,
    bodies=1,
)


@pytest.fixture(scope="module")
def packaged():
    return rules.load()[0]


def test_an_ordinary_body_is_ok(packaged):
    found = verdict.judge(GOOD, packaged)
    assert found.verdict == "ok"
    assert found.findings == ()
    assert found.presence > 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bodies": 2}, "several"),
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
    assert (found.verdict, found.presence) == ("empty", -math.inf)


def test_scores_far_from_all_calibration_images_are_unfamiliar(packaged):
    odd = dataclasses.replace(GOOD, texture_ratio=50.0, unsure=0.0, relief=2.0)
    assert verdict.is_unfamiliar(odd, packaged)
    assert not verdict.is_unfamiliar(GOOD, packaged)


def test_presence_is_a_weighted_sum_of_standardised_scores():
    plain = rules.Rules(
        intercept=0.5,
        weights=dict.fromkeys(verdict.SCORES, 0.0) | {"share": 2.0},
        mean=dict.fromkeys(verdict.SCORES, 0.0) | {"share": 0.1},
        sd=dict.fromkeys(verdict.SCORES, 1.0) | {"share": 0.05},
        precision=np.eye(8).tolist(),
        centre=[0.0] * 8,
        thresholds={},
        error_bars={},
    )
    score = dataclasses.replace(GOOD, share=0.2)
    assert verdict.presence(score, plain) == pytest.approx(0.5 + 2 * (0.2 - 0.1) / 0.05)
    # A score far off counts as four standard deviations.
    assert verdict.presence(dataclasses.replace(GOOD, share=9.0), plain) == pytest.approx(8.5)


def _judged(params, packaged, image):
    prepared = predict.prepare(params, image)
    on_grid = np.asarray(predict.grid_probability(params, prepared.grid[np.newaxis]))[0]
    scores = evidence.collect(prepared.box.crop(prepared.grid), prepared.box.crop(on_grid))
    return verdict.judge(scores, packaged).verdict


def test_drawn_empty_wells_are_empty_and_bodies_are_not(packaged):
    """Other seeds than the calibration's; benchmarks/verdicts.py counts many more."""
    params = sj.load("spheroid-small")
    empty = [
        _judged(params, packaged, failures.make_empty(kind, n, seed=909))
        for kind in failures.EMPTY
        for n in range(3)
    ]
    assert sum(found != "empty" for found in empty) <= 1
    for flavour in spheroids.FLAVOURS:
        for n in range(6):
            image, _ = spheroids.make_image(flavour, n, seed=909, size=240)
            assert _judged(params, packaged, image) != "empty"


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
    assert found.contrast == pytest.approx(0.5, abs=0.01)
    assert found.edge_contrast == pytest.approx(0.5, abs=0.01)
    assert found.noise == pytest.approx(0.01, rel=0.2)
    assert found.ellipse_error < 0.04
    assert (found.bodies, found.fragments) == (1, 0)
    assert found.border == found.specks == 0


def test_a_blurred_contour_is_measured_in_grid_pixels(rng):
    from scipy import ndimage

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
    assert found.share == 0 and math.isnan(found.contrast)
