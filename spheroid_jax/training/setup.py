"""Resolution of a config into networks, optimizers, training step and plan.

Below this module nothing reads a config: `training.fold` takes a `Setup`, and what it calls takes
named values.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import jax
import optax
from ml_collections import ConfigDict

from spheroid_jax import models
from spheroid_jax.data import source
from spheroid_jax.data.dataset import open_dataset
from spheroid_jax.evaluation import grid_scores
from spheroid_jax.inference.model_file import Params
from spheroid_jax.runtime.cache import folder as cache_folder
from spheroid_jax.training import augment, finetune, loop, losses, schedules, settings, steps
from spheroid_jax.workdir import Workdir

# Steps per dispatch by platform; an accelerator's steps are short.
_PER_DISPATCH = {"cpu": 1}
_PER_DISPATCH_ELSEWHERE = 10


class DataSetup(NamedTuple):
    """Where the images come from, and how samples are drawn from them.

    Attributes:
      root: the data root, or `source.SYNTHETIC`.
      beside: whether drawn images stand beside the root's own.
      recipe: keyword arguments of `synthetic.write_data_root`.
      shares: dict from dataset to its share of the samples.
      rehearsal: names of the datasets that fine-tuning must not get worse at.
      size: side of the grid, in pixels.
      stream: "tf" or "numpy".
      cache: folder for what can be made again.
    """

    root: str
    beside: bool
    recipe: dict
    shares: dict
    rehearsal: list
    size: int
    stream: str
    cache: pathlib.Path

    def open(self, workdir):
        """Opens the images for a work directory, drawing them if need be.

        Args:
          workdir: `Workdir`, which keeps the partitions.

        Returns:
          `data.dataset.Dataset`.

        Raises:
          UserError: something is wrong with the data root; the message names all of it.
        """
        root = source.open_root(self.root, self.cache, self.recipe, beside=self.beside)
        shares = source.choose_datasets(root, self.shares)
        finetune.check_datasets(shares, self.rehearsal)
        return open_dataset(
            root, shares, size=self.size, stream=self.stream, cache=self.cache, workdir=workdir
        )


class Setup(NamedTuple):
    """The config of a run, resolved.

    Attributes:
      name: the config's name, after which the default work directory is called.
      seed: seeds the initial parameters and the samples drawn.
      init: folder or name of the model that training starts from; "" for none.
      network: `steps.Network` that segments.
      network_fields: the arguments of `models.build` that made it.
      flips: whether the trained model averages an image's flips.
      adversary: `steps.Adversary`, or None.
      step_options: keyword arguments of `steps.make_train_step`.
      data: `DataSetup`.
      batch_size: images per step.
      devices: how many devices share a batch; 0 for as many as divide it.
      total_steps: steps of the whole training.
      steps_per_dispatch: steps per call of the compiled program; 0 for what suits the platform.
      validate_every: steps between validations.
      log_every: steps between lines of metrics.
      rehearsal_margin: mean F-score that may be lost on the rehearsal datasets.
      keep_programs: whether compiled programs are kept in the cache folder.
      record: the config itself as nested dicts, to be written down.
    """

    name: str
    seed: int
    init: str
    network: steps.Network
    network_fields: dict
    flips: bool
    adversary: steps.Adversary | None
    step_options: dict
    data: DataSetup
    batch_size: int
    devices: int
    total_steps: int
    steps_per_dispatch: int
    validate_every: int
    log_every: int
    rehearsal_margin: float
    keep_programs: bool
    record: dict[str, Any]

    def plan(self):
        """Returns the `loop.Plan`; asks JAX for its platform."""
        per_dispatch = self.steps_per_dispatch
        if per_dispatch == 0:
            platform = jax.devices()[0].platform
            per_dispatch = _PER_DISPATCH.get(platform, _PER_DISPATCH_ELSEWHERE)
        return loop.Plan(self.total_steps, per_dispatch, self.validate_every, self.log_every)

    def train_step(self):
        """Returns the pure training step."""
        return steps.make_train_step(self.network, self.adversary, **self.step_options)

    def initial_model(self):
        """Loads the `finetune.Initial` that training starts from; None: from scratch.

        Raises:
          FileNotFoundError: there is no such model.
          UserError: the model is of another network or grid.
        """
        if not self.init:
            return None
        return finetune.load(self.init, size=self.data.size, model=self.network_fields)

    def initial_state(self, initial=None):
        """Returns the `steps.TrainState` at step 0.

        Args:
          initial: `finetune.Initial`, or None to draw the parameters.
        """
        return steps.init_state(
            self.network,
            self.adversary,
            seed=self.seed,
            averaged=self.step_options["average"] > 0,
            variables=None if initial is None else initial.variables,
        )

    def model(self, state):
        """Returns the trained model of a `steps.TrainState`, as `Params`."""
        variables = {"params": state.seg_average or state.seg_params}
        if state.seg_stats:
            variables["batch_stats"] = state.seg_stats
        return Params.create(
            variables, size=self.data.size, flips=self.flips, **self.network_fields
        )

    def rank(self, before):
        """Returns the function that the best checkpoint is chosen by.

        Args:
          before: validation F-scores of the model that training starts from, or None.
        """
        if not self.data.rehearsal:
            return grid_scores.mean_over_datasets
        return finetune.criterion(
            before, rehearsal=self.data.rehearsal, margin=self.rehearsal_margin
        )


def resolve(config, workdir):
    """Checks a config and resolves it; without one, the work directory's.

    Args:
      config: `ConfigDict`, or None.
      workdir: path of the work directory, or None.

    Returns:
      `Setup`.

    Raises:
      settings.ConfigError: neither is given, or a value is bad.
      FileNotFoundError: the work directory holds no config.
    """
    if config is None and workdir is None:
        raise settings.ConfigError("give --config=configs/NAME.py, or a --workdir")
    if config is None:
        config = ConfigDict(Workdir(workdir).read_config())
    settings.check(config)
    train = config.train
    return Setup(
        name=config.name,
        seed=config.seed,
        init=config.init,
        network=_network(config),
        network_fields=config.model.to_dict(),
        flips=config.inference.flips,
        adversary=None if config.adversary is None else _adversary(config),
        step_options=_step_options(config),
        data=_data(config),
        batch_size=train.batch_size,
        devices=train.devices,
        total_steps=settings.total_steps(config),
        steps_per_dispatch=train.steps_per_dispatch,
        validate_every=train.validate_every,
        log_every=train.log_every,
        rehearsal_margin=train.rehearsal_margin,
        keep_programs=train.keep_programs,
        record=settings.nested(config),
    )


def _network(config):
    """The segmentation network with its optimizer."""
    learning_rate = schedules.learning_rate(
        config.optimizer.schedule,
        peak=config.optimizer.learning_rate,
        warmup=config.optimizer.warmup,
        total_steps=settings.total_steps(config),
    )
    optimizer = optax.adam(learning_rate, b1=config.optimizer.b1, b2=config.optimizer.b2)
    return steps.Network(models.build(**config.model), optimizer)


def _adversary(config):
    """The adversarial network with its optimizer and lambda."""
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
    return steps.Adversary(module, optimizer, weight)


def _step_options(config):
    return {
        "weigh": losses.WEIGHTS[config.loss.weights],
        "dice": config.loss.dice,
        "augment": augment.make_augment(augment.Strengths(**config.augment), seed=config.seed),
        "average": config.train.average,
        # The average of a fine-tuned model keeps a share of the model it starts from.
        "fast_start": not config.init,
    }


def _data(config):
    return DataSetup(
        root=config.data.root,
        beside=config.data.synthetic_beside,
        recipe=config.synthetic.to_dict(),
        shares=settings.shares(config.data.datasets),
        rehearsal=settings.rehearsal(config.data.rehearsal),
        size=config.data.size,
        stream=config.data.stream,
        cache=cache_folder(config.data.cache),
    )
