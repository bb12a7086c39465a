"""Tests of the configs: each is complete, documented and can be trained."""

import importlib

import pytest
from helpers import ROOT

from configs import ablation, adver, lambda_study, pretrained
from spheroid_jax.training import settings
from spheroid_jax.training.setup import resolve

NAMES = sorted(path.stem for path in (ROOT / "configs").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_config_passes_the_checks_and_builds(name):
    config = importlib.import_module(f"configs.{name}").get_config()
    settings.check(config)
    assert resolve(config, None).name == name


@pytest.mark.parametrize("schedule", lambda_study.SCHEDULES)
def test_every_variant_of_the_lambda_study_passes_the_checks(schedule):
    config = lambda_study.get_config(schedule)
    settings.check(config)
    adversary = resolve(config, None).adversary
    expected = lambda_study.SCHEDULES[schedule]
    if expected is None:
        assert adversary is None
        return
    last = settings.total_steps(config) - 1
    ends = (float(adversary.weight(0)), float(adversary.weight(last)))
    assert ends == pytest.approx(expected[1:], rel=1e-5)


@pytest.mark.parametrize("variant", ablation.VARIANTS)
def test_every_ablation_passes_the_checks_and_differs(variant):
    config = ablation.get_config(variant)
    settings.check(config)
    recipe = ablation.get_config("recipe").to_dict()
    assert (config.to_dict() == recipe) == (variant == "recipe")


def test_the_second_stage_trains_the_first_s_network_on_other_images():
    first, second = pretrained.get_config(), pretrained.get_config("second")
    settings.check(second)
    assert second.model == first.model
    assert second.data.size == first.data.size
    assert second.init == f"runs/{first.name}/fold_0"
    assert second.synthetic.seed != first.synthetic.seed
    with pytest.raises(ValueError, match="third: no such stage"):
        pretrained.get_config("third")


def test_the_paper_s_config_has_nothing_beyond_the_paper():
    config = adver.get_config()
    assert not any(config.augment.values())
    assert config.train.average == config.loss.dice == 0
    assert config.loss.weights == "balanced"
    assert config.optimizer.schedule == "constant"
    assert config.optimizer.warmup == config.synthetic.n_varied == 0
    assert config.init == config.data.rehearsal == ""
