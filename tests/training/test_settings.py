"""Tests of the checks of a config."""

import pytest
from ml_collections import ConfigDict

from configs import adver, base, demo, unet
from spheroid_jax.training import settings


@pytest.mark.parametrize("parent", [adver, base, demo, unet])
def test_the_configs_are_good(parent):
    settings.check(parent.get_config())


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("optimizer.schedule", "step", "one of constant, cosine"),
        ("optimizer.warmup", -1, "0 or more"),
        ("optimizer.warmup", 12_000, "below the 12000 steps"),
        ("loss.weights", "focal", "one of balanced, uniform"),
        ("loss.dice", -0.1, "0 or more"),
        ("train.average", 1.0, "in .0, 1."),
        ("train.rehearsal_margin", -0.1, "0 or more"),
        ("augment.scale", -0.1, "0 or more"),
        ("augment.shift", 0.6, "sides"),
        ("augment.elastic", 0.2, "sides"),
        ("augment.invert", 1.1, "in .0, 1."),
        ("model.norm", "none", "multiscale has image, batch, group"),
    ],
)
def test_a_bad_value_is_named_with_what_it_should_be(key, value, expected):
    config = adver.get_config()
    with config.ignore_type():
        config.update_from_flattened_dict({key: value})
    with pytest.raises(ValueError, match=f"config.{key} = .*{expected}"):
        settings.check(config)


@pytest.mark.parametrize(
    ("init", "rehearsal", "expected"),
    [
        ("", "dataset1", "config.init must name a model"),
        ("model", "dataset1, old", "old must be in config.data.datasets"),
    ],
)
def test_a_rehearsal_set_needs_a_model_and_images(init, rehearsal, expected):
    config = adver.get_config()
    config.init, config.data.rehearsal = init, rehearsal
    with pytest.raises(ValueError, match=f"data.rehearsal: {expected}"):
        settings.check(config)
    config.init, config.data.rehearsal = "model", " dataset1,dataset2"
    settings.check(config)


def test_each_network_has_its_norms():
    config = unet.get_config()
    config.model.norm = "group"
    settings.check(config)
    config.model.norm = "image"
    with pytest.raises(ValueError, match="unet has none, group"):
        settings.check(config)


@pytest.mark.parametrize("maps", ["marker", "core"])
@pytest.mark.parametrize(("present", "weight"), [(True, 0.0), (False, 0.5)])
def test_maps_of_parts_and_their_losses_come_together(maps, present, weight):
    config = unet.get_config()
    config.model[f"{maps}s"], config.loss[maps] = present, weight
    with pytest.raises(
        ValueError, match=f"config.loss.{maps} = .*above 0 with config.model.{maps}s"
    ):
        settings.check(config)
    config.model[f"{maps}s"], config.loss[maps] = True, 0.5
    config.model.markers, config.loss.marker = True, 0.5
    settings.check(config)


def test_cores_need_markers():
    config = unet.get_config()
    config.model.cores, config.loss.core = True, 0.5
    with pytest.raises(ValueError, match="config.model.cores = True: needs config.model.markers"):
        settings.check(config)


def test_the_config_of_an_older_version_is_told_what_it_lacks():
    config = ConfigDict(adver.get_config().to_dict())
    del config.optimizer["warmup"]
    with pytest.raises(ValueError, match="config.optimizer.warmup is missing"):
        settings.check(config)
