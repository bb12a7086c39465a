"""Checks of a config: whether its keys are known and its values possible."""

import dataclasses
import difflib
import json

from spheroid_jax.errors import UserError
from spheroid_jax.models import NETWORKS, NORMS
from spheroid_jax.training.augment import Strengths
from spheroid_jax.training.losses import WEIGHTS
from spheroid_jax.training.schedules import LEARNING_RATES, SCHEDULES

# Keys that may differ between two runs into one work directory, because results do not depend on
# them.
_FREE = ("data.root", "data.cache", "data.stream", "train.log_every", "train.keep_programs")


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


# Pairs of a condition, and how the message names the condition.
_at_least_one = (lambda value: _is_whole(value) and value >= 1, "a whole number, at least 1")
_count = (lambda value: _is_whole(value) and value >= 0, "a whole number, 0 or more")
_positive = (lambda value: value > 0, "above 0")
_not_negative = (lambda value: value >= 0, "0 or more")
_share = (lambda value: 0 <= value < 1, "in [0, 1)")
_probability = (lambda value: 0 <= value <= 1, "in [0, 1]")
_text = (lambda value: isinstance(value, str), "a text")
_flag = (lambda value: isinstance(value, bool), "True or False")


def _one_of(names):
    return names.__contains__, f"one of {', '.join(names)}"


_LIMITS = {
    "name": _text,
    "seed": _count,
    "init": _text,
    "model.name": _one_of([name for name in NETWORKS if name != "adversary"]),
    "model.width": _at_least_one,
    "model.depth": _at_least_one,
    "model.markers": _flag,
    "model.cores": _flag,
    "model.norm_momentum": _share,
    "optimizer.learning_rate": _positive,
    "optimizer.b1": _share,
    "optimizer.b2": _share,
    "optimizer.schedule": _one_of(LEARNING_RATES),
    "optimizer.warmup": _count,
    "loss.weights": _one_of(WEIGHTS),
    "loss.dice": _not_negative,
    "loss.marker": _not_negative,
    "loss.core": _not_negative,
    "adversary.width": _at_least_one,
    "adversary.depth": _at_least_one,
    "adversary.learning_rate": _positive,
    "adversary.b1": _share,
    "adversary.b2": _share,
    "adversary.lambda_schedule": _one_of(SCHEDULES),
    "adversary.lambda_start": _not_negative,
    "adversary.lambda_end": _not_negative,
    "inference.flips": _flag,
    "data.root": _text,
    "data.synthetic_beside": _flag,
    "data.crops": _count,
    "data.datasets": _text,
    "data.cache": _text,
    "data.rehearsal": _text,
    "data.size": (
        lambda value: _is_whole(value) and value >= 32,
        "a whole number, at least 32 (px)",
    ),
    "data.stream": _one_of(("tf", "numpy")),
    "train.samples_per_epoch": _at_least_one,
    "train.epochs": _at_least_one,
    "train.batch_size": _at_least_one,
    "train.validate_every": _at_least_one,
    "train.log_every": _at_least_one,
    "train.steps_per_dispatch": _count,
    "train.devices": _count,
    "train.average": _share,
    "train.rehearsal_margin": _not_negative,
    "train.keep": _one_of(("best", "last")),
    "train.keep_programs": _flag,
    "synthetic.n_easy": _count,
    "synthetic.n_hard": _count,
    "synthetic.n_varied": _count,
    "synthetic.n_scenes": _count,
    "synthetic.size": _at_least_one,
    "synthetic.seed": _count,
    **{f"augment.{name}": _not_negative for name in Strengths._fields},
    "augment.shift": (lambda value: 0 <= value <= 0.5, "in [0, 0.5] (sides)"),
    # Larger displacements would fold the image over itself.
    "augment.elastic": (lambda value: 0 <= value <= 0.1, "in [0, 0.1] (sides)"),
    "augment.invert": _probability,
}
_DTYPES = ("float32", "bfloat16")
# Known keys without a limit: `_bad` checks every dtype.
_UNCHECKED = {"adversary", "adversary.dtype", "variants"}
# Keys that not every config has.
_OPTIONAL = ("model.norm_momentum", "model.markers", "model.cores", "train.keep")


class ConfigError(UserError, ValueError):
    """A config that cannot be used; the message names the bad keys."""


def check(config):
    """Checks a config as far as is possible without any images.

    Args:
      config: `ConfigDict`, frozen or not.

    Raises:
      ConfigError: the message names each bad key, its value, and what the value must be.
    """
    values = flatten(nested(config))
    problems = [*_missing(values), *_unknown(values), *_bad(values)]
    if not problems:
        problems = list(_contradictions(config))
    if problems:
        raise ConfigError("; ".join(problems))


def _missing(values):
    """Yields a message for each required key that is missing."""
    needed = _LIMITS.keys() - values.keys() - set(_OPTIONAL)
    if "adversary" in values:  # Its value is None.
        needed = {key for key in needed if not key.startswith("adversary.")}
    for key in sorted(needed):
        yield f"config.{key} is missing: was the config written by another version?"


def _unknown(values):
    """Yields a message for each key that no code reads, such as a misspelt key."""
    network = NETWORKS.get(values.get("model.name"))
    fields = [field.name for field in dataclasses.fields(network)] if network else []
    known = {f"model.{name}" for name in fields} | _LIMITS.keys() | _UNCHECKED
    for key in values:
        if network and key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean config.{near[0]}?" if near else ""
            yield f"config.{key}: nothing reads this key{hint}"


def _bad(values):
    """Yields a message for each value that is not possible for its key."""
    for key, value in values.items():
        holds, expected = _LIMITS.get(key, (None, None))
        if key.endswith(".dtype"):
            holds, expected = _DTYPES.__contains__, " or ".join(_DTYPES)
        if holds is not None and not _holds(holds, value):
            yield f"config.{key} = {value!r}: must be {expected}"
    if isinstance(values.get("data.datasets"), str):
        try:
            shares(values["data.datasets"])
        except ConfigError as error:
            yield f"config.data.datasets: {error}"


def _holds(holds, value):
    """Returns whether a condition holds for a value; false for a value of the wrong type."""
    try:
        return holds(value)
    except TypeError:
        return False


def _contradictions(config):
    """Yields a message for each combination of values that are possible alone, not together."""
    norms = NORMS[config.model.name]
    if config.model.norm not in norms:
        yield (
            f"config.model.norm = {config.model.norm!r}: the network "
            f"{config.model.name} has {', '.join(norms)}"
        )
    for loss, maps in (("marker", "markers"), ("core", "cores")):
        if config.model.get(maps, False) != (config.loss[loss] > 0):
            yield (
                f"config.loss.{loss} = {config.loss[loss]!r}: must be above 0 with "
                f"config.model.{maps}, and 0 without"
            )
    if config.model.get("cores", False) and not config.model.get("markers", False):
        yield "config.model.cores = True: needs config.model.markers"
    total = total_steps(config)
    if total < 1:
        yield (
            f"config.train.batch_size = {config.train.batch_size}: larger than the number of "
            "samples in all epochs"
        )
    elif config.optimizer.warmup >= total:
        yield (
            f"config.optimizer.warmup = {config.optimizer.warmup}: must be "
            f"below the {total} steps of training"
        )
    yield from _rehearsal_problems(config)


def _rehearsal_problems(config):
    """Yields a message for each reason why the rehearsal datasets cannot be used."""
    old = rehearsal(config.data.rehearsal)
    if not old:
        return
    if not config.init:
        yield (
            "config.data.rehearsal: config.init must name a model that was trained on these "
            "datasets"
        )
    if unknown := set(old) - shares(config.data.datasets).keys():
        yield (
            f"config.data.rehearsal: {', '.join(sorted(unknown))} must be in "
            f"config.data.datasets = {config.data.datasets!r}, too"
        )


def total_steps(config):
    """Returns the number of training steps: the number of whole batches in all epochs."""
    train = config.train
    return train.samples_per_epoch * train.epochs // train.batch_size


def shares(datasets):
    """Parses the shares of the datasets, a text like "dataset1:70,dataset2:30".

    The name "*" stands for all datasets that are not named (see `data.source.choose_datasets`).

    Returns:
      dict from the name of a dataset to its share.

    Raises:
      ConfigError: the text has another form, a name occurs twice, or a share is not above 0.
    """
    result = {}
    for item in datasets.split(","):
        name, _, number = item.strip().partition(":")
        try:
            share = float(number)
        except ValueError:
            share = 0.0
        if not name or name in result or not 0 < share < float("inf"):
            raise ConfigError(
                f"{datasets!r}: expected NAME:SHARE,NAME:SHARE,... with different names and "
                "shares above 0"
            )
        result[name] = share
    return result


def rehearsal(datasets):
    """Parses names of datasets, a text like "easy,hard", into a list; "" gives an empty list."""
    return [name.strip() for name in datasets.split(",") if name.strip()]


def check_same(record, workdir):
    """Checks that a work directory is new or belongs to this config.

    Args:
      record: the config as nested dicts.
      workdir: `Workdir`.

    Raises:
      ConfigError: the work directory has another config; the message names the keys that differ.
    """
    if not workdir.has_config:
        return
    ours, theirs = flatten(record), flatten(workdir.read_config())
    differing = [
        f"{key} = {theirs.get(key, 'absent')!r} there, {ours.get(key, 'absent')!r} here"
        for key in sorted(ours.keys() | theirs.keys())
        if key not in _FREE and theirs.get(key, "absent") != ours.get(key, "absent")
    ]
    if differing:
        raise ConfigError(
            f"{workdir.path} is the work directory of another config: "
            f"{'; '.join(differing)}; give another --workdir"
        )


def nested(config):
    """Converts a `ConfigDict`, frozen or not, to nested dicts that JSON can hold."""
    return json.loads(config.to_json())


def flatten(tree, prefix=""):
    """Converts nested dicts to one dict with keys like "model.width"."""
    result = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            result |= flatten(value, f"{prefix}{key}.")
        else:
            result[prefix + key] = value
    return result
