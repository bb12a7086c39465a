"""Resolution of a config into networks, optimizers, training step and plan.

No other module reads a config: `training.fold` takes the `Setup` made here, and the functions that
it calls take named values.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import jax
import optax
from ml_collections import ConfigDict

from spheroid_jax import models
from spheroid_jax.data import crops, source
from spheroid_jax.data.dataset import open_dataset
from spheroid_jax.evaluation import grid_scores
from spheroid_jax.inference.model_file import Params
from spheroid_jax.runtime.cache import folder as cache_folder
from spheroid_jax.training import augment, finetune, loop, losses, schedules, settings, steps
from spheroid_jax.workdir import Workdir

# Steps per dispatch by platform. An accelerator takes several, because its steps are short.
_PER_DISPATCH = {"cpu": 1}
_PER_DISPATCH_ELSEWHERE = 10


class DataSetup(NamedTuple):
    """The images of a run, and how samples are drawn from them.

    Attributes:
      root: path of the data root, or `source.SYNTHETIC`.
      beside: whether drawn datasets are added to those of the data root.
      recipe: keyword arguments of `synthetic.data_root.write_data_root`.
      shares: dict from dataset to its share of the samples.
      crop: `crops.Recipe` of the crops that are added to the images of the root, or None.
      rehearsal: names of the datasets on which fine-tuning must not get worse.
      size: side of the grid in pixels.
      markers: whether the labels have the markers of the bodies.
      stream: "tf" or "numpy".
      cache: the cache folder.
    """

    root: str
    beside: bool
    recipe: dict
    crop: crops.Recipe | None
    shares: dict
    rehearsal: list
    size: int
    markers: bool
    stream: str
    cache: pathlib.Path

    def open(self, workdir):
        """Opens the images for a work directory; draws synthetic images that do not exist yet.

        Args:
          workdir: `Workdir`, which holds the partitions.

        Returns:
          `data.dataset.Dataset`.

        Raises:
          UserError: the data root cannot be used; the message names all problems.
        """
        root = source.open_root(
            self.root, self.cache, self.recipe, beside=self.beside, crop=self.crop
        )
        shares = source.choose_datasets(root, self.shares)
        finetune.check_datasets(shares, self.rehearsal)
        return open_dataset(
            root,
            shares,
            size=self.size,
            markers=self.markers,
            stream=self.stream,
            cache=self.cache,
            workdir=workdir,
        )


class Setup(NamedTuple):
    """The config of a run, resolved.

    Attributes:
      name: name of the config, from which the default work directory gets its name.
      seed: seed of the initial parameters and of the samples.
      init: folder or name of the model that training starts from; "" for none.
      network: `steps.Network` that segments.
      network_fields: keyword arguments of `models.build` that make the module of `network`.
      flips: whether the trained model averages its output over the flips of an image.
      adversary: `steps.Adversary`, or None.
      step_options: keyword arguments of `steps.make_train_step`.
      data: `DataSetup`.
      batch_size: images per step.
      devices: number of devices that share a batch; 0 for as many as divide the batch.
      total_steps: steps of the whole training.
      steps_per_dispatch: steps per call of the compiled program; 0 for the platform's default.
      validate_every: steps between validations.
      log_every: steps between records of the training metrics.
      rehearsal_margin: how much lower than the initial model's the score on each rehearsal
        datasets may be.
      keep_last: whether the model is that of the last checkpoint instead of the best.
      keep_programs: whether compiled programs are kept in the cache folder.
      record: the config as nested dicts, for the files that record it.
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
    keep_last: bool
    keep_programs: bool
    record: dict[str, Any]

    def plan(self):
        """Returns the `loop.Plan`, which depends on JAX's default platform."""
        per_dispatch = self.steps_per_dispatch
        if per_dispatch == 0:
            platform = jax.devices()[0].platform
            per_dispatch = _PER_DISPATCH.get(platform, _PER_DISPATCH_ELSEWHERE)
        return loop.Plan(self.total_steps, per_dispatch, self.validate_every, self.log_every)

    def train_step(self):
        """Returns the pure training step."""
        return steps.make_train_step(self.network, self.adversary, **self.step_options)

    def initial_model(self):
        """Loads the `finetune.Initial` that training starts from; None for training from scratch.

        Raises:
          FileNotFoundError: there is no such model.
          UserError: the model has another network or grid than the config.
        """
        if not self.init:
            return None
        return finetune.load(self.init, size=self.data.size, model=self.network_fields)

    def initial_state(self, initial=None):
        """Returns the `steps.TrainState` at step 0.

        Args:
          initial: `finetune.Initial`, or None for random parameters.
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
        """Returns the function that ranks checkpoints by their validation scores.

        Args:
          before: validation scores of the initial model by dataset; None for training from
            scratch.
        """
        if self.keep_last:
            return lambda scores: 0.0  # Of equally good checkpoints, the last is the best.
        if not self.data.rehearsal:
            return grid_scores.mean_over_datasets
        return finetune.criterion(
            before, rehearsal=self.data.rehearsal, margin=self.rehearsal_margin
        )


def resolve(config, workdir):
    """Checks a config and resolves it.

    Args:
      config: `ConfigDict`, or None for the config that the work directory holds.
      workdir: path of the work directory; None if `config` is given.

    Returns:
      `Setup`.

    Raises:
      settings.ConfigError: both are None, or a value is bad.
      FileNotFoundError: the work directory holds no config.
    """
    if config is None:
        config = _stored_config(workdir)
    settings.check(config)
    total_steps = settings.total_steps(config)
    train = config.train
    return Setup(
        name=config.name,
        seed=config.seed,
        init=config.init,
        network=_network(config, total_steps),
        network_fields=config.model.to_dict(),
        flips=config.inference.flips,
        adversary=None if config.adversary is None else _adversary(config.adversary, total_steps),
        step_options=_step_options(config),
        data=_data(config),
        batch_size=train.batch_size,
        devices=train.devices,
        total_steps=total_steps,
        steps_per_dispatch=train.steps_per_dispatch,
        validate_every=train.validate_every,
        log_every=train.log_every,
        rehearsal_margin=train.rehearsal_margin,
        keep_last=train.get("keep", "best") == "last",
        keep_programs=train.keep_programs,
        record=settings.nested(config),
    )


def _stored_config(workdir):
    """Reads the config of a work directory."""
    if workdir is None:
        raise settings.ConfigError("give --config=configs/NAME.py, or a --workdir")
    return ConfigDict(Workdir(workdir).read_config())


def _network(config, total_steps):
    """Builds the segmentation network and its optimizer."""
    learning_rate = schedules.learning_rate(
        config.optimizer.schedule,
        peak=config.optimizer.learning_rate,
        warmup=config.optimizer.warmup,
        total_steps=total_steps,
    )
    optimizer = optax.adam(learning_rate, b1=config.optimizer.b1, b2=config.optimizer.b2)
    return steps.Network(models.build(**config.model), optimizer)


def _adversary(adversary, total_steps):
    """Builds the adversarial network, its optimizer and the schedule of lambda."""
    module = models.build(
        "adversary", width=adversary.width, depth=adversary.depth, dtype=adversary.dtype
    )
    optimizer = optax.adam(adversary.learning_rate, b1=adversary.b1, b2=adversary.b2)
    weight = functools.partial(
        schedules.SCHEDULES[adversary.lambda_schedule],
        total_steps=total_steps,
        start=adversary.lambda_start,
        end=adversary.lambda_end,
    )
    return steps.Adversary(module, optimizer, weight)


def _step_options(config):
    return {
        "weigh": losses.WEIGHTS[config.loss.weights],
        "dice": config.loss.dice,
        "marker": config.loss.marker,
        "core": config.loss.core,
        "augment": augment.make_augment(augment.Strengths(**config.augment), seed=config.seed),
        "average": config.train.average,
        # The average of a fine-tuned model keeps a share of the model it starts from.
        "fast_start": not config.init,
    }


def _crop(config):
    if not config.data.crops:
        return None
    return crops.Recipe(config.data.crops, config.synthetic.size, config.synthetic.seed)


def _data(config):
    return DataSetup(
        root=config.data.root,
        beside=config.data.synthetic_beside,
        recipe=config.synthetic.to_dict(),
        crop=_crop(config),
        shares=settings.shares(config.data.datasets),
        rehearsal=settings.rehearsal(config.data.rehearsal),
        size=config.data.size,
        markers=config.loss.marker > 0,
        stream=config.data.stream,
        cache=cache_folder(config.data.cache),
    )
