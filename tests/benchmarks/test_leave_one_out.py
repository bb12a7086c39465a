"""Leave-one-laboratory-out trains what is missing, once, and scores what was left out."""

import json
import pathlib

import chex
import jax
import numpy as np
import pytest
from helpers import thresholding

from benchmarks import leave_one_out, sets
from configs import spheroid_base
from spheroid_jax.inference import model_file
from spheroid_jax.report import tables
from spheroid_jax.training import checkpoint, folds, settings, setup
from spheroid_jax.workdir import Workdir

LABS = ("dataset1", "neurospheres")
PLACES = ("dataset1", "dataset2", "training/neurospheres", "visible/orgaquant", "training/no-body")


@pytest.fixture
def few(collection, tmp_path):
    """A collection of two laboratories that may train, and of two that may not."""
    for place in PLACES:
        (tmp_path / "few" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "few" / place).symlink_to(collection / place)
    return tmp_path / "few"


def tiny():
    config = spheroid_base.get_config()
    config.init = ""
    config.model.width, config.model.depth, config.model.patch = 2, 1, 1
    config.model.norm = "none"
    config.data.size = 32
    return config


def weights(step):
    """Returns a training state whose weights all are its number of steps."""
    state = setup.resolve(tiny(), None).initial_state()
    return state.replace(
        seg_average=jax.tree.map(lambda leaf: np.full_like(leaf, step), state.seg_average)
    )


@pytest.fixture
def launched(monkeypatch, tmp_path):
    """Replaces trainings: each keeps a good first and a poor last checkpoint. Lists commands."""
    commands = []
    model_file.save(thresholding(48), tmp_path / "start", provenance={})
    monkeypatch.setattr(leave_one_out, "START", str(tmp_path / "start"))

    def launch(command, name):
        commands.append(command)
        flags = dict(word.split("=", 1) for word in command if word.startswith("--"))
        workdir = Workdir(flags["--workdir"])
        workdir.write_config(setup.resolve(tiny(), None).record)
        with checkpoint.open_checkpoints(workdir.fold(0).checkpoints) as saved:
            saved.save(1, weights(1), 0.9)
            saved.save(2, weights(2), 0.1)

    monkeypatch.setattr(leave_one_out, "launch", launch)
    return commands


def run(few, work, *words):
    return leave_one_out.main(["--data", str(few), "--work", str(work), "--steps", "2", *words])


def test_each_laboratory_is_left_out_once_and_scored_by_the_model_without_it(
    launched, few, tmp_path, capsys
):
    work = tmp_path / "work"
    assert run(few, work) == 0
    names = ["all", *(f"without-{lab}" for lab in LABS)]
    assert [pathlib.Path(flag(words, "--workdir")).name for words in launched] == names
    for name in names:
        roots = {p.name for p in (work / "roots" / name).iterdir()}
        assert ("dataset1" in roots) == (name != "without-dataset1")
        shared = [p.name for p in (work / "roots" / name / "few" / "images").iterdir()]
        has = any(each.startswith("neurospheres") for each in shared)
        assert has == (name != "without-neurospheres")
    found = json.loads((work / "leave_one_out.json").read_text())
    by_set = {each["set"]: each for each in found["sets"]}
    assert list(by_set) == ["dataset1", "dataset2", "neurospheres", "orgaquant"]
    assert by_set["dataset2"]["left_out"] and by_set["dataset2"]["in"] is None
    assert by_set["dataset1"]["left_out"] and by_set["dataset1"]["in"]
    assert by_set["orgaquant"]["start"]["score"] == "F1@0.5"
    assert by_set["dataset1"]["start"]["mean"] > 0.9
    out = capsys.readouterr().out
    assert out == (work / "leave_one_out.md").read_text()
    assert "(has trained " in next(line for line in out.splitlines() if "| dataset1" in line)


def flag(words, name):
    return next(word for word in words if word.startswith(f"{name}=")).partition("=")[2]


def test_the_model_of_the_last_step_is_scored_not_the_best(launched, few, tmp_path):
    run(few, tmp_path / "work")
    model = model_file.load(tmp_path / "work" / "models" / "all")
    expected = jax.tree.map(lambda leaf: np.full_like(leaf, 2), model.variables["params"])
    chex.assert_trees_all_equal(model.variables["params"], expected)
    assert model_file.provenance(tmp_path / "work" / "models" / "all")["step"] == 2


def test_what_is_finished_is_not_trained_or_scored_again(
    launched, few, tmp_path, monkeypatch, capsys
):
    work = tmp_path / "work"
    run(few, work)
    first = capsys.readouterr().out
    launched.clear()
    monkeypatch.setattr(leave_one_out, "score", None)  # A call would fail.
    assert run(few, work) == 0
    assert launched == [] and capsys.readouterr().out == first
    assert run(few, work, "--config.loss.marker=0.7") == 2
    assert "trained with other settings; name another --work" in capsys.readouterr().err
    # Where the cache lies changes no result.
    assert run(few, work, "--config.data.cache=elsewhere") == 0


@pytest.mark.parametrize(
    ("status", "stopped_by", "exit_status", "message"),
    [
        (2, 0, 2, "training all: fold 0: FAILED: no such file; the same command tries again"),
        (130, 2, 130, "stopped; the same command goes on from there"),
    ],
)
def test_a_training_that_fails_or_is_stopped_ends_the_run_with_one_line(
    few, tmp_path, monkeypatch, capsys, status, stopped_by, exit_status, message
):
    def ended(command, numbers, **_):
        print("a table of the training's own")
        return [folds.Outcome(0, status, "no such file")], stopped_by

    monkeypatch.setattr(folds, "run", ended)
    assert run(few, tmp_path / "work") == exit_status
    out, error = capsys.readouterr()
    assert error.splitlines()[-1] == f"python -m benchmarks.leave_one_out: {message}"
    assert out == "" and "Traceback" not in error
    assert not (tmp_path / "work" / "models").exists()


def test_a_model_of_no_laboratory_left_out_is_never_scored_on_it(launched, few, tmp_path):
    """The score of a laboratory is that of its own model, whose weights differ."""
    work = tmp_path / "work"
    run(few, work)
    model_file.save(thresholding(48), work / "models" / "without-neurospheres", provenance={})
    keeper = leave_one_out._Scores(tmp_path / "s.json", few, 1)
    models = {"start": work / "models" / "all", "all": work / "models" / "all"}
    models["neurospheres"] = work / "models" / "without-neurospheres"
    by_name = {each.name: each for each in sets.SETS}
    found = keeper.of_set(by_name["neurospheres"], models)
    assert found["left_out"]["mean"] == 1.0 > found["in"]["mean"]
    unfinished = keeper.of_set(by_name["dataset1"], models)
    assert unfinished["left_out"] is None and unfinished["in"]["images"] == 2
    shown = leave_one_out.table([found, unfinished], 2).rows
    assert [tables.text(row[4]) for row in shown] == ["–", "100.0"]


def test_every_flag_is_a_key_of_the_recipe(tmp_path):
    known = settings.flatten(spheroid_base.get_config().to_dict())
    words = leave_one_out.train_command(tmp_path, "all", 500)
    given = dict(word.removeprefix("--config.").split("=") for word in words if "config." in word)
    assert given.keys() <= known.keys() | {"data.root"}
    assert int(given["train.samples_per_epoch"]) == 500 * known["train.batch_size"]
    assert int(given["train.validate_every"]) == 500
    assert float(given["train.average"]) ** 500 < 0.01  # The initial markers are forgotten.


def test_a_misspelt_option_is_refused(few, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(few, tmp_path, "--step=3")
    assert "--step=3: neither an option nor" in capsys.readouterr().err
