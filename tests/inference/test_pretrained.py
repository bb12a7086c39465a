"""Tests of the packaged models: undamaged, small, and accurate on images of no training set."""

import re

import jax
import numpy as np
import pytest
from helpers import ROOT

import spheroid_jax as sj
from spheroid_jax.inference import model_file, postprocess, pretrained
from spheroid_jax.synthetic import spheroids, varied

NAME = "spheroid-small"
# Seeds of drawn images that no training used (training uses seed 0).
SEEDS = (7001, 7002, 7003)
CARD = (ROOT / "docs" / "evidence" / "model-card.md").read_text()


@pytest.fixture(scope="module")
def model():
    return sj.load(NAME)


def f_score(found, truth):
    return 2 * np.sum(found & truth) / (found.sum() + truth.sum())


def test_the_weights_are_those_of_the_model_card(model):
    assert model_file.digest(NAME) in CARD
    counted = sum(leaf.size for leaf in jax.tree.leaves(model.variables["params"]))
    assert f"{counted} parameters" in CARD and counted <= 6_000_000


def test_the_package_stays_small():
    files = list(pretrained.folder(NAME).iterdir())
    assert sum(path.stat().st_size for path in files) <= 12_000_000


def test_a_damaged_weight_is_noticed(tmp_path):
    for path in pretrained.folder(NAME).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (weights,) = tmp_path.glob("weights-*.npz")
    with np.load(weights) as archive:
        arrays = dict(archive)
    name = sorted(arrays)[0]
    arrays[name] = arrays[name] * 1.5
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


def test_the_card_s_limits_are_said():
    assert re.search(r"^## .*not", CARD, re.M | re.I)
