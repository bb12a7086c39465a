"""Training checkpoints of one fold in orbax's format: the best and the last.

Trained models have a format of their own (`inference.model_file`), so segmenting needs no orbax.
"""

import contextlib
import logging
import pathlib
import shutil

import jax
from jax import numpy as jnp
from orbax.checkpoint import v1 as ocp

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import logs

# Orbax logs hundreds of lines about an error, and raises the error as well.
logs.hide("orbax", below=logging.CRITICAL)

_policies = ocp.training.preservation_policies


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that cannot be written or read; the message says which."""


class Checkpoints:
    """The checkpoints in one folder, opened by `open_checkpoints`."""

    def __init__(self, checkpointer):
        """Wraps an orbax `Checkpointer`."""
        self._orbax = checkpointer
        self._saving = None

    def latest_step(self):
        """Returns the step of the last checkpoint, or None if there is no checkpoint."""
        latest = self._orbax.latest
        return None if latest is None else latest.step

    def best_step(self):
        """Returns the step of the checkpoint with the best validation score.

        Among equally good checkpoints, the last one is the best. Returns None if no checkpoint has
        a score.
        """
        scored = [c for c in self._orbax.checkpoints if c.metrics]
        if not scored:
            return None
        return max(scored, key=lambda c: (_f_score(c.metrics), c.step)).step

    def save(self, step, state, f_score=None):
        """Starts to write a checkpoint, and returns as soon as `state` may be donated.

        The method first waits for the previous checkpoint and raises the error if its writing has
        failed.

        Args:
          step: number of completed steps.
          state: pytree of arrays.
          f_score: validation score at this step. None if there was no validation, or if this
            checkpoint must not become the best.

        Raises:
          CheckpointError: this checkpoint or the previous one cannot be written.
        """
        self.wait()
        # Orbax writes in the background while the next training step reuses the buffers of the
        # state, which it donates. So orbax gets a copy.
        state = jax.tree.map(jnp.copy, state)
        metrics = None if f_score is None else {"f_score": float(f_score)}
        with _explained(f"saving the checkpoint of step {step}"):
            self._saving = self._orbax.save_checkpointables_async(
                step, {"state": state}, metrics=metrics
            )
        if self._saving is None:
            raise CheckpointError(f"orbax skipped the checkpoint of step {step}")

    def wait(self):
        """Waits until all checkpoints are on the disk."""
        saving, self._saving = self._saving, None
        if saving is not None:
            with _explained("writing a checkpoint"):
                saving.result()

    def restore(self, step, template):
        """Reads the checkpoint of one step.

        Args:
          step: a step as returned by `latest_step` or `best_step`.
          template: pytree of arrays with the structure and the shapes of the saved state.

        Raises:
          CheckpointError: the checkpoint is damaged, or has another structure.
        """
        with _explained(f"reading the checkpoint of step {step}"):
            return self._orbax.load_checkpointables(step, {"state": template})["state"]


@contextlib.contextmanager
def open_checkpoints(directory):
    """Opens a folder of checkpoints, or makes a new one.

    At most two checkpoints are kept: the last, and the best by validation score. A process that
    is killed while it writes leaves a temporary folder, which the next call removes.

    Args:
      directory: path of the folder.

    Yields:
      `Checkpoints`. When the `with` block has ended, all checkpoints are on the disk.
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
        # Closing raises the error of a failed write again, which has been raised already.
        with contextlib.suppress(Exception):
            checkpointer.close()


def check_space(folder, state):
    """Checks that the disk has room for the checkpoints, before training begins.

    Args:
      folder: any existing folder on the disk.
      state: pytree of arrays.

    Raises:
      OSError: there is not enough room.
    """
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    # Room for the best checkpoint, the last one and the one being written; the model takes a third
    # of a checkpoint.
    needed = 3.5 * size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{folder}: checkpoints need {needed / 1e9:.1f} GB, but {free / 1e9:.1f} GB are free"
        )


def _f_score(metrics):
    return metrics["f_score"]


@contextlib.contextmanager
def _explained(what):
    """Turns errors of orbax, which have many types, into a `CheckpointError`."""
    try:
        yield
    except Exception as error:
        if "os_error_code='28'" in str(error):
            reason = "no space left on the disk"
        else:
            reason = str(error).partition("\n")[0][:300]
        raise CheckpointError(f"{what} failed: {reason}") from error
