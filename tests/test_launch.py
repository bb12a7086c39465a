"""Tests of launch.py as a user runs it: results, restarts, all folds, studies."""

import csv
import json
import random
import re
import signal
import time

import pytest
from launching import TF, demo, hash_of, launch, one_line, start

import spheroid_jax as sj


def test_a_fold_leaves_all_that_is_promised(trained):
    fold, out, err = trained
    assert {path.name.split(".")[0] for path in fold.iterdir()} >= {
        "checkpoints",
        "examples",
        "metrics",
        "model",
        "scores",
        "events",
    }
    assert (fold.parent / "config.json").is_file()
    parts = json.loads((fold.parent / "partitions.json").read_text())
    test_set = {(dataset, stem) for dataset, six in parts["partitions"].items() for stem in six[5]}
    with open(fold / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["dataset"], row["image"]) for row in rows} == test_set
    assert all(0 <= float(row["f_score"]) <= 1 for row in rows)
    assert re.search(r"^dataset1 +\d", out, re.M)
    assert (fold / "examples.png").read_bytes().startswith(b"\x89PNG")


def test_the_first_lines_say_what_will_happen(trained):
    _, _, err = trained
    head = "\n".join(err.splitlines()[:4])
    assert "demo, fold 0" in head
    assert "24 steps" in head and "on this machine" in head
    assert "Traceback" not in err and "WARNING" not in err


def test_the_model_segments(trained, rng):
    params = sj.load(trained[0])
    found = sj.segment(params, rng.random((60, 50)))
    assert found.mask.shape == (60, 50)


def test_the_same_job_compiles_nothing_a_second_time(workplace, trained):
    programs = workplace[0] / "cache/spheroid_jax/xla"
    kept = {p for p in programs.rglob("*") if not p.name.endswith("-atime")}
    assert any("run_steps" in path.name for path in kept)
    status, _, err = launch(workplace, *demo(workplace, "second", TF))
    assert status == 0, err
    after = {p for p in programs.rglob("*") if not p.name.endswith("-atime")}
    assert after == kept
    first, second = (hash_of(workplace[0] / name / "fold_0") for name in ("trained", "second"))
    assert first == second


def test_compiled_programs_are_kept_only_where_wanted(workplace):
    folder = workplace[0] / "no_programs"
    status, _, err = launch(
        workplace,
        *demo(workplace, "unkept", "--config.train.samples_per_epoch=1"),
        f"--config.data.cache={folder}",
        "--config.train.keep_programs=False",
    )
    assert status == 0, err
    assert not list(folder.rglob("xla"))


def test_a_finished_fold_is_not_trained_again(workplace, trained):
    before = hash_of(trained[0])
    began = time.monotonic()
    status, out, err = launch(workplace, *demo(workplace, "trained"))
    assert status == 0 and "is finished" in err
    assert out == trained[1]
    assert hash_of(trained[0]) == before
    assert "step" not in err and time.monotonic() - began < 60


def test_killed_at_random_moments_it_ends_with_the_same_parameters(workplace, trained):
    """Kills training at random moments, drawn anew in each run; the message names the seed."""
    folder = workplace[0]
    fold = folder / "killed" / "fold_0"
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    kills, status = 0, None
    while status is None:
        stream = moments.choice(["tf", "numpy"])
        process = start(workplace, *demo(workplace, "killed", f"--config.data.stream={stream}"))
        target = moments.randrange(4, 25)
        while status is None and _steps(fold) < target:
            status = process.poll()
            time.sleep(0.005)
        if status is None and kills < 2:
            time.sleep(moments.uniform(0, 0.3))  # Into the write, perhaps.
            process.kill()
            kills += 1
            process.communicate()
        else:
            _, err = process.communicate(timeout=300)
            status = process.returncode
            assert status == 0, f"seed {seed}: {err}"
    assert kills, f"seed {seed}: never killed"
    assert hash_of(fold) == hash_of(trained[0]), f"seed {seed}"
    assert (fold / "scores.csv").read_text() == (trained[0] / "scores.csv").read_text()


def _steps(fold):
    """Returns the last step in metrics.jsonl."""
    try:
        lines = (fold / "metrics.jsonl").read_text().splitlines()
        return json.loads(lines[-1])["step"]
    except (OSError, IndexError, ValueError):
        return 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_says_so_and_goes_on_to_the_same_end(workplace, trained, number):
    name = f"stopped_{number}"
    fold = workplace[0] / name / "fold_0"
    arguments = demo(workplace, name)
    process = start(workplace, *arguments)
    while _steps(fold) < 4 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 128 + number, err
    assert "the same command goes on from there" in err
    status, _, err = launch(workplace, *arguments)
    assert status == 0 and "Going on from step" in err
    assert hash_of(fold) == hash_of(trained[0])


def test_two_processes_do_not_train_one_fold(workplace):
    arguments = demo(workplace, "busy", "--config.train.epochs=50")
    first = start(workplace, *arguments)
    fold = workplace[0] / "busy" / "fold_0"
    while not (fold / ".lock").exists() and first.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    status, _, err = launch(workplace, *arguments)
    first.kill()
    first.communicate()
    assert status == 2 and "another process" in err


def test_a_fold_can_be_evaluated_from_its_work_directory_alone(workplace, trained):
    fold = trained[0]
    scores = (fold / "scores.csv").read_text()
    (fold / "scores.csv").unlink()
    status, out, err = launch(workplace, f"--workdir={fold.parent}", "--mode=evaluate")
    assert status == 0, err
    assert (fold / "scores.csv").read_text() == scores
    assert out == trained[1]


def test_all_folds_go_on_past_a_failing_one_and_are_then_compared(workplace):
    folder = workplace[0]
    arguments = demo(workplace, "all", "--config.train.samples_per_epoch=8")
    run = folder / "all"
    run.mkdir()
    (run / "fold_3").write_text("in the way")
    status, _, err = launch(workplace, *arguments, "--fold=all")
    assert status == 2, err
    one_line(err, "1 of the folds failed")
    assert re.search(r" fold 3: FAILED: launch.py: .*fold_3", err)
    finished = {
        fold: (run / f"fold_{fold}" / "scores.csv").stat().st_mtime_ns for fold in (0, 1, 2, 4)
    }
    (run / "fold_3").unlink()
    status, out, err = launch(workplace, *arguments, "--fold=all")
    assert status == 0, err
    assert "fold 2 | " in err and "is finished" in err
    assert (run / "fold_3" / "scores.csv").is_file()
    for fold, written in finished.items():
        scores = run / f"fold_{fold}" / "scores.csv"
        assert scores.stat().st_mtime_ns == written
    assert len(sj.load(run).members) == 5


def test_a_study_trains_each_variant_and_reports_what_diverged(workplace):
    folder, root, environment = workplace
    (folder / "two.py").write_text(
        "from configs import demo\n"
        "def get_config(rate=''):\n"
        "    config = demo.get_config()\n"
        "    if not rate:\n"
        "        config.variants = ('1e-4', '1e30')\n"
        "        return config\n"
        "    config.optimizer.learning_rate = float(rate)\n"
        "    return config\n"
    )
    arguments = [
        f"--config={folder / 'two.py'}",
        *demo(workplace, "study", "--config.train.samples_per_epoch=8")[1:],
    ]
    status, out, err = launch(workplace, *arguments, "--fold=all")
    assert status == 0, err
    assert re.search(r"^1e-4 .* 0 *$", out, re.M), out
    assert re.search(r"^1e30 .* 5 *$", out, re.M), out
    assert (folder / "study" / "1e30/fold_4/diverged.json").is_file()
    assert (folder / "study" / "study.svg").is_file()


def test_a_diverging_training_stops_with_one_line_and_keeps_the_last_state(workplace):
    status, _, err = launch(
        workplace, *demo(workplace, "diverged", "--config.optimizer.learning_rate=1e30")
    )
    assert status == 2
    last = err.splitlines()[-1]
    assert re.search(r"launch.py: .* is not finite at step \d+", last)
