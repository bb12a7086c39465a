"""Training and evaluation of one fold: the order of events.

`workdir` names the files that a fold leaves; `finetune` has what is added where training starts
from a model.
"""

import contextlib
import shutil

import jax
from absl import logging

from spheroid_jax.data import partitions
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores, held_out, records
from spheroid_jax.inference import model_file
from spheroid_jax.runtime import compilation, devices, locks, signals
from spheroid_jax.training import announce, checkpoint, finetune, loop, settings, steps
from spheroid_jax.training.progress import open_progress
from spheroid_jax.workdir import FOLDS


class FoldError(UserError, ValueError):
    """A fold that cannot be trained or evaluated; the message says why."""


def train(setup, number, workdir):
    """Trains one fold, or goes on with it; then scores it.

    Args:
      setup: `setup.Setup`.
      number: 0 to 4.
      workdir: `Workdir`.

    Raises:
      loop.Interrupted: stopped by a signal; everything is saved.
      UserError: the config, the data, the model to start from or a checkpoint cannot be used, or
        training diverged.
      OSError: a file cannot be read or written.
    """
    _keep_programs(setup)
    with _locked(number, workdir) as fold:
        settings.check_same(setup.record, workdir)
        if _is_finished(fold):
            logging.info("%s is finished; its scores:", fold.path)
            print(_table(setup, fold, held_out.read_scores(fold)))
            return
        initial = setup.initial_model()
        announce.training(setup, number, workdir)
        dataset = setup.data.open(workdir)
        # Only now: a run that has not begun to train binds nobody to its config.
        workdir.write_config(setup.record)
        with (
            checkpoint.open_checkpoints(fold.checkpoints) as saved,
            _recording_divergence(fold),
        ):
            _train(setup, number, fold, dataset, saved, initial)
            _score(setup, number, fold, dataset, saved)


def evaluate(setup, number, workdir):
    """Makes a model of the best checkpoint so far, and scores it.

    Args:
      setup: `setup.Setup`.
      number: 0 to 4.
      workdir: `Workdir`.

    Raises:
      FileNotFoundError: the fold has no validated checkpoint.
      UserError: as `train`.
    """
    checkpoints = workdir.fold(number).checkpoints
    if not checkpoints.is_dir():
        raise FileNotFoundError(f"{checkpoints.parent}: not trained yet")
    _keep_programs(setup)
    with _locked(number, workdir) as fold:
        settings.check_same(setup.record, workdir)
        dataset = setup.data.open(workdir)
        with checkpoint.open_checkpoints(checkpoints) as saved:
            _score(setup, number, fold, dataset, saved)


def _keep_programs(setup):
    if setup.keep_programs:
        compilation.keep_programs(setup.data.cache)


@contextlib.contextmanager
def _locked(number, workdir):
    """Keeps other processes out of a fold's folder; yields the `Fold`."""
    if number not in range(FOLDS):
        raise FoldError(f"--fold={number}: there are the folds 0 to {FOLDS - 1}")
    fold = workdir.fold(number)
    with locks.locked(fold.lock, f"{fold.path}: another process is at work here"):
        yield fold


def _is_finished(fold):
    """Whether training has ended and its scores are written."""
    if not fold.is_scored:
        return False
    about = model_file.provenance(fold.path)
    return about["trained_steps"] == about["total_steps"]


@contextlib.contextmanager
def _recording_divergence(fold):
    """Keeps on disk that training diverged, which is a result, too."""
    try:
        yield
    except loop.NonFiniteLoss as error:
        fold.write_diverged(str(error))
        raise
    fold.clear_diverged()


def _train(setup, number, fold, dataset, saved, initial):
    """Trains from the last checkpoint, or from the start, to the end."""
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
    _check_space(fold.path, state)
    rank = setup.rank(before)
    batches = dataset.batches(
        seed=setup.seed,
        fold=number,
        start=start or 0,
        stop=plan.total,
        batch_size=setup.batch_size,
    )
    with (
        open_progress(fold, step=start, total_steps=plan.total) as shown,
        signals.stop_signals() as stop_requested,
    ):
        if before is not None and start is None:
            # The model that training starts from may turn out to be the best.
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
        return grid_scores.validation_f_scores(setup.model(state), *images_of_partition)

    return validate


def _check_space(folder, state):
    """Raises, before any work, where the checkpoints would fill the disk."""
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    # The best, the last, and the one being written; the model is a third of a checkpoint.
    needed = 3.5 * size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{folder}: checkpoints need {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
        )


def _score(setup, number, fold, dataset, saved):
    """Makes a model of the best checkpoint; scores it on the test set."""
    best = saved.best_step()
    if best is None:
        raise FileNotFoundError(
            f"{fold.path}: no validated checkpoint yet; the first comes after "
            f"{setup.validate_every} steps"
        )
    # Scores that stand beside a model are that model's.
    fold.scores.unlink(missing_ok=True)
    model_file.save(
        setup.model(saved.restore(best, setup.initial_state())),
        fold.model,
        provenance={
            "config": settings.flatten(setup.record),
            "fold": number,
            "step": best,
            "trained_steps": saved.latest_step(),
            "total_steps": setup.total_steps,
            **_origin(setup, fold),
        },
    )
    rows = held_out.score(model_file.load(fold.path), fold, dataset.partition(partitions.TEST))
    if setup.init and best == 0:
        logging.info(
            "No step was better on validation images, within the margin, than the model that "
            "training started from, so that model is kept as it is."
        )
    logging.info("Test partition, model of step %d; see %s", best, fold.path.resolve())
    print(_table(setup, fold, rows))


def _origin(setup, fold):
    """The hash of the model that training started from, if from any."""
    if not setup.init:
        return {}
    return {"init_sha256": fold.read_initial()["sha256"]}


def _table(setup, fold, rows):
    """The test scores for people; beside those before fine-tuning."""
    if not setup.init:
        return records.table(rows)
    return records.before_after(records.read(fold.before), rows, setup.data.rehearsal)
