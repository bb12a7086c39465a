"""Tests of the errors of launch.py: one line on stderr, and an exit status."""

import subprocess
import sys

import pytest
from helpers import ROOT, write_root
from launching import demo, launch, one_line


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
    one_line(err, *words)


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
    one_line(err, *words)


def test_another_config_in_the_same_work_directory_is_refused(workplace, trained):
    arguments = demo(workplace, "trained", "--config.model.width=3")
    status, _, err = launch(workplace, *arguments)
    assert status == 2
    one_line(err, "model.width = 2 there, 3 here", "--workdir")


def test_another_data_root_in_the_same_work_directory_is_refused(workplace, trained, tmp_path):
    root = write_root(tmp_path / "other", {"dataset1": 8, "dataset2": 7}, seed=1)
    arguments = demo(workplace, "trained", f"--config.data.root={root}")
    status, _, err = launch(workplace, *arguments, "--fold=1")
    assert status == 2
    one_line(err, "changed dataset1/dataset1_0")


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
    one_line(err, "dataset1: 5 images", "at least 6")


def test_a_full_disk_is_one_line(workplace, tmp_path):
    """The system refuses files as large as checkpoints."""
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
    one_line(result.stderr, "checkpoint")


def test_a_bug_of_ours_keeps_its_traceback_and_says_whose_it_is(workplace):
    """An earlier version printed one line without a traceback for a bug in the training step."""
    code = """
import runpy, sys
from spheroid_jax.training import steps

def broken(*arguments, **options):
    def train_step(state, batch):
        return len(3)
    return train_step

steps.make_train_step = broken
sys.argv[0] = sys.argv.pop(1)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    result = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "launch.py"), *demo(workplace, "bug")],
        env=workplace[2],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 70
    assert "Traceback" in result.stderr and "in train_step" in result.stderr
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("launch.py: this is a bug of spheroid_jax")
    assert "TypeError: object of type 'int' has no len()" in lines


@pytest.mark.parametrize("package", ["absl", "ml_collections", "optax", "orbax", "tensorboardX"])
def test_a_missing_package_is_one_line_that_says_how_to_install_it(workplace, package):
    code = f"""
import runpy, sys
sys.modules[{package!r}] = None
sys.argv[0] = sys.argv.pop(1)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    result = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "launch.py"), *demo(workplace, "missing")],
        env=workplace[2],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 2, result.stderr
    one_line(result.stderr, package, 'pip install "spheroid-jax[train]"')


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("config.model.patch = 2", ["config.model.patch: nothing reads this key"]),
        ("config.model.widht = 2", ["config.model.widht", "did you mean config.model.width?"]),
        ("config.train.epochs = 'two'", ["config.train.epochs = 'two'", "at least 1"]),
        ("config.augment.twist = 2.0", ["config.augment.twist: nothing reads this key"]),
        ("config.model.width = 3.5", ["config.model.width = 3.5", "at least 1"]),
        ("1 / 0", ["--config cannot be loaded: ZeroDivisionError: ", "mine.py, line 5"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_in_a_config_file_is_one_line(workplace, tmp_path, line, words):
    """In an earlier version, some of these values raised a `TypeError` inside the network."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from configs import demo\n"
        "def get_config():\n"
        "    config = demo.get_config()\n"
        "    with config.ignore_type(), config.unlocked():\n"
        f"        {line}\n"
        "    return config\n"
    )
    status, _, err = launch(workplace, f"--config={file}", f"--workdir={tmp_path / 'run'}")
    assert status == 2
    one_line(err, *words)
