"""All folds of a config, each as a process of its own.

So a fold that fails, in whatever way, does not stop the others, and several
devices train several folds at a time.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from spheroid_jax import workdir
from spheroid_jax.runtime import devices, signals

ALL = range(workdir.FOLDS)
_POLL_S = 0.1
# Asks a fresh process, since JAX would keep the devices' memory to itself.
_ASK_DEVICES = "import jax; print(jax.default_backend(), jax.local_device_count())"


class Outcome(NamedTuple):
    """How a fold's process ended.

    Attributes:
      fold: its number.
      status: the exit status; negative: killed by that signal; None: not
        begun, since a stop was asked for.
      last_line: the last that it said on stderr, where that was read; "".
    """

    fold: int
    status: int | None
    last_line: str


def run(command, folds, *, batch_size, devices_per_fold):
    """Runs `command --fold=K` for each fold; side by side on several GPUs.

    SIGINT and SIGTERM are passed on, so running folds save and stop, and no
    other is begun.

    Args:
      command: list of words.
      folds: numbers.
      batch_size: images a batch.
      devices_per_fold: how many devices share it; 0: as many as divide it.

    Returns:
      list of `Outcome`s, and the signal that asked to stop, or 0.
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
                    fold.process.send_signal(stop_requested())
            for fold in [f for f in running if f.process.poll() is not None]:
                free.append(running.pop(fold))
                outcomes.append(fold.outcome())
            time.sleep(_POLL_S)
    outcomes += [Outcome(fold, None, "") for fold in waiting]
    return outcomes, stop_requested()


@contextlib.contextmanager
def _ended_with_us(running):
    """A second Ctrl-C, or an error here, leaves no fold running alone."""
    try:
        yield
    finally:
        for fold in running:
            fold.process.kill()
            fold.outcome()


def problems(outcomes, stopped_by):
    """Says in one line a fold what became of those that did not end well.

    Args:
      outcomes: of `run`.
      stopped_by: the signal that asked to stop, or 0.
    """
    lines = []
    for fold, status, last_line in outcomes:
        if status is None or (stopped_by and status == 128 + stopped_by):
            lines.append(f"fold {fold}: not finished")
        elif status < 0:
            name = signal.Signals(-status).name
            lines.append(f"fold {fold}: FAILED, killed by {name}")
        elif status:
            lines.append(f"fold {fold}: FAILED: {last_line}".rstrip(": "))
    return lines


class _Fold:
    """A running process, whose lines begin with its number."""

    def __init__(self, command, number, environment):
        self.number, self._last_line = number, ""
        # A session of its own: Ctrl-C reaches it once, from here.
        self.process = subprocess.Popen(
            [*command, f"--fold={number}"],
            env=os.environ | environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._copy, args=streams, daemon=True)
            for streams in ((self.process.stderr, sys.stderr), (self.process.stdout, sys.stdout))
        ]
        for reader in self._readers:
            reader.start()

    def outcome(self):
        """Waits for its last words."""
        for reader in self._readers:
            reader.join()
        with self.process:  # Waits, and closes its pipes.
            pass
        return Outcome(self.number, self.process.returncode, self._last_line)

    def _copy(self, source, target):
        for line in source:
            target.write(f"fold {self.number} | {line}")
            target.flush()
            if target is sys.stderr and line.strip():
                self._last_line = line.strip()


def _places(batch_size, devices_per_fold):
    """The environment of each fold that can run at a time."""
    answer = subprocess.run(
        [sys.executable, "-c", _ASK_DEVICES], capture_output=True, text=True, check=True
    ).stdout.split()
    platform, available = answer[-2], int(answer[-1])
    # Elsewhere one process has all devices, or shares the CPU's cores.
    if platform != "gpu":
        return [{}]
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = names.split(",") if names else [str(n) for n in range(available)]
    n = devices.sharing(batch_size, devices_per_fold, available)
    return [
        {"CUDA_VISIBLE_DEVICES": ",".join(names[k : k + n])} for k in range(0, available - n + 1, n)
    ]
