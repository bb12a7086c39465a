"""Processes that train the folds of one config, one process per fold.

A fold that fails does not stop the other folds. Several GPUs train several folds at the same time.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, NamedTuple

from spheroid_jax import workdir
from spheroid_jax.runtime import devices, signals

ALL = range(workdir.FOLDS)
_POLL_S = 0.1
# Runs in a separate process, because JAX would keep the memory of the devices in this one.
_ASK_DEVICES = "import jax; print(jax.default_backend(), jax.local_device_count())"


class Outcome(NamedTuple):
    """The end of a fold's process.

    Attributes:
      fold: number of the fold.
      status: exit status; negative if a signal killed the process; None if the process was not
        started, because a signal had asked to stop.
      last_line: last line that the process wrote to stderr, or "".
    """

    fold: int
    status: int | None
    last_line: str


def run(command, folds, *, batch_size, devices_per_fold):
    """Runs `command --fold=K` for each fold K, in turn or, on several GPUs, at the same time.

    Signals that ask to stop are passed on: running folds save and stop, and no further fold starts.

    Args:
      command: the words of a command line.
      folds: numbers of the folds.
      batch_size: images per step.
      devices_per_fold: number of devices that share a batch; 0 for as many as divide the batch.

    Returns:
      list of `Outcome`s, and the number of the signal that asked to stop, or 0.
    """
    free = _places(batch_size, devices_per_fold)
    waiting, running, outcomes, asked = list(folds), {}, [], False
    with signals.stop_signals() as stop_requested, _ended_with_us(running):
        while running or (waiting and not stop_requested()):
            while free and waiting and not stop_requested():
                fold = _Fold(command, waiting.pop(0), place := free.pop(0))
                running[fold] = place
            if stop_requested() and not asked:
                asked = True
                for fold in running:
                    fold.ask_to_stop(stop_requested())
            for fold in [f for f in running if f.process.poll() is not None]:
                free.append(running.pop(fold))
                outcomes.append(fold.outcome())
            time.sleep(_POLL_S)
    outcomes += [Outcome(fold, None, "") for fold in waiting]
    return outcomes, stop_requested()


@contextlib.contextmanager
def _ended_with_us(running):
    """Kills the folds that still run when the block ends by an error or by a second Ctrl-C."""
    try:
        yield
    finally:
        for fold in running:
            fold.process.kill()
            fold.outcome()


def problems(outcomes):
    """Describes the folds that did not finish.

    Args:
      outcomes: list of `Outcome`s, as returned by `run`.

    Returns:
      One line per fold that failed, was stopped, or was not started.
    """
    lines = []
    for fold, status, last_line in outcomes:
        if status is None or status - 128 in signals.STOPPING:
            lines.append(f"fold {fold}: not finished")
        elif status < 0:
            name = signal.Signals(-status).name
            lines.append(f"fold {fold}: FAILED, killed by {name}")
        elif status:
            lines.append(f"fold {fold}: FAILED: {last_line}".rstrip(": "))
    return lines


class _Fold:
    """The running process of one fold, whose output is copied with the fold's number."""

    def __init__(self, command, number, environment):
        self.number, self._last_line = number, ""
        self.process = subprocess.Popen(
            [*command, f"--fold={number}"],
            env=os.environ | environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            **_apart_from_ctrl_c(),
        )
        self._readers = [
            threading.Thread(target=self._copy, args=streams, daemon=True)
            for streams in ((self.process.stderr, sys.stderr), (self.process.stdout, sys.stdout))
        ]
        for reader in self._readers:
            reader.start()

    def ask_to_stop(self, number):
        """Passes a signal on to the process; on Windows, Ctrl-Break stands for every signal."""
        self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", number))

    def outcome(self):
        """Waits until the process and its output have ended, and returns the `Outcome`."""
        for reader in self._readers:
            reader.join()
        with self.process:  # Waits, and closes the pipes.
            pass
        return Outcome(self.number, self.process.returncode, self._last_line)

    def _copy(self, source, target):
        for line in source:
            target.write(f"fold {self.number} | {line}")
            target.flush()
            if target is sys.stderr and line.strip():
                self._last_line = line.strip()


def _apart_from_ctrl_c() -> dict[str, Any]:
    """Returns options of `Popen` that keep a Ctrl-C in the terminal away from the new process.

    Without them, a fold would get Ctrl-C twice, from the terminal and from this process.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _places(batch_size, devices_per_fold):
    """Returns environment variables, one dict per fold that can run at the same time."""
    answer = subprocess.run(
        [sys.executable, "-c", _ASK_DEVICES], capture_output=True, text=True, check=True
    ).stdout.split()
    platform, available = answer[-2], int(answer[-1])
    # On a CPU or a TPU, one process takes all cores or devices.
    if platform != "gpu":
        return [{}]
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = names.split(",") if names else [str(n) for n in range(available)]
    n = devices.sharing(batch_size, devices_per_fold, available)
    return [
        {"CUDA_VISIBLE_DEVICES": ",".join(names[k : k + n])} for k in range(0, available - n + 1, n)
    ]
