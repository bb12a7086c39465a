"""Tests of the packaged models: undamaged, small, and accurate on images of no training set."""

import re

import jax
import numpy as np
import pytest
from helpers import ROOT

import spheroid_jax as sj
from spheroid_jax.evaluation import matching
from spheroid_jax.inference import model_file, postprocess, pretrained
from spheroid_jax.synthetic import failures, scenes, spheroids, varied

CARDS = {pretrained.DEFAULT: "model-card.md", pretrained.EARLIER: "model-card-small.md"}
# Seeds of drawn images that no training used (training uses seeds 0 to 3).
SEEDS = (7001, 7002, 7003)


@pytest.fixture(scope="module", params=CARDS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def card(name):
    return (ROOT / "docs" / "evidence" / CARDS[name]).read_text()


@pytest.fixture(scope="module")
def model(name):
    return sj.load(name)


@pytest.fixture(scope="module")
def base():
    return sj.load(pretrained.DEFAULT)


def f_score(found, truth):
    return 2 * np.sum(found & truth) / (found.sum() + truth.sum())


def test_the_packaged_models_are_those_with_a_card():
    assert set(CARDS) == set(pretrained.names())


def test_the_weights_are_those_of_the_model_card(name, model, card):
    assert model_file.digest(name) in card
    counted = sum(leaf.size for leaf in jax.tree.leaves(model.variables["params"]))
    assert f"{counted} parameters" in card and counted <= 6_000_000


def test_the_package_stays_small(name):
    files = list(pretrained.folder(name).iterdir())
    assert sum(path.stat().st_size for path in files) <= 12_000_000


def test_a_damaged_weight_is_noticed(name, tmp_path):
    for path in pretrained.folder(name).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (weights,) = tmp_path.glob("weights-*.npz")
    with np.load(weights) as archive:
        arrays = dict(archive)
    first = sorted(arrays)[0]
    arrays[first] = arrays[first] * 1.5
    np.savez(weights, **arrays)
    with pytest.raises(model_file.ModelError, match="hash"):
        sj.load(tmp_path)


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
@pytest.mark.parametrize("size", [480, 1080])
def test_each_flavour_is_segmented(model, flavour, size):
    scores = []
    for seed in SEEDS[: 3 if size < 1000 else 1]:
        image, truth = spheroids.make_image(flavour, 0, seed=seed, size=size)
        scores.append(f_score(sj.segment(model, image).mask, truth))
    assert min(scores) >= 0.95, scores


def test_images_as_of_many_labs_are_segmented(model):
    scores = []
    for index in range(24):
        image, truth = varied.make_image(index, seed=SEEDS[0], size=256)
        truth = postprocess.single_body(truth, min_area_px=1)
        scores.append(f_score(sj.segment(model, image).mask, truth))
    assert np.median(scores) >= 0.95, scores


def test_the_card_s_limits_are_said(card):
    assert re.search(r"^## .*not", card, re.M | re.I)


@pytest.mark.parametrize(("kind", "least"), [("lobed", 0.7), ("crowd", 0.25)])
def test_the_default_finds_several_bodies_and_splits_none(base, kind, least):
    scores = []
    for seed in range(1000 * SEEDS[0], 1000 * SEEDS[0] + 8):
        scene = scenes.draw_scene(seed, 384, kind)
        found = sj.segment_objects(base, scene.image)
        scores.append(matching.instance_scores(found.labels, scene.labels).f1_50)
    assert np.mean(scores) > least, scores


def test_the_default_finds_next_to_nothing_where_there_is_nothing(base):
    """`measure` has more to go by, and measures none: tests/lab/test_verdict.py."""
    kinds = [kind for kind in failures.EMPTY if kind not in ("debris", "bubble")]
    drawn = [failures.make_empty(kind, 0, seed=seed) for kind in kinds for seed in SEEDS[:2]]
    with_body = [sj.segment(base, image).mask.any() for image in drawn if np.ptp(image)]
    assert sum(with_body) <= 2


@pytest.mark.parametrize("share", [0.03, 0.1, 0.6])
def test_the_default_draws_a_sharp_disc_of_any_size_to_two_percent(base, share):
    side = 720
    rows, columns = np.mgrid[:side, :side]
    away = np.hypot(rows - 0.55 * side, columns - 0.45 * side)
    cover = np.clip(share * side / 2 - away + 0.5, 0, 1)
    noise = np.random.default_rng(SEEDS[0]).normal(0, 2, cover.shape)
    image = (190 - 110 * cover + noise).round().clip(0, 255).astype(np.uint8)
    mask = sj.segment(base, image).mask
    diameter = 2 * np.sqrt(mask.sum() / np.pi)
    assert diameter == pytest.approx(share * side, rel=0.02)
