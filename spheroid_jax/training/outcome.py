"""Outcome of a fold: the model of the best checkpoint, and its scores on the test partition."""

from absl import logging

from spheroid_jax.data import partitions
from spheroid_jax.evaluation import held_out, records
from spheroid_jax.inference import model_file
from spheroid_jax.training import settings


def is_finished(fold):
    """Returns whether a `workdir.Fold` has been trained to its last step and scored."""
    if not fold.is_scored:
        return False
    about = model_file.provenance(fold.path)
    return about["trained_steps"] == about["total_steps"]


def write(setup, number, fold, dataset, saved):
    """Saves the model of the best checkpoint, scores it, and prints the scores.

    Args:
      setup: `setup.Setup`.
      number: number of the fold.
      fold: `workdir.Fold`.
      dataset: `data.dataset.Dataset`.
      saved: `checkpoint.Checkpoints`.

    Raises:
      FileNotFoundError: there is no validated checkpoint.
      checkpoint.CheckpointError: the best checkpoint cannot be read.
    """
    best = saved.best_step()
    if best is None:
        raise FileNotFoundError(
            f"{fold.path}: no validated checkpoint yet; training writes the first one after "
            f"{setup.validate_every} steps"
        )
    # The old scores are not those of the new model.
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
    held_out.score(model_file.load(fold.path), fold, dataset.partition(partitions.TEST))
    if setup.init and best == 0:
        logging.info(
            "No checkpoint was better than the initial model on the validation images and within "
            "the margin on the rehearsal datasets, so the initial model is kept."
        )
    logging.info(
        "Scores on the test partition, model of step %d; see %s", best, fold.path.resolve()
    )
    print(table(setup, fold))


def table(setup, fold):
    """Returns the test scores as text; after fine-tuning, with those of the initial model."""
    rows = held_out.read_scores(fold)
    if not setup.init:
        return records.table(rows)
    return records.before_after(records.read(fold.before), rows, setup.data.rehearsal)


def _origin(setup, fold):
    """Returns a dict with the hash of the initial model; empty without an initial model."""
    if not setup.init:
        return {}
    return {"init_sha256": fold.read_initial()["sha256"]}
