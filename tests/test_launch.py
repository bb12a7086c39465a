"""The command, as a user runs it: results, restarts, bad input."""

import csv
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import ROOT, write_root

import spheroid_jax as sj
from configs import finetune
from spheroid_jax import models
from spheroid_jax.inference import model_file

# A training of seconds; everything else as in the config.
TINY = (
    "--config.model.width=2",
    "--config.data.size=32",
    "--config.train.samples_per_epoch=24",
    "--config.train.epochs=1",
    "--config.train.validate_every=8",
    "--config.train.log_every=4",
)
DEMO = ("--config=configs/demo.py", "--config.model.depth=3", *TINY)


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """A data root, and an environment whose caches are the test's own."""
    folder = tmp_path_factory.mktemp("launch")
    root = write_root(folder / "root", {"dataset1": 8, "dataset2": 7})
    environment = os.environ | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "MPLCONFIGDIR": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    return folder, root, environment


def start(workplace, *arguments):
    _, root, environment = workplace
    return subprocess.Popen(
        [sys.executable, str(ROOT / "launch.py"), *map(str, arguments)],
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def launch(workplace, *arguments):
    """Runs the command; returns (exit status, stdout, stderr)."""
    process = start(workplace, *arguments)
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def demo(workplace, name, *arguments):
    """The tiny demo on the test's data root, into workdir `name`.

    With the stream that starts faster; both give the same parameters.
    """
    folder, root, _ = workplace
    return (
        *DEMO,
        f"--workdir={folder / name}",
        f"--config.data.root={root}",
        "--config.data.stream=numpy",
        *arguments,
    )


TF = "--config.data.stream=tf"


def hash_of(fold):
    return json.loads((fold / "model" / "model.json").read_text())["sha256"]


@pytest.fixture(scope="session")
def trained(workplace):
    """The uninterrupted run that others are held against."""
    status, out, err = launch(workplace, *demo(workplace, "trained", TF))
    assert status == 0, err
    return workplace[0] / "trained" / "fold_0", out, err


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
    """Kill -9 at moments drawn anew in each run; the seed is in the message."""
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
    """The last step that metrics.jsonl shows."""
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
    _one_line(err, "1 of the folds failed")
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


def _one_line(err, *words):
    """The error is the one last line, and no traceback."""
    assert "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last.startswith("launch.py: ")
    for word in words:
        assert word in last


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config.model.widht=3"], ["model.widht", 'mean "width"']),
        (["--config.trian.epochs=3"], ["trian.epochs", 'mean "train"']),
        (["--config.model.width=wide"], ["model.width", "wide"]),
        (["--config.model.width=0"], ["model.width = 0", "at least 1"]),
        (["--config.model.name=resnet"], ["model.name", "multiscale, unet"]),
        (["--config.model.dtype=float8"], ["model.dtype", "bfloat16"]),
        (["--config.data.size=8"], ["data.size = 8", "at least 32"]),
        (["--config.data.datasets=a:1,a:2"], ["data.datasets", "NAME:SHARE"]),
        (["--config.train.batch_size=9999"], ["batch_size", "larger"]),
        (["--config.data.root=/not/there"], ["/not/there", "no such folder"]),
        (["--fold=5"], ["--fold=5", "0 to 4"]),
        (["--fold=-1"], ["--fold=-1", "0 to 4"]),
        (["--fold=two"], ["fold", "two"]),
        (["--mode=test"], ["mode", "train|evaluate"]),
        (["--confg=x"], ["confg"]),
        (["fold=2"], ["fold=2", "begin with --"]),
    ],
    ids=lambda value: value[0] if value[0].startswith("-") else "",
)
def test_a_bad_option_is_one_line_with_its_name(workplace, arguments, words):
    status, _, err = launch(workplace, *demo(workplace, "bad", *arguments))
    assert status == 2
    _one_line(err, *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--config=configs/NAME.py"]),
        (["--config=configs/nope.py"], ["configs/nope.py", "No such file"]),
        (["--workdir=nowhere"], ["nowhere", "config.json"]),
    ],
    ids=["nothing", "config", "workdir"],
)
def test_without_a_config_it_says_what_to_give(workplace, arguments, words):
    status, _, err = launch(workplace, *arguments)
    assert status == 2
    _one_line(err, *words)


def test_another_config_in_the_same_work_directory_is_refused(workplace, trained):
    arguments = demo(workplace, "trained", "--config.model.width=3")
    status, _, err = launch(workplace, *arguments)
    assert status == 2
    _one_line(err, "model.width = 2 there, 3 here", "--workdir")


def test_another_data_root_in_the_same_work_directory_is_refused(workplace, trained, tmp_path):
    root = write_root(tmp_path / "other", {"dataset1": 8, "dataset2": 7}, seed=1)
    arguments = demo(workplace, "trained", f"--config.data.root={root}")
    status, _, err = launch(workplace, *arguments, "--fold=1")
    assert status == 2
    _one_line(err, "changed dataset1/dataset1_0")


def test_all_that_is_wrong_with_a_data_root_is_said_at_once(workplace, tmp_path):
    root = write_root(tmp_path / "root", {"dataset1": 8, "dataset2": 7})
    (root / "dataset1" / "masks" / "dataset1_3.png").unlink()
    (root / "dataset2" / "images" / "dataset2_1.png").write_bytes(b"x" * 99)
    status, _, err = launch(workplace, *demo(workplace, "bad"), f"--config.data.root={root}")
    assert status == 2 and "Traceback" not in err
    assert "2 problems" in err
    assert "dataset1_3.png" in err and "dataset2_1.png" in err


def test_a_small_data_root_says_how_many_images_are_needed(workplace, tmp_path):
    root = write_root(tmp_path / "root", {"dataset1": 5})
    status, _, err = launch(workplace, *demo(workplace, "bad"), f"--config.data.root={root}")
    assert status == 2
    _one_line(err, "dataset1: 5 images", "at least 6")


def test_a_full_disk_is_one_line(workplace, tmp_path):
    """The system refuses files above a size that checkpoints exceed."""
    limited = [
        "bash",
        "-c",
        'ulimit -f 64; exec "$@"',
        "-",
        sys.executable,
        str(ROOT / "launch.py"),
        *demo(workplace, "full", "--config.model.width=8"),
    ]
    result = subprocess.run(limited, env=workplace[2], cwd=ROOT, text=True, capture_output=True)
    assert result.returncode == 2, result.stderr[-2000:]
    _one_line(result.stderr, "checkpoint")


COMMANDS = [
    line
    for page in ("README.md", "docs/evidence/results.md", "docs/evidence/paper.md")
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.S)
    for line in block.splitlines()
    if "python" in line
]
# Commands that each have a test file of their name.
TESTED_ELSEWHERE = ("compare", "score", "truth")


FINETUNE = "--config=configs/finetune.py"


def stand_in(folder):
    """Flags that make fine-tuning tiny, from a model that it makes in `folder`.

    It is of the packaged model's kind and of the shortened command's size;
    test_finetune.py holds the config against the packaged model itself.
    """
    network = finetune.get_config().model.to_dict() | {"width": 2, "depth": 3}
    variables = models.initial_variables(models.build(**network), 1, seed=0)
    model = model_file.Params.create(variables, size=32, **network)
    model_file.save(model, folder, provenance={})
    return (
        f"--config.init={folder}",
        "--config.optimizer.warmup=2",
        "--config.synthetic.n_varied=6",
        "--config.synthetic.n_easy=6",
        "--config.synthetic.n_hard=6",
        "--config.synthetic.size=64",
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_runs(workplace, trained, command):
    """Shortened by overrides, from the data root and into workdirs of here."""
    folder, root, environment = workplace
    command = command.split("&&")[-1].strip()
    if command == "python -m pytest":
        return  # This is it.
    words = shlex.split(command)
    assert words.pop(0) == "python"
    if words[0] == "launch.py":
        words = [word.replace("=DIR", f"={root}") for word in words]
        if "--mode=evaluate" in words:
            words += [f"--workdir={trained[0].parent}", "--fold=0"]
        else:
            words += [*TINY, f"--workdir={folder / str(abs(hash(command)))}"]
            if "--config=configs/unet.py" not in words:
                words.append("--config.model.depth=3")
            if "--config=configs/unet.py" in words:
                words.append("--config.data.stream=numpy")
            if FINETUNE in words:
                words += stand_in(folder / "stand_in")
            if not any("data.root" in word for word in words):
                words += [
                    "--config.synthetic.n_easy=6",
                    "--config.synthetic.n_hard=6",
                    "--config.synthetic.size=64",
                ]
    if "--config=configs/lambda_study.py" in words:
        pytest.skip("45 trainings; test_a_study_trains_each_variant runs two")
    if words[1].removeprefix("spheroid_jax.") in TESTED_ELSEWHERE:
        pytest.skip(f"test_{words[1].split('.')[1]}.py runs it")
    if words[:2] == ["-m", "spheroid_jax"]:
        plate = sorted((root / "dataset1" / "images").iterdir())
        assert words[3] == "plate/*.tif"
        assert words[2] == "spheroid-small"
        words[3:4] = map(str, plate)
    result = subprocess.run(
        [sys.executable, *words],
        env=environment | {"PYTHONPATH": str(ROOT)},
        cwd=folder if "--output=masks" in words else ROOT,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_the_readmes_python_segments(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    from PIL import Image

    image = np.random.default_rng(0).integers(0, 999, (70, 60), np.uint16)
    Image.fromarray(image).save(tmp_path / "well.tif")
    code = code.replace("well.tif", str(tmp_path / "well.tif"))
    names = {}
    exec(code, names)
    assert names["mask"].shape == names["probability"].shape == (70, 60)
