"""Tests of fine-tuning: initial model, choice of the best checkpoint, resuming, reports."""

import csv
import dataclasses
import json
import re
import shutil

import chex
import jax
import numpy as np
import pytest
from helpers import write_root

import spheroid_jax as sj
from configs import finetune as config_file
from spheroid_jax import models
from spheroid_jax.data import dataset, partitions, source
from spheroid_jax.evaluation import grid_scores, records
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.training import checkpoint, finetune, settings
from spheroid_jax.training import fold as one_fold
from spheroid_jax.training.progress import Progress
from spheroid_jax.training.setup import resolve
from spheroid_jax.workdir import FOLDS, Fold, Workdir

SIZE = 32
STEPS = 8


def small(folder, **values):
    """Returns the config with a small network and a training that takes seconds."""
    config = config_file.get_config()
    config.init = str(folder / "init")
    config.model.width = 2
    config.model.depth = 1
    config.model.markers = config.model.cores = False
    config.loss.marker = config.loss.core = 0.0
    config.data.crops = 0
    config.optimizer.warmup = 2
    config.data.size = SIZE
    config.data.root = str(folder / "root")
    config.data.stream = "numpy"
    config.data.synthetic_beside = False
    config.data.datasets = "*:50,old:50"
    config.data.rehearsal = "old"
    config.train.samples_per_epoch = STEPS * config.train.batch_size
    config.train.validate_every = 4
    config.train.log_every = 2
    config.train.keep_programs = False
    config.update_from_flattened_dict(values)
    return config


def save_model(folder, *, seed=0):
    """Saves an untrained model with the network of `small`."""
    config = small(folder)
    network = config.model.to_dict()
    variables = models.initial_variables(models.build(**network), 1, seed=seed)
    model = model_file.Params.create(variables, size=SIZE, flips=config.inference.flips, **network)
    model_file.save(model, folder, provenance={})
    return folder


def load(folder, config):
    return finetune.load(str(folder), size=config.data.size, model=config.model.to_dict())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Makes a data root of ten new and eight old images, and the initial model."""
    folder = tmp_path_factory.mktemp("finetune")
    write_root(folder / "root", {"mine": 10, "old": 8})
    save_model(folder / "init", seed=5)
    return folder


def run(place, name, **values):
    """Trains fold 0 in the work directory `name`; returns the folder of the fold."""
    workdir = place / name
    one_fold.train(resolve(small(place, **values), workdir), 0, Workdir(workdir))
    return workdir / "fold_0"


@pytest.fixture(scope="module")
def fold(place):
    """Trains the uninterrupted run with which others are compared."""
    return run(place, "whole")


def opened(place, workdir):
    return dataset.open_dataset(
        place / "root",
        {"mine": 1.0, "old": 1.0},
        size=SIZE,
        stream="numpy",
        cache=None,
        workdir=Workdir(workdir),
    )


def lines(fold):
    text = (fold / "metrics.jsonl").read_text()
    records = [json.loads(line) for line in text.splitlines()]
    return [{k: v for k, v in record.items() if k != "steps_per_second"} for record in records]


# The start.


def test_training_starts_from_the_model_s_weights(place, fold):
    config = small(place)
    initial = load(place / "init", config)
    state = resolve(config, None).initial_state(initial)
    chex.assert_trees_all_equal(state.seg_params, initial.variables["params"])
    chex.assert_trees_all_equal(state.seg_average, state.seg_params)
    images = opened(place, fold.parent).partition(0)
    expected = grid_scores.validation_scores(sj.load(place / "init"), *images)
    first = lines(fold)[0]
    assert first.pop("step") == 0
    mean = grid_scores.mean_over_datasets(expected)
    by_dataset = {f"validation/{name}": f for name, f in expected.items()}
    assert first == by_dataset | {"validation/mean": mean}


def test_donating_the_state_leaves_the_model_alone(place):
    config = small(place)
    initial = load(place / "init", config)
    state = resolve(config, None).initial_state(initial)
    places = [
        leaf.unsafe_buffer_pointer()
        for tree in (initial.variables, state.seg_params, state.seg_average)
        for leaf in jax.tree.leaves(tree)
    ]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"model.width": 3, "data.size": 48},
            "config.data.size = 48 here, 32 there; config.model.width = 3 here, 2 there",
        ),
        ({"model.norm": "none"}, "config.model.norm = 'none' here, 'group' there"),
    ],
)
def test_another_network_is_refused_and_what_differs_named(place, values, expected):
    with pytest.raises(ValueError, match=f"config.init = .*: {expected}$"):
        load(place / "init", small(place, **values))


def test_a_network_of_another_kind_is_refused(place):
    with pytest.raises(ValueError, match="model.name = 'multiscale' here, 'un"):
        finetune.load(str(place / "init"), size=SIZE, model={"name": "multiscale"})


def test_a_model_without_markers_and_cores_gets_new_maps_for_them(place):
    values = {"model.markers": True, "loss.marker": 0.5, "model.cores": True, "loss.core": 0.2}
    config = small(place, **values)
    old = sj.load(place / "init").variables["params"]
    new = dict(load(place / "init", config).variables["params"])
    for maps in ("markers", "cores"):
        assert set(new.pop(maps)) == {"kernel", "bias"}
    chex.assert_trees_all_equal(new, old)


def test_how_a_network_is_computed_may_differ(place):
    values = {"model.dtype": "bfloat16", "model.remat": True}
    initial = load(place / "init", small(place, **values))
    assert initial.sha256 == model_file.digest(place / "init")


def test_an_ensemble_is_refused(place, tmp_path):
    for n in range(FOLDS):
        save_model(tmp_path / f"fold_{n}" / "model", seed=n)
    with pytest.raises(ValueError, match="several networks; give one fold"):
        load(tmp_path, small(place))


def test_a_refused_start_binds_nobody(place, tmp_path):
    config = small(place, init="no-such-model")
    setup = resolve(config, tmp_path)
    with pytest.raises(FileNotFoundError, match="no-such-model: no model here"):
        one_fold.train(setup, 0, Workdir(tmp_path))
    assert not Workdir(tmp_path).has_config


# The choice.

BEFORE = {"mine": 0.5, "old": 0.9, "older": 0.8}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"mine": 0.8, "old": 0.9, "older": 0.8}, 0.8),
        ({"mine": 0.8, "old": 0.9, "older": 0.791}, 0.8),
        ({"mine": 0.8, "old": 0.5, "older": 1.0}, None),
        ({"mine": 1.0, "old": 1.0, "older": 0.789}, None),
        ({"mine": 0.0, "old": 1.0, "older": 1.0}, 0.0),
        (BEFORE, 0.5),
    ],
)
def test_new_images_rank_where_old_ones_do_not_get_worse(scores, expected):
    rank = finetune.criterion(BEFORE, rehearsal=["old", "older"], margin=0.01)
    assert rank(scores) == expected


def test_several_new_datasets_count_the_same():
    # A dataset may have any name, also "mean".
    rank = finetune.criterion({"mean": 0.1, "b": 0.2, "old": 0.3}, rehearsal=["old"], margin=0.0)
    assert rank({"mean": 0.4, "b": 0.8, "old": 0.3}) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("datasets", "rehearsal", "expected"),
    [
        (["mine", "old"], ["old", "older"], "no dataset older"),
        (["old"], ["old"], "none is left to adapt to"),
    ],
)
def test_there_are_images_of_both_kinds(datasets, rehearsal, expected):
    with pytest.raises(ValueError, match=expected):
        finetune.check_datasets(datasets, rehearsal)
    finetune.check_datasets(["mine", "old"], ["old"])
    finetune.check_datasets(["mine", "old"], [])


def test_where_no_step_is_better_the_model_stays_as_it_is(place, monkeypatch, capsys):
    # F-scores are better on the new images and worse on the old ones; then the opposite.
    scores = iter([(0.5, 0.9), (0.9, 0.88), (0.4, 0.95)])

    def validation_scores(*_):
        mine, old = next(scores)
        return {"mine": mine, "old": old}

    monkeypatch.setattr(grid_scores, "validation_scores", validation_scores)
    fold = run(place, "unchanged")
    assert model_file.provenance(fold)["step"] == 0
    assert model_file.digest(fold) == model_file.digest(place / "init")
    before, after = (fold / name for name in ("before.csv", "scores.csv"))
    assert before.read_text() == after.read_text()
    assert re.search(r"^mine .* \+0\.00$", capsys.readouterr().out, re.M)
    with checkpoint.open_checkpoints(fold / "checkpoints") as saved:
        assert saved.latest_step() == STEPS


# Going on.


def test_the_initial_model_s_scores_are_read_with_or_without_their_mean(tmp_path):
    """Older versions wrote the mean like one more dataset."""
    begun = {"sha256": "abc", "validation": {"mine": 0.5, "old": 0.9, "mean": 0.7}}
    (tmp_path / "init.json").write_text(json.dumps(begun))
    validation = (None, None, [("mine", "a"), ("old", "b"), ("old", "c")])
    found = finetune.measure(None, "abc", Fold(tmp_path), validation=validation, test=None)
    assert found == {"mine": 0.5, "old": 0.9}


def test_killed_and_begun_again_it_ends_the_same(place, fold, monkeypatch):
    advance = Progress.advance

    def killed(self, step):
        if step == 6:
            raise MemoryError
        advance(self, step)

    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(Progress, "advance", killed)
        run(place, "killed")
    again = run(place, "killed")
    assert model_file.digest(again) == model_file.digest(fold)
    for name in ("scores.csv", "before.csv", "init.json"):
        assert (again / name).read_text() == (fold / name).read_text()
    assert lines(again) == lines(fold)


def test_a_model_that_has_changed_is_refused(place, fold, tmp_path):
    began = tmp_path / "fold_0"
    began.mkdir()
    shutil.copy(fold / "init.json", began)
    other = model_file.digest(save_model(tmp_path / "other", seed=6))
    with pytest.raises(ValueError, match=f"there, {other[:12]} here"):
        finetune.measure(None, other, Fold(began), validation=None, test=None)


def test_a_finished_fold_is_evaluated_without_the_model_it_began_from(
    place, fold, tmp_path, capsys
):
    workdir = tmp_path / "moved"
    shutil.copytree(fold.parent, workdir)
    setup = resolve(None, workdir)
    one_fold.train(setup, 0, Workdir(workdir))
    first = capsys.readouterr().out
    (place / "init").rename(place / "away")
    try:
        one_fold.evaluate(setup, 0, Workdir(workdir))
    finally:
        (place / "away").rename(place / "init")
    assert capsys.readouterr().out == first
    scores = "fold_0/scores.csv"
    assert (workdir / scores).read_text() == (fold / "scores.csv").read_text()


# The report.


def test_scores_before_are_those_of_the_model(place, fold):
    grids, labels, names = opened(place, fold.parent).partition(partitions.TEST)
    maps = grid_scores.probabilities(sj.load(place / "init"), grids)
    expected = grid_scores.score(maps, labels, names)
    written = records.read(fold / "before.csv")
    assert [(row.dataset, row.image) for row in written] == names
    np.testing.assert_allclose(
        [row.scores for row in written], [row.scores for row in expected], atol=1e-6
    )
    with open(fold / "scores.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(written)


def test_the_model_says_what_it_began_from(place, fold):
    about = model_file.provenance(fold)
    assert about["init_sha256"] == model_file.digest(place / "init")
    assert about["config"]["train.rehearsal_margin"] == 0.01


def test_a_packaged_model_keeps_the_hash_and_not_the_place(place, fold, tmp_path, monkeypatch):
    from spheroid_jax.training import package

    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    package.package(fold, "adapted")
    about = model_file.provenance("adapted")
    assert about["config"]["init"] == "a folder"
    assert about["init_sha256"] == model_file.digest(place / "init")
    assert str(place) not in (tmp_path / "adapted/model.json").read_text()


def test_the_last_checkpoint_is_kept_where_the_config_says_so(place, tmp_path):
    rank = resolve(small(place, **{"train.keep": "last"}), tmp_path).rank(BEFORE)
    assert rank(BEFORE) == rank(dict.fromkeys(BEFORE, 0.0))


# The config.


def test_the_config_begins_from_the_packaged_model(tmp_path):
    config = config_file.get_config()
    assert settings.rehearsal(config.data.rehearsal) == [
        name for name in settings.shares(config.data.datasets) if name != source.EVERY_OTHER
    ]
    if config.init not in pretrained.names():
        pytest.skip(f"{config.init} is not packaged yet")
    finetune.load(config.init, size=config.data.size, model=config.model.to_dict())


def test_ten_images_are_seven_two_and_one():
    """The docstring of the config says so."""
    parts = partitions.partition({f"{n}": f"{n}" for n in range(10)})
    sizes = (partitions.training(parts, 0), parts[0], parts[partitions.TEST])
    assert [len(part) for part in sizes] == [7, 2, 1]


def test_every_field_of_a_network_is_compared_or_free():
    for name in ("multiscale", "unet"):
        fields = {f.name for f in dataclasses.fields(models.NETWORKS[name])}
        compared = finetune._fields(name, models.build(name))
        assert {key.removeprefix("model.") for key in compared} == (
            fields - {"dtype", "remat", "norm_momentum", "parent"} | {"name"}
        )
