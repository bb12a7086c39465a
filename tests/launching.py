"""Helpers that run launch.py as a user does, with tiny trainings."""

import json
import subprocess
import sys

from helpers import ROOT

# Makes training take seconds; all other values are those of the config.
TINY = (
    "--config.model.width=2",
    "--config.data.size=32",
    "--config.train.samples_per_epoch=24",
    "--config.train.epochs=1",
    "--config.train.validate_every=8",
    "--config.train.log_every=4",
)
DEMO = ("--config=configs/demo.py", "--config.model.depth=3", *TINY)


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
    """Runs launch.py; returns exit status, stdout and stderr."""
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


def one_line(err, *words):
    """Checks that stderr ends with one line of error and has no traceback."""
    assert "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last.startswith("launch.py: ")
    for word in words:
        assert word in last
