"""Training checkpoints of one fold: the best and the last. Knows orbax.

What inference needs is a file format of its own (`params.py`), so that a
machine that only segments needs no orbax.
"""

import contextlib
import logging
import pathlib

import jax
from jax import numpy as jnp
from orbax.checkpoint import v1 as ocp

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import logs

# Orbax logs hundreds of lines for an error that it also raises.
logs.hide("orbax", below=logging.CRITICAL)

_policies = ocp.training.preservation_policies


class CheckpointError(UserError, RuntimeError):
    """A checkpoint could not be written or read; the message says which."""


class Checkpoints:
    """The checkpoints in one directory; made by `open_checkpoints`."""

    def __init__(self, checkpointer):
        """Wraps an orbax `Checkpointer`."""
        self._orbax = checkpointer
        self._saving = None

    def latest_step(self):
        """The last saved step, or None where nothing is saved."""
        latest = self._orbax.latest
        return None if latest is None else latest.step

    def best_step(self):
        """The step of the best validation F-score (the last of equals).

        None where no checkpoint has one.
        """
        scored = [c for c in self._orbax.checkpoints if c.metrics]
        if not scored:
            return None
        return max(scored, key=lambda c: (_f_score(c.metrics), c.step)).step

    def save(self, step, state, f_score=None):
        """Starts to save; returns when `state` may be donated.

        Waits for the save before, so that a failed one is not missed.

        Args:
          step: completed steps.
          state: pytree of arrays.
          f_score: of the validation at this step; None if there was none, or
            this checkpoint must not be the best.

        Raises:
          CheckpointError: this or the save before failed.
        """
        self.wait()
        # The write goes on in the background while the training step reuses
        # (donates) the state's buffers: it needs buffers of its own.
        state = jax.tree.map(jnp.copy, state)
        metrics = None if f_score is None else {"f_score": float(f_score)}
        with _explained(f"saving the checkpoint of step {step}"):
            self._saving = self._orbax.save_checkpointables_async(
                step, {"state": state}, metrics=metrics
            )
        if self._saving is None:
            raise CheckpointError(f"orbax skipped the checkpoint of {step}")

    def wait(self):
        """Returns when everything saved is on the disk."""
        saving, self._saving = self._saving, None
        if saving is not None:
            with _explained("writing a checkpoint"):
                saving.result()

    def restore(self, step, template):
        """Reads the state of `step`.

        Args:
          step: a step that `latest_step` or `best_step` gave.
          template: a state of the same structure and shapes, with arrays.

        Raises:
          CheckpointError: unreadable, or of another structure.
        """
        with _explained(f"reading the checkpoint of step {step}"):
            return self._orbax.load_checkpointables(step, {"state": template})["state"]


@contextlib.contextmanager
def open_checkpoints(directory):
    """Opens, or starts, a directory of checkpoints.

    At most two are kept: the best by validation F-score and the last. A save
    that was cut off leaves a temporary folder that the next opening removes.

    Args:
      directory: where; made if missing.

    Yields:
      `Checkpoints`; on leaving, everything saved is on the disk.
    """
    directory = pathlib.Path(directory).absolute()
    keep = _policies.AnyPreservationPolicy(
        [
            _policies.LatestN(1),
            _policies.BestN(get_metric_fn=_f_score, n=1, keep_checkpoints_without_metrics=False),
        ]
    )
    with _explained(f"opening {directory}"):
        checkpointer = ocp.training.Checkpointer(
            directory, preservation_policy=keep, cleanup_tmp_directories=True
        )
    checkpoints = Checkpoints(checkpointer)
    try:
        yield checkpoints
        checkpoints.wait()
    finally:
        # Closing repeats the error of a failed save, which has been raised.
        with contextlib.suppress(Exception):
            checkpointer.close()


def _f_score(metrics):
    return metrics["f_score"]


@contextlib.contextmanager
def _explained(what):
    """Turns whatever orbax raises (many types) into one clear line."""
    try:
        yield
    except Exception as error:
        if "os_error_code='28'" in str(error):
            reason = "no space left on the disk"
        else:
            reason = str(error).partition("\n")[0][:300]
        raise CheckpointError(f"{what} failed: {reason}") from error
