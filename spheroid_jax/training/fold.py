"""One fold from config to scores: composes data, training and evaluation.

The config stops here: what is called from here takes named values.

    WORKDIR/config.json  partitions.json
    WORKDIR/fold_2/checkpoints/  metrics.jsonl  events.out.tfevents.*
    WORKDIR/fold_2/model/  maps/  scores.csv  examples.png

`finetune` has what there is besides where training starts from a model.
"""

import contextlib
import functools
import os
import pathlib
import shutil

import jax
import optax
from absl import logging
from ml_collections import ConfigDict, FrozenConfigDict

from spheroid_jax import models
from spheroid_jax.data import partitions, source
from spheroid_jax.data.dataset import open_dataset
from spheroid_jax.evaluation import grid_scores, held_out
from spheroid_jax.inference import model_file
from spheroid_jax.runtime import cache, compilation, devices, files, locks, signals
from spheroid_jax.training import (
    augment,
    checkpoint,
    costs,
    finetune,
    loop,
    schedules,
    settings,
    steps,
)
from spheroid_jax.training.progress import duration, open_progress

# What a user can mend; shown as one line.
USER_ERRORS = (
    ImportError,
    OSError,
    TypeError,
    ValueError,
    checkpoint.CheckpointError,
    loop.NonFiniteLoss,
)
# Steps a dispatch by platform; an accelerator's steps are short.
_PER_DISPATCH = {"cpu": 1}
_PER_DISPATCH_ELSEWHERE = 10
# Adversary passes a step: forward and backward of real and fake, and of fake
# again; a backward pass costs two forward ones.
_ADVERSARY_PASSES = 9
_LONG_S = 30 * 60


def resolve_config(config, workdir):
    """Freezes and checks the config; without one, reads the workdir's.

    Raises:
      ValueError: neither is given, or a value is bad.
      FileNotFoundError: the work directory holds no config.
    """
    if config is None and workdir is None:
        raise ValueError("give --config=configs/NAME.py, or a --workdir")
    if config is None:
        config = ConfigDict(settings.read(workdir))
    settings.check(config)
    return FrozenConfigDict(config)


def train_fold(config, fold, workdir):
    """Trains one fold, or goes on with it; then scores it.

    Args:
      config: frozen, of `resolve_config`.
      fold: 0 to 4.
      workdir: the work directory.

    Raises:
      loop.Interrupted: stopped by a signal; everything is saved.
      Exception: one of `USER_ERRORS`.
    """
    _keep_programs(config)
    with _fold_folder(fold, workdir) as directory:
        settings.compare(config, workdir)
        if _finished(directory):
            logging.info("%s is finished; its scores:", directory)
            print(_table(config, directory, held_out.read_scores(directory)))
            return
        initial = _initial_model(config)
        _announce(config, fold, workdir)
        dataset = _open_dataset(config, workdir)
        # Only now: what has not begun to train binds nobody to its config.
        settings.keep(config, workdir)
        with (
            checkpoint.open_checkpoints(directory / "checkpoints") as saved,
            _recording_divergence(directory / held_out.DIVERGED_FILE),
        ):
            _train(config, fold, directory, dataset, saved, initial)
            _score(config, fold, directory, dataset, saved)


def evaluate_fold(config, fold, workdir):
    """Makes a model of the best checkpoint so far, and scores it.

    Raises:
      FileNotFoundError: the fold has no validated checkpoint.
    """
    checkpoints = pathlib.Path(workdir) / f"fold_{fold}" / "checkpoints"
    if not checkpoints.is_dir():
        raise FileNotFoundError(f"{checkpoints.parent}: not trained yet")
    _keep_programs(config)
    with _fold_folder(fold, workdir) as directory:
        settings.compare(config, workdir)
        dataset = _open_dataset(config, workdir)
        with checkpoint.open_checkpoints(checkpoints) as saved:
            _score(config, fold, directory, dataset, saved)


@contextlib.contextmanager
def _recording_divergence(path):
    """Keeps on disk that training diverged, which is a result, too."""
    try:
        yield
    except loop.NonFiniteLoss as error:
        files.write_json(path, {"message": str(error)})
        raise
    path.unlink(missing_ok=True)


def _keep_programs(config):
    if config.train.keep_programs:
        compilation.keep_programs(cache.folder(config.data.cache))


@contextlib.contextmanager
def _fold_folder(fold, workdir):
    """Makes a fold's folder and keeps other processes out of it."""
    if fold not in range(partitions.FOLDS):
        raise ValueError(f"--fold={fold}: there are the folds 0 to 4")
    directory = pathlib.Path(workdir) / f"fold_{fold}"
    busy = f"{directory}: another process is at work here"
    with locks.locked(directory / ".lock", busy):
        yield directory


def _finished(directory):
    """Whether training has ended and its scores are written."""
    if not (directory / held_out.SCORES_FILE).is_file():
        return False
    about = model_file.provenance(directory)
    return about["trained_steps"] == about["total_steps"]


def _announce(config, fold, workdir):
    """Says what will be done, with which data, and how long it may take."""
    network, adversary = networks(config)
    size, total = config.data.size, settings.total_steps(config)
    count, flops = costs.count(network.module, size, channels=1)
    flops *= 3
    if adversary is not None:
        _, more = costs.count(adversary.module, size, channels=2)
        flops += _ADVERSARY_PASSES * more
    logging.info("%s, fold %d, into %s", config.name, fold, workdir)
    if config.init:
        logging.info("Starting from the model %s", config.init)
    if config.data.root == source.SYNTHETIC:
        logging.info(
            "Data: synthetic spheroids, made by this package. Your own images "
            "and masks: --config.data.root=DIR"
        )
    else:
        logging.info("Data: %s", config.data.root)
    seconds = costs.expected_seconds(total * config.train.batch_size * flops)
    device = jax.devices()[0]
    cores = f", {os.cpu_count()} cores" if device.platform == "cpu" else ""
    logging.info(
        "%d steps of %d image(s) of %d x %d px, %.1f M parameters: roughly %s "
        "on this machine (%s%s)",
        *(total, config.train.batch_size, size, size, count / 1e6),
        *(duration(seconds), device.device_kind, cores),
    )
    if device.platform == "cpu" and seconds > _LONG_S:
        logging.info(
            "Shorter on a CPU: --config.model.width=16, --config.data.size="
            "240, --config.train.epochs=1, --config.train.samples_per_epoch="
            "1500; or all at once: --config=configs/demo.py"
        )


def _open_dataset(config, workdir):
    """Opens the data root that the config names."""
    place = cache.folder(config.data.cache)
    root = source.open_root(
        config.data.root, place, config.synthetic.to_dict(), beside=config.data.synthetic_beside
    )
    shares = source.choose_datasets(root, settings.shares(config.data.datasets))
    finetune.check_datasets(shares, settings.rehearsal(config.data.rehearsal))
    return open_dataset(
        root, shares, size=config.data.size, stream=config.data.stream, cache=place, workdir=workdir
    )


def networks(config):
    """Builds the networks and optimizers of a config.

    Returns:
      `steps.Network`, and `steps.Adversary` or None.
    """
    learning_rate = schedules.learning_rate(
        config.optimizer.schedule,
        peak=config.optimizer.learning_rate,
        warmup=config.optimizer.warmup,
        total_steps=settings.total_steps(config),
    )
    optimizer = optax.adam(learning_rate, b1=config.optimizer.b1, b2=config.optimizer.b2)
    network = steps.Network(models.build(**config.model), optimizer)
    if config.adversary is None:
        return network, None
    adversary = config.adversary
    module = models.build(
        "adversary", width=adversary.width, depth=adversary.depth, dtype=adversary.dtype
    )
    optimizer = optax.adam(adversary.learning_rate, b1=adversary.b1, b2=adversary.b2)
    weight = functools.partial(
        schedules.SCHEDULES[adversary.lambda_schedule],
        total_steps=settings.total_steps(config),
        start=adversary.lambda_start,
        end=adversary.lambda_end,
    )
    return network, steps.Adversary(module, optimizer, weight)


def train_step(config):
    """Builds the training step of a config."""
    return steps.make_train_step(
        *networks(config),
        weights=config.loss.weights,
        dice=config.loss.dice,
        augment=augment.make_augment(augment.Strengths(**config.augment), seed=config.seed),
        average=config.train.average,
        fast_start=not config.init,
    )


def _plan(config):
    per_dispatch = config.train.steps_per_dispatch
    if per_dispatch == 0:
        platform = jax.devices()[0].platform
        per_dispatch = _PER_DISPATCH.get(platform, _PER_DISPATCH_ELSEWHERE)
    return loop.Plan(
        total=settings.total_steps(config),
        per_dispatch=per_dispatch,
        validate_every=config.train.validate_every,
        log_every=config.train.log_every,
    )


def _initial_model(config):
    """Loads the model that training starts from; None: from scratch."""
    if not config.init:
        return None
    return finetune.load(config.init, size=config.data.size, model=config.model.to_dict())


def _initial_state(config, initial=None):
    return steps.init_state(
        *networks(config),
        seed=config.seed,
        averaged=config.train.average > 0,
        variables=None if initial is None else initial.variables,
    )


def _train(config, fold, directory, dataset, saved, initial):
    """Trains from the last checkpoint, or from the start, to the end."""
    plan = _plan(config)
    placement = devices.share_batch(config.train.batch_size, config.train.devices)
    state = _initial_state(config, initial)
    before = None
    if initial is not None:
        before = finetune.measure(
            _params(config, state),
            initial.sha256,
            directory,
            validation=dataset.partition(fold),
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
    _check_space(directory, state)
    rank = _rank(config, before)
    batches = dataset.batches(
        seed=config.seed,
        fold=fold,
        start=start or 0,
        stop=plan.total,
        batch_size=config.train.batch_size,
    )
    with (
        open_progress(directory, step=start, total_steps=plan.total) as shown,
        signals.stop_signals() as stop_requested,
    ):
        if before is not None and start is None:
            # What training starts from may turn out to be the best.
            shown.validation(0, before)
            saved.save(0, state, rank(before))
        loop.train(
            state,
            steps.make_run_steps(train_step(config), placement),
            batches,
            plan=plan,
            validate=_validation(config, dataset.partition(fold)),
            checkpoints=saved,
            progress=shown,
            stop_requested=stop_requested,
            rank=rank,
            sharding=None if placement is None else placement.shared,
        )


def _rank(config, before):
    """Makes the function that the best checkpoint is chosen by."""
    rehearsal = settings.rehearsal(config.data.rehearsal)
    if not rehearsal:
        return grid_scores.mean_over_datasets
    return finetune.criterion(before, rehearsal=rehearsal, margin=config.train.rehearsal_margin)


def _validation(config, images_of_partition):
    """Makes the function that scores a training state."""

    def validate(state):
        return grid_scores.validation_f_scores(_params(config, state), *images_of_partition)

    return validate


def _params(config, state):
    variables = {"params": state.seg_average or state.seg_params}
    if state.seg_stats:
        variables["batch_stats"] = state.seg_stats
    return model_file.Params.create(
        variables, size=config.data.size, flips=config.inference.flips, **config.model
    )


def _check_space(directory, state):
    """Raises, before any work, where the checkpoints would fill the disk."""
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    # The best, the last, the one being written; the model is a third of one.
    needed = 3.5 * size
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise OSError(
            f"{directory}: checkpoints need {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
        )


def _score(config, fold, directory, dataset, saved):
    """Makes a model of the best checkpoint; scores it on the test set."""
    best = saved.best_step()
    if best is None:
        raise FileNotFoundError(
            f"{directory}: no validated checkpoint yet; the first comes after "
            f"{config.train.validate_every} steps"
        )
    # Scores that stand beside a model are that model's.
    (directory / held_out.SCORES_FILE).unlink(missing_ok=True)
    model_file.save(
        _params(config, saved.restore(best, _initial_state(config))),
        directory / "model",
        provenance={
            "config": settings.flat(config),
            "fold": fold,
            "step": best,
            "trained_steps": saved.latest_step(),
            "total_steps": settings.total_steps(config),
            **_origin(config, directory),
        },
    )
    rows = held_out.score(model_file.load(directory), directory, dataset.partition(partitions.TEST))
    if config.init and best == 0:
        logging.info(
            "No step was better on validation images, within the margin, than "
            "the model that training started from: it stays as it is."
        )
    logging.info("Test partition, model of step %d; see %s", best, directory.resolve())
    print(_table(config, directory, rows))


def _origin(config, directory):
    """Which model a fold's training started from, if from any."""
    if not config.init:
        return {}
    return {"init_sha256": finetune.read(directory)["sha256"]}


def _table(config, directory, rows):
    """The test scores for people; beside those before fine-tuning."""
    if not config.init:
        return grid_scores.table(rows)
    return finetune.table(
        grid_scores.read_scores(directory / finetune.BEFORE_FILE),
        rows,
        settings.rehearsal(config.data.rehearsal),
    )
