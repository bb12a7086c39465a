"""Tests of the files of a work directory: written, read, damaged."""

import ast
import json

import pytest
from helpers import ROOT

from spheroid_jax.errors import UserError
from spheroid_jax.workdir import FOLDS, Fold, Workdir, WorkdirError

NAMES = (
    *("config.json", "partitions.json", "checkpoints", "metrics.jsonl", "scores.csv", "maps"),
    *("examples.png", "diverged.json", "init.json", "before.csv", "members.json", "ensemble"),
)


def write_metrics(path, text):
    path.mkdir(exist_ok=True)
    (path / "metrics.jsonl").write_text(text)
    return Fold(path)


def test_what_is_written_is_read_back(tmp_path):
    workdir = Workdir(str(tmp_path))
    assert not workdir.has_config and workdir.read_partitions() is None
    workdir.write_config({"model": {"width": 2}})
    workdir.write_partitions({"easy": [["a"], []]}, {"easy": {"a": "1"}})
    assert workdir.read_config() == {"model": {"width": 2}}
    assert workdir.read_partitions()["partitions"] == {"easy": [["a"], []]}
    assert [fold.path.name for fold in workdir.folds] == [f"fold_{n}" for n in range(FOLDS)]
    fold = workdir.fold(2)
    assert fold.read_initial() is None and not fold.has_diverged
    fold.write_initial("abc", {"easy": 0.5})
    fold.write_diverged("NaN at step 3")
    assert fold.read_initial() == {"sha256": "abc", "validation": {"easy": 0.5}}
    assert fold.has_diverged
    fold.clear_diverged()
    fold.clear_diverged()
    assert not fold.has_diverged
    assert workdir.ensemble.read_members() == []
    workdir.ensemble.write_members(["a", "b"])
    assert workdir.ensemble.read_members() == ["a", "b"]


def test_metrics_after_the_checkpoint_are_written_again(tmp_path):
    fold = Fold(tmp_path / "fold_0")
    with fold.open_metrics(keep_until=-1) as append:
        for step in (0, 10, 20):
            append(step, {"loss": step / 2})
    with fold.open_metrics(keep_until=10) as append:
        append(15, {"loss": 1.0})
    assert [record["step"] for record in fold.read_metrics()] == [0, 10, 15]


def test_metrics_are_read_but_for_a_half_written_line(tmp_path):
    fold = write_metrics(tmp_path, '{"step": 50, "loss": 0.5}\n{"step": 100, "lo')
    assert fold.read_metrics() == [{"step": 50, "loss": 0.5}]


def test_any_cut_of_the_metrics_can_be_read(tmp_path):
    whole = "".join(json.dumps({"step": n, "loss": n / 2}) + "\n" for n in (10, 20))
    for end in range(len(whole) + 1):
        steps = [r["step"] for r in write_metrics(tmp_path, whole[:end]).read_metrics()]
        assert steps in ([], [10], [10, 20])
    assert steps == [10, 20]


@pytest.mark.parametrize("line", ['{"st', "3", '{"loss": 1}', "[]"])
def test_a_broken_line_before_the_last_is_an_error(tmp_path, line):
    fold = write_metrics(tmp_path, f'{line}\n{{"step": 1, "loss": 2}}\n')
    with pytest.raises(WorkdirError, match="metrics.jsonl, line 1: "):
        fold.read_metrics()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "3", '{"partitions": 1}', "\0"])
@pytest.mark.parametrize("name", ["config", "partitions", "init"])
def test_a_damaged_file_is_named(tmp_path, name, text):
    workdir = Workdir(tmp_path)
    readers = {
        "config": workdir.read_config,
        "partitions": workdir.read_partitions,
        "init": Fold(tmp_path).read_initial,
    }
    (tmp_path / f"{name}.json").write_text(text)
    if (name, text) == ("config", '{"partitions": 1}'):
        return  # Nested dicts, which `settings.check_same` tells from the run's own.
    with pytest.raises(WorkdirError, match=f"{name}.json: damaged"):
        readers[name]()


def test_a_folder_that_is_none_is_told_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a work directory: it has no config.json"):
        Workdir(tmp_path).read_config()
    assert issubclass(WorkdirError, UserError) and issubclass(WorkdirError, ValueError)


def test_no_other_module_spells_a_file_name_of_a_work_directory():
    for path in (ROOT / "spheroid_jax").rglob("*.py"):
        if path.name == "workdir.py":
            continue
        tree = ast.parse(path.read_text())
        documented = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant))
        spelled = {n.value for n in texts if id(n) not in documented and n.value in NAMES}
        if path.parts[-2:] in (("score", "pixels.py"), ("compare", "outputs.py")):
            spelled -= {"scores.csv"}  # A file of a report, which is no work directory.
        assert not spelled, f"{path}: {spelled}"
