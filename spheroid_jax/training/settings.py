"""Checks of a config's values, before anything is done with them."""

import dataclasses
import difflib
import json

from spheroid_jax.errors import UserError
from spheroid_jax.models import NETWORKS, NORMS
from spheroid_jax.training.augment import Strengths
from spheroid_jax.training.losses import WEIGHTS
from spheroid_jax.training.schedules import LEARNING_RATES, SCHEDULES

# Where things are and how they are shown: no part of the result.
_FREE = ("data.root", "data.cache", "data.stream", "train.log_every", "train.keep_programs")

_at_least_one = (lambda value: value >= 1, "at least 1")
_positive = (lambda value: value > 0, "above 0")
_not_negative = (lambda value: value >= 0, "0 or more")
_share = (lambda value: 0 <= value < 1, "in [0, 1)")
_probability = (lambda value: 0 <= value <= 1, "in [0, 1]")
_text = (lambda value: isinstance(value, str), "a text")
_flag = (lambda value: isinstance(value, bool), "True or False")
_count = (lambda value: isinstance(value, int) and value >= 0, "a whole number from 0")
_LIMITS = {
    "seed": _not_negative,
    "init": _text,
    "model.name": (
        lambda value: value in NETWORKS and value != "adversary",
        "one of multiscale, unet",
    ),
    "model.width": _at_least_one,
    "model.depth": _at_least_one,
    "model.norm_momentum": _share,
    "optimizer.learning_rate": _positive,
    "optimizer.b1": _share,
    "optimizer.b2": _share,
    "optimizer.schedule": (LEARNING_RATES.__contains__, f"one of {', '.join(LEARNING_RATES)}"),
    "optimizer.warmup": _not_negative,
    "loss.weights": (WEIGHTS.__contains__, f"one of {', '.join(WEIGHTS)}"),
    "loss.dice": _not_negative,
    "adversary.width": _at_least_one,
    "adversary.depth": _at_least_one,
    "adversary.learning_rate": _positive,
    "adversary.b1": _share,
    "adversary.b2": _share,
    "adversary.lambda_schedule": (SCHEDULES.__contains__, f"one of {', '.join(SCHEDULES)}"),
    "adversary.lambda_start": _not_negative,
    "adversary.lambda_end": _not_negative,
    "name": _text,
    "inference.flips": _flag,
    "data.root": _text,
    "data.synthetic_beside": _flag,
    "data.datasets": _text,
    "data.cache": _text,
    "data.rehearsal": _text,
    "data.size": (lambda value: value >= 32, "at least 32 (px)"),
    "data.stream": (lambda value: value in ("tf", "numpy"), "tf or numpy"),
    "train.samples_per_epoch": _at_least_one,
    "train.epochs": _at_least_one,
    "train.batch_size": _at_least_one,
    "train.validate_every": _at_least_one,
    "train.log_every": _at_least_one,
    "train.steps_per_dispatch": _not_negative,
    "train.devices": _not_negative,
    "train.average": _share,
    "train.rehearsal_margin": _not_negative,
    "train.keep_programs": _flag,
    "synthetic.n_easy": _count,
    "synthetic.n_hard": _count,
    "synthetic.n_varied": _count,
    "synthetic.size": _at_least_one,
    "synthetic.seed": _count,
    **{f"augment.{name}": _not_negative for name in Strengths._fields},
    "augment.shift": (lambda value: 0 <= value <= 0.5, "in [0, 0.5] (sides)"),
    # Beyond, smooth displacements fold the image over itself.
    "augment.elastic": (lambda value: 0 <= value <= 0.1, "in [0, 0.1] (sides)"),
    "augment.invert": _probability,
}
_DTYPES = ("float32", "bfloat16")
# Checked elsewhere, or not needed to train.
_UNCHECKED = {"adversary", "adversary.dtype", "variants"}
# What not every network has.
_OPTIONAL = ("model.norm_momentum",)


class ConfigError(UserError, ValueError):
    """A config that cannot be trained; the message names the keys."""


def check(config):
    """Checks the values that can be checked without any data.

    Args:
      config: `ConfigDict`, or its frozen form.

    Raises:
      ConfigError: names each bad key, its value, and what the value should be.
    """
    values = flatten(nested(config))
    problems = [*_missing(values), *_unknown(values), *_bad(values)]
    if not problems:
        problems = list(_contradictions(config))
    if problems:
        raise ConfigError("; ".join(problems))


def _missing(values):
    """Yields the keys that every config has, and this one lacks."""
    needed = _LIMITS.keys() - values.keys() - set(_OPTIONAL)
    if "adversary" in values:  # Its value is None.
        needed = {key for key in needed if not key.startswith("adversary.")}
    for key in sorted(needed):
        yield f"config.{key} is missing: a config of another version?"


def _unknown(values):
    """Yields the keys that nothing would read: a misspelling, or another version's."""
    network = NETWORKS.get(values.get("model.name"))
    fields = [field.name for field in dataclasses.fields(network)] if network else []
    known = {f"model.{name}" for name in fields} | _LIMITS.keys() | _UNCHECKED
    for key in values:
        if network and key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean config.{near[0]}?" if near else ""
            yield f"config.{key}: nothing reads this key{hint}"


def _bad(values):
    """Yields the values that are not what their key takes."""
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
    """Whether a condition holds; a value of another type never does."""
    try:
        return holds(value)
    except TypeError:
        return False


def _contradictions(config):
    """Yields what is wrong with values that are good by themselves."""
    norms = NORMS[config.model.name]
    if config.model.norm not in norms:
        yield (
            f"config.model.norm = {config.model.norm!r}: the network "
            f"{config.model.name} has {', '.join(norms)}"
        )
    total = total_steps(config)
    if total < 1:
        yield (
            f"config.train.batch_size = {config.train.batch_size}: larger "
            "than the samples of all epochs"
        )
    elif config.optimizer.warmup >= total:
        yield (
            f"config.optimizer.warmup = {config.optimizer.warmup}: must be "
            f"below the {total} steps of training"
        )
    yield from _rehearsal_problems(config)


def _rehearsal_problems(config):
    """Yields why there can be no rehearsal set of this kind."""
    old = rehearsal(config.data.rehearsal)
    if not old:
        return
    if not config.init:
        yield ("config.data.rehearsal: config.init must name a model that knows these datasets")
    if unknown := set(old) - shares(config.data.datasets).keys():
        yield (
            f"config.data.rehearsal: {', '.join(sorted(unknown))} must be in "
            f"config.data.datasets = {config.data.datasets!r}, too"
        )


def total_steps(config):
    """Steps of the whole training: whole batches of all epochs' samples."""
    train = config.train
    return train.samples_per_epoch * train.epochs // train.batch_size


def shares(datasets):
    """Reads "dataset1:70,dataset2:30" as a dict from name to share.

    The name "*" stands for all datasets that are not named
    (`data.source.choose_datasets`).

    Raises:
      ConfigError: not of that form, a name twice, or a share not above 0.
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
                f"{datasets!r}: expected NAME:SHARE,NAME:SHARE,... with "
                "different names and shares above 0"
            )
        result[name] = share
    return result


def rehearsal(datasets):
    """Reads "easy,hard" as a list of names; of "" an empty one."""
    return [name.strip() for name in datasets.split(",") if name.strip()]


def check_same(record, workdir):
    """Checks that a work directory, if begun, is of this config.

    Args:
      record: nested dicts of settings.
      workdir: `Workdir`.

    Raises:
      ConfigError: the work directory is of another config; the message says which keys differ.
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
    """Turns a `ConfigDict`, frozen or not, into nested dicts of JSON's types."""
    return json.loads(config.to_json())


def flatten(tree, prefix=""):
    """Flattens nested dicts: a dict from "model.width" to its value."""
    result = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            result |= flatten(value, f"{prefix}{key}.")
        else:
            result[prefix + key] = value
    return result
