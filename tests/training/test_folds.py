"""Tests of folds that run as processes: failures, signals, devices."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from spheroid_jax.training import folds

ONE = {"batch_size": 1, "devices_per_fold": 0}


def command(code):
    """Returns a command that runs `code`, in which `fold` is the number of the fold."""
    begin = "import os, sys, time\nfold = int(sys.argv[-1].split('=')[1])\n"
    return [sys.executable, "-c", begin + textwrap.dedent(code)]


@pytest.fixture
def devices(monkeypatch):
    """Returns a function that sets the devices that a new process reports."""

    def say(platform, count):
        monkeypatch.setattr(folds, "_ASK_DEVICES", f"print({platform!r}, {count})")

    say("cpu", 4)
    return say


def test_a_failing_fold_is_reported_and_does_not_stop_the_others(devices, capfd):
    code = """
        print("scores of", fold)
        if fold == 1:
            sys.exit("launch.py: no such folder")
        if fold == 2:
            os.kill(os.getpid(), 9)
    """
    outcomes, stopped_by = folds.run(command(code), range(4), **ONE)
    assert stopped_by == 0
    assert [outcome.status for outcome in outcomes] == [0, 1, -9, 0]
    assert folds.problems(outcomes) == [
        "fold 1: FAILED: launch.py: no such folder",
        "fold 2: FAILED, killed by SIGKILL",
    ]
    out, err = capfd.readouterr()
    assert "fold 3 | scores of 3" in out
    assert "fold 1 | launch.py: no such folder" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_reaches_the_running_fold_and_begins_no_other(devices, tmp_path, number):
    begun = tmp_path / "begun"
    code = f"""
        import signal
        from spheroid_jax.runtime import signals
        with signals.stop_signals() as asked:
            open({str(begun)!r}, "w").close()
            while not asked():
                time.sleep(0.01)
        sys.exit(128 + asked())
    """

    def ask():
        while not begun.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    asking = threading.Thread(target=ask)
    asking.start()
    outcomes, stopped_by = folds.run(command(code), range(3), **ONE)
    asking.join()
    assert stopped_by == number
    assert [o.status for o in outcomes] == [128 + number, None, None]
    assert folds.problems(outcomes) == [f"fold {n}: not finished" for n in range(3)]


def test_an_error_leaves_no_fold_running(devices, monkeypatch):
    process = None

    def fail(seconds):
        raise KeyboardInterrupt

    made = folds._Fold.__init__

    def remember(self, *arguments):
        nonlocal process
        made(self, *arguments)
        process = self.process

    monkeypatch.setattr(folds._Fold, "__init__", remember)
    monkeypatch.setattr(folds.time, "sleep", fail)
    with pytest.raises(KeyboardInterrupt):
        folds.run(command("time.sleep(60)"), range(2), **ONE)
    assert process.wait(timeout=10) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("named", "options", "expected"),
    [
        ("", ONE, ["0", "1", "2", "3"]),
        ("4,5,6,7", ONE, ["4", "5", "6", "7"]),
        ("", {"batch_size": 4, "devices_per_fold": 2}, ["0,1", "2,3"]),
        ("", {"batch_size": 4, "devices_per_fold": 0}, ["0,1,2,3"]),
    ],
)
def test_each_gpu_has_a_fold_of_its_own(devices, monkeypatch, named, options, expected):
    devices("gpu", 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    places = folds._places(**options)
    assert [place["CUDA_VISIBLE_DEVICES"] for place in places] == expected


def test_folds_run_side_by_side_where_there_are_devices(devices, tmp_path):
    """Each fold waits for the other one, so folds that ran in turn would never end."""
    devices("gpu", 2)
    code = f"""
        import pathlib
        here = pathlib.Path({str(tmp_path)!r})
        (here / str(fold)).write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        while not (here / str(1 - fold)).exists():
            time.sleep(0.01)
    """
    outcomes, _ = folds.run(command(code), range(2), **ONE)
    assert [outcome.status for outcome in outcomes] == [0, 0]
    used = {(tmp_path / name).read_text() for name in ("0", "1")}
    assert used == {"0", "1"}


def test_the_devices_asked_for_are_those_that_there_are():
    answer = subprocess.run(
        [sys.executable, "-c", folds._ASK_DEVICES],
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert answer == ["cpu", "1"]


def test_on_windows_a_fold_has_a_group_of_its_own_and_is_asked_by_ctrl_break(monkeypatch):
    asked = []

    class Process:
        def send_signal(self, number):
            asked.append(number)

    fold = object.__new__(folds._Fold)
    fold.process = Process()
    fold.ask_to_stop(signal.SIGINT)
    assert folds._apart_from_ctrl_c() == {"start_new_session": True}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(signal, "CTRL_BREAK_EVENT", 1, raising=False)
    assert folds._apart_from_ctrl_c() == {"creationflags": 0x200}
    fold.ask_to_stop(signal.SIGINT)
    assert asked == [signal.SIGINT, 1]
