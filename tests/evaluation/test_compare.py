"""Tests of `spheroid compare`, from finished folds to the report, without training."""

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT, scaled, thresholding, write_root

from configs import adver
from spheroid_jax.commands import compare as command
from spheroid_jax.data import source
from spheroid_jax.data.dataset import open_dataset
from spheroid_jax.data.partitions import TEST
from spheroid_jax.evaluation import held_out
from spheroid_jax.evaluation.compare import runs as runs_module
from spheroid_jax.evaluation.compare import study
from spheroid_jax.inference import model_file
from spheroid_jax.training import settings
from spheroid_jax.workdir import Workdir

SIZE = 48
SHARES = {"dataset1": 70.0, "dataset2": 30.0}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "root"
    return write_root(folder, {"dataset1": 14, "dataset2": 12}, size=60)


def finish_folds(workdir, root, factors, *, size=SIZE):
    """Writes the files of five trained folds; `factors` scale the last weights of their models."""
    config = adver.get_config()
    config.data.root, config.data.size = str(root), size
    workdir.mkdir()
    run = Workdir(workdir)
    run.write_config(settings.nested(config))
    dataset = open_dataset(root, SHARES, size=size, stream="numpy", cache=None, workdir=run)
    for fold, factor in enumerate(factors):
        folder = workdir / f"fold_{fold}"
        model = scaled(thresholding(size), factor)
        model_file.save(model, folder / "model", provenance={})
        held_out.score(model, run.fold(fold), dataset.partition(TEST))
        lines = [
            {"step": step, "cross_entropy": 1 / step, "lambda": step / 90} for step in (10, 20, 30)
        ]
        lines.insert(2, {"step": 20, "validation/mean": 0.8})
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return workdir


@pytest.fixture(scope="module")
def runs(root, tmp_path_factory):
    """Makes two runs: one that finds the bodies, and one that is worse in two folds."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        finish_folds(folder / "good", root, [1.0, 0.5, 0.3, 0.2, 1.0]),
        finish_folds(folder / "bad", root, [1.0, -1.0, 0.5, -0.5, 1.0]),
    ]


@pytest.fixture(scope="module")
def report(runs):
    assert command.main([*map(str, runs)]) == 0
    return runs[0] / "report"


def test_images_drawn_beside_a_run_s_own_are_found_again(root, tmp_path):
    recipe = {"n_easy": 6, "n_hard": 0, "n_varied": 0, "size": 64, "seed": 0}
    data = {"root": str(root), "cache": str(tmp_path), "size": SIZE}
    data["synthetic_beside"] = True
    parts = open_dataset(
        source.open_root(data["root"], tmp_path, recipe, beside=True),
        {"dataset1": 1.0, "easy": 1.0},
        size=SIZE,
        stream="numpy",
        cache=None,
        workdir=Workdir(tmp_path),
    ).partitions
    run = runs_module.Run(
        *("run", Workdir(tmp_path), {"data": data, "synthetic": recipe}), {"partitions": parts}
    )
    test, rest = runs_module.read_images([run])
    names = {dataset for dataset, _ in test.names}
    assert names == {"dataset1", "easy"}
    assert len(rest.names) == 14 + 6 - len(test.names)


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_report_has_all_its_parts(report):
    assert {path.name for path in report.iterdir()} >= {
        "index.html",
        "scores.csv",
        "figure5.svg",
        "tails.svg",
        "training.svg",
        "maps_dataset1.svg",
        "maps_dataset2.svg",
        *(
            f"{table}.{form}"
            for form in ("csv", "md", "tex")
            for table in ("table2", "tests", "beyond_dataset1")
        ),
    }
    page = (report / "index.html").read_text("utf-8")
    for label in ("good", "bad, ensemble", "Otsu", "best of"):
        assert label in page


def test_table_2_is_that_of_the_folds_own_scores(report, runs):
    """Read from the folds' files, and averaged here once more."""
    table = {row["model"]: row for row in rows_of(report / "table2.csv")}
    for run in runs:
        for dataset in SHARES:
            means = [
                np.mean(
                    [
                        float(row["f_score"])
                        for row in rows_of(run / f"fold_{fold}" / "scores.csv")
                        if row["dataset"] == dataset
                    ]
                )
                for fold in range(5)
            ]
            row = table[run.name]
            mean, std = np.mean(means), np.std(means, ddof=1)
            assert float(row[f"{dataset} maF"]) == pytest.approx(100 * mean)
            assert float(row[f"{dataset} maF std"]) == pytest.approx(100 * std)
    assert float(table["good"]["dataset1 maF"]) > 90
    assert float(table["bad"]["dataset1 maF std"]) > 30
    assert float(table["Otsu"]["dataset1 maF"]) > 90
    assert table["Otsu"]["dataset1 maF std"] == ""


def test_every_score_of_every_row_is_written(report, runs):
    rows = rows_of(report / "scores.csv")
    parts = json.loads((runs[0] / "partitions.json").read_text())["partitions"]
    images = sum(len(six[TEST]) for six in parts.values())
    # Five folds and an ensemble a run, and two baselines.
    assert len(rows) == images * (2 * 6 + 2)
    best = max(float(r["f_score"]) for r in rows if r["source"] == "good")
    assert best <= 1
    assert list(rows[0])[:7] == ["source", "fold", "dataset", "image", "group", "height", "width"]
    assert rows[0]["group"] == rows[0]["image"]  # Each image is a group of its own here.
    assert (rows[0]["height"], rows[0]["width"]) == (str(SIZE), str(SIZE))
    assert {r["fold"] for r in rows if r["source"] == "good"} == set("01234")
    assert {r["fold"] for r in rows if r["source"] == "Otsu"} == {""}


def test_the_ensemble_is_scored_once_and_again_when_a_fold_changes(report, runs):
    scores = runs[1] / "ensemble" / "scores.csv"
    before = scores.stat().st_mtime_ns
    assert command.main([*map(str, runs)]) == 0
    assert scores.stat().st_mtime_ns == before
    fold = runs[1] / "fold_1"
    kept = model_file.load(fold)
    model_file.save(scaled(kept, 0.9), fold / "model", provenance={})
    assert command.main([*map(str, runs)]) == 0
    assert scores.stat().st_mtime_ns > before
    model_file.save(kept, fold / "model", provenance={})


def test_the_same_runs_give_the_same_report(report, runs, tmp_path):
    assert command.main([*map(str, runs), "--output", str(tmp_path)]) == 0
    for path in report.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path


def refused(capsys, *arguments):
    assert command.main([*map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("spheroid compare: ") and error.count("\n") == 1
    return error


def test_a_missing_fold_is_refused(runs, root, tmp_path, capsys):
    short = finish_folds(tmp_path / "short", root, [1.0] * 4)
    error = refused(capsys, runs[0], short)
    assert "fold_4" in error and "--fold=all" in error


def test_another_test_set_is_refused(runs, tmp_path, capsys):
    other = write_root(tmp_path / "root", {"dataset1": 14, "dataset2": 12}, size=60, seed=1)
    elsewhere = finish_folds(tmp_path / "other", other, [1.0] * 5)
    assert "different images or masks" in refused(capsys, runs[0], elsewhere)


def test_other_partitions_are_refused(runs, root, tmp_path, capsys):
    other = finish_folds(tmp_path / "other", root, [1.0] * 5)
    path = other / "partitions.json"
    written = json.loads(path.read_text())
    parts = written["partitions"]["dataset2"]
    parts[0], parts[5] = parts[5], parts[0]
    path.write_text(json.dumps(written))
    error = refused(capsys, runs[0], other)
    assert "different partitions (dataset2)" in error


def test_another_grid_is_refused(runs, root, tmp_path, capsys):
    other = finish_folds(tmp_path / "other", root, [1.0] * 5, size=40)
    assert "data.size 48 and 40" in refused(capsys, runs[0], other)


def test_scores_of_other_images_are_refused(root, tmp_path, capsys):
    other = finish_folds(tmp_path / "other", root, [1.0] * 5)
    path = other / "fold_3" / "scores.csv"
    path.write_text(re.sub("dataset1_", "other_", path.read_text()))
    assert "fold_3" in refused(capsys, other)


def test_a_data_root_that_changed_is_refused(runs, tmp_path, capsys):
    other = write_root(tmp_path / "root", {"dataset1": 14, "dataset2": 12}, size=60, seed=1)
    error = refused(capsys, *runs, "--data", other)
    assert "changed dataset1/" in error


@pytest.mark.parametrize(
    ("arguments", "words"), [(["nowhere"], "not a work directory"), (["{0}", "{0}"], "named twice")]
)
def test_what_is_no_comparison_is_refused(runs, capsys, arguments, words):
    assert words in refused(capsys, *(a.format(runs[0]) for a in arguments))


@pytest.mark.parametrize("missing", ["", "jinja2"])
def test_only_the_report_needs_more_than_inference_does(runs, tmp_path, missing):
    script = """
import sys
for name in ("tensorflow", "tensorflow_datasets", "orbax", "optax", "ml_collections",
             "tensorboardX", "chex", *sys.argv.pop(1).split()):
    sys.modules[name] = None
from spheroid_jax.commands import compare as command
sys.exit(command.main(sys.argv[1:]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, missing, *map(str, runs), "--output", tmp_path / "report"],
        env={"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    if missing:
        assert done.returncode == 2 and 'pip install "spheroid-jax[report]"' in done.stderr
        assert done.stderr.count("\n") == 1
    else:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "report" / "index.html").exists()


def test_a_study_counts_what_diverged(root, tmp_path):
    finish_folds(tmp_path / "steady", root, [1.0] * 5)
    finish_folds(tmp_path / "wild", root, [1.0, -1.0, 1.0])
    for fold in (3, 4):
        folder = tmp_path / "wild" / f"fold_{fold}"
        folder.mkdir()
        (folder / "diverged.json").write_text("{}")
        (folder / "metrics.jsonl").write_text(
            '{"step": 1, "validation/mean": 0.9}\n'
            '{"step": 2, "validation/mean": 0.3}\n'
            '{"step": 3, "validation/mean": 0.5}\n'
        )
    text = study.write(tmp_path, ("steady", "wild"))
    steady, wild = rows_of(tmp_path / "study.csv")
    assert (steady["diverged"], wild["diverged"]) == ("0.0", "2.0")
    assert float(steady["dataset1"]) > 90
    assert float(wild["dataset1 std"]) > 40  # One of three finds nothing.
    assert float(wild["worst fold"]) < 30  # It finds the ground instead.
    assert float(wild["largest fall"]) == 0  # The median of 0, 0, 0, 60, 60.
    assert "steady" in text
    assert b"<svg" in (tmp_path / "study.svg").read_bytes()


def test_a_study_may_have_one_fold_and_datasets_of_its_variants_own(root, tmp_path):
    finish_folds(tmp_path / "one", root, [1.0])
    finish_folds(tmp_path / "other", root, [1.0])
    path = tmp_path / "other" / "partitions.json"
    path.write_text(path.read_text().replace("dataset1", "dataset3"))
    path = tmp_path / "other" / "fold_0" / "scores.csv"
    path.write_text(path.read_text().replace("dataset1", "dataset3"))
    text = study.write(tmp_path, ("one", "other"))
    one, other = rows_of(tmp_path / "study.csv")
    assert float(one["dataset1"]) == float(other["dataset3"]) > 90
    assert one["dataset3"] == other["dataset1"] == "NaN"
    assert "nan" not in text
    with pytest.raises(FileNotFoundError, match="no fold"):
        study.write(tmp_path, ["."])


def test_an_unfinished_study_is_refused(root, tmp_path):
    finish_folds(tmp_path / "short", root, [1.0] * 2)
    (tmp_path / "short" / "fold_2").mkdir()
    with pytest.raises(FileNotFoundError, match="fold_2"):
        study.write(tmp_path, ["short"])
