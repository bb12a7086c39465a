"""Tests of presence: whether a mask is left out where the model says that there is no body."""

import json

import numpy as np
import pytest
from helpers import marking

from spheroid_jax.inference import model_file, presence, segmentation

NEVER = presence.Presence(("doubt",), -9.0, (0.0,), (0.0,), (1.0,), 0.0)


@pytest.fixture
def image():
    """A dark disc on a bright field."""
    rows, columns = np.mgrid[:64, :64]
    return np.where(np.hypot(rows - 32, columns - 32) < 12, 40, 200).astype(np.uint8)


def test_where_the_model_says_there_is_no_body_there_is_no_mask(image, monkeypatch):
    monkeypatch.setattr(presence, "CLEAR", 2.0)  # no body is sure enough without a closer look
    model = marking(64)
    assert segmentation.segment(model, image).mask.any()
    sceptical = model.replace(presence=NEVER)
    found = segmentation.segment(sceptical, image)
    assert not found.mask.any() and found.probability.max() > 0.5
    objects = segmentation.segment_objects(sceptical, image)
    assert objects.labels.max() == 0 and len(objects.confidence) == 0
    trusting = model.replace(presence=NEVER._replace(intercept=9.0))
    np.testing.assert_array_equal(
        segmentation.segment(trusting, image).mask, segmentation.segment(model, image).mask
    )


def test_a_sure_body_needs_no_closer_look(image):
    sceptical = marking(64).replace(presence=NEVER)
    assert max(segmentation.segment_objects(marking(64), image).confidence) > presence.CLEAR
    assert segmentation.segment(sceptical, image).mask.any()


def test_the_presence_beside_a_model_with_markers_is_loaded(tmp_path, trusting):
    model_file.save(marking(64), tmp_path, provenance={})
    assert model_file.load(tmp_path).presence is None
    (tmp_path / presence.FILE).write_text(json.dumps(trusting._asdict()))
    assert model_file.load(tmp_path).presence == trusting.presence


def test_damaged_rules_are_named(tmp_path):
    model_file.save(marking(64), tmp_path, provenance={})
    (tmp_path / presence.FILE).write_text("{")
    with pytest.raises(presence.PresenceError, match=r"verdict\.json: damaged"):
        model_file.load(tmp_path)


def test_without_a_body_the_odds_are_nil():
    scores = dict.fromkeys(presence.SCORES, 0.5)
    assert presence.log_odds(scores | {"bodies": 0}, NEVER) == -np.inf
    assert presence.log_odds(scores | {"bodies": 1}, NEVER) == -9.0
