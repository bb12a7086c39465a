"""Training and evaluation of one fold: the order of events.

`workdir` names the files that a fold leaves, and `finetune` has what fine-tuning adds.
"""

import contextlib

import jax
from absl import logging

from spheroid_jax.data import partitions
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores
from spheroid_jax.runtime import compilation, devices, locks, signals
from spheroid_jax.training import (
    announce,
    checkpoint,
    finetune,
    loop,
    outcome,
    progress,
    settings,
    steps,
)
from spheroid_jax.workdir import FOLDS


class FoldError(UserError, ValueError):
    """A fold that cannot be trained or evaluated; the message says why."""


def train(setup, number, workdir):
    """Trains one fold, resuming from its last checkpoint if there is one, and scores the model.

    Args:
      setup: `setup.Setup`.
      number: number of the fold, 0 to 4.
      workdir: `Workdir`.

    Raises:
      loop.Interrupted: a signal stopped training; all completed steps are saved.
      UserError: the config, the data, the initial model or a checkpoint cannot be used, or training
        diverged.
      OSError: a file cannot be read or written.
    """
    _keep_programs(setup)
    with _locked(number, workdir) as fold:
        settings.check_same(setup.record, workdir)
        if outcome.is_finished(fold):
            logging.info("%s is finished; its scores:", fold.path)
            print(outcome.table(setup, fold))
            return
        initial = setup.initial_model()
        announce.training(setup, number, workdir)
        dataset = setup.data.open(workdir)
        # Written only now, because a run that could not begin must not claim the work directory.
        workdir.write_config(setup.record)
        with checkpoint.open_checkpoints(fold.checkpoints) as saved, _recording_divergence(fold):
            _train(setup, number, fold, dataset, saved, initial)
            outcome.write(setup, number, fold, dataset, saved)


def evaluate(setup, number, workdir):
    """Scores the model of the best checkpoint so far.

    Args:
      setup: `setup.Setup`.
      number: number of the fold, 0 to 4.
      workdir: `Workdir`.

    Raises:
      FileNotFoundError: the fold is not trained yet, or has no validated checkpoint.
      UserError: the config, the data or a checkpoint cannot be used.
    """
    checkpoints = workdir.fold(number).checkpoints
    if not checkpoints.is_dir():
        raise FileNotFoundError(f"{checkpoints.parent}: not trained yet")
    _keep_programs(setup)
    with _locked(number, workdir) as fold:
        settings.check_same(setup.record, workdir)
        dataset = setup.data.open(workdir)
        with checkpoint.open_checkpoints(checkpoints) as saved:
            outcome.write(setup, number, fold, dataset, saved)


def _keep_programs(setup):
    if setup.keep_programs:
        compilation.keep_programs(setup.data.cache)


@contextlib.contextmanager
def _locked(number, workdir):
    """Keeps other processes out of the folder of a fold; yields the `Fold`."""
    if number not in range(FOLDS):
        raise FoldError(f"--fold={number}: the folds are 0 to {FOLDS - 1}")
    fold = workdir.fold(number)
    with locks.locked(fold.lock, f"{fold.path}: another process is at work here"):
        yield fold


@contextlib.contextmanager
def _recording_divergence(fold):
    """Records in the fold's folder whether training diverged, because a study counts such folds."""
    try:
        yield
    except loop.NonFiniteLoss as error:
        fold.write_diverged(str(error))
        raise
    fold.clear_diverged()


def _train(setup, number, fold, dataset, saved, initial):
    """Trains to the last step, from the last checkpoint or from the beginning."""
    plan = setup.plan()
    placement = devices.share_batch(setup.batch_size, setup.devices)
    state = setup.initial_state(initial)
    before = None
    if initial is not None:
        before = finetune.measure(
            setup.model(state),
            initial.sha256,
            fold,
            validation=dataset.partition(number),
            test=dataset.partition(partitions.TEST),
        )
    if placement is not None:
        state = jax.device_put(state, placement.everywhere)
    start = saved.latest_step()
    if start == plan.total:
        return
    if start is not None:
        logging.info("Going on from step %d.", start)
        state = saved.restore(start, state)
    checkpoint.check_space(fold.path, state)
    rank = setup.rank(before)
    batches = dataset.batches(
        seed=setup.seed,
        fold=number,
        start=start or 0,
        stop=plan.total,
        batch_size=setup.batch_size,
    )
    with (
        progress.open_progress(fold, step=start, total_steps=plan.total) as shown,
        signals.stop_signals() as stop_requested,
    ):
        if before is not None and start is None:
            # The initial model may turn out to be the best one.
            shown.validation(0, before)
            saved.save(0, state, rank(before))
        loop.train(
            state,
            steps.make_run_steps(setup.train_step(), placement),
            batches,
            plan=plan,
            validate=_validation(setup, dataset.partition(number)),
            checkpoints=saved,
            progress=shown,
            stop_requested=stop_requested,
            rank=rank,
            sharding=None if placement is None else placement.shared,
        )


def _validation(setup, images_of_partition):
    """Makes the function that scores a training state on the validation images."""

    def validate(state):
        return grid_scores.validation_scores(setup.model(state), *images_of_partition)

    return validate
