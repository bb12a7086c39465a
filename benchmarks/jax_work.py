"""Benchmark tasks in spheroid_jax; each function prepares one task for `workers.Worker`."""

import functools

import jax
import numpy as np
import optax

from benchmarks import inputs
from configs import adver
from spheroid_jax import models
from spheroid_jax.inference import predict
from spheroid_jax.runtime import compilation
from spheroid_jax.training import losses, schedules, steps


def forward(*, network, width, size, count, dtype="float32"):
    """Prepares inference; the task returns foreground probabilities (B, S, S)."""
    model = inputs.model(network, width, size, dtype)
    grids = jax.device_put(inputs.batch(size, count)["image"])
    return lambda: np.asarray(predict.grid_probability(model, grids))


def gradient(*, network, width, size, count, dtype="float32", remat=False):
    """Prepares a forward and a backward pass; the task returns the first layer's gradient."""
    module = models.build(network, width=width, dtype=dtype, remat=remat)
    variables = jax.device_put(inputs.variables(network, width))
    batch = inputs.batch(size, count)
    image, mask, weight = jax.device_put((batch["image"], *inputs.truth(batch)))

    @compilation.jit
    def loss_gradient(variables, image, mask, weight):
        def loss(variables):
            logits = module.apply(variables, image[..., np.newaxis])
            return losses.weighted_cross_entropy(logits, mask, weight)

        return jax.grad(loss)(variables)

    def run():
        gradient = jax.block_until_ready(loss_gradient(variables, image, mask, weight))
        return np.asarray(gradient["params"]["down_1"]["conv"]["kernel"])

    return run


def step(*, width, size, count, dtype="float32", remat=False, warm=2):
    """Prepares a training step after `warm` steps; the task returns the losses."""
    both = networks(width, dtype, remat)
    state = steps.init_state(*both, seed=inputs.SEED)
    batch = inputs.batch(size, count)
    batches = jax.device_put({k: v[np.newaxis] for k, v in batch.items()})
    run_steps = steps.make_run_steps(steps.make_train_step(*both))

    def run():
        nonlocal state
        state, metrics = run_steps(state, batches)
        metrics = jax.device_get(metrics)
        names = ("cross_entropy", "adversarial_loss", "segmentation_loss")
        return np.array([metrics[name][0] for name in names])

    for _ in range(warm):
        run()
    return run


def networks(width, dtype, remat):
    """Returns the paper's `Network` and `Adversary`, without importing all of the training loop."""
    config = adver.get_config()
    network = models.build("multiscale", width=width, dtype=dtype, remat=remat)
    adam, judge = config.optimizer, config.adversary
    module = models.build("adversary", width=judge.width, dtype=dtype)
    weight = functools.partial(
        schedules.linear_ramp, total_steps=config.train.epochs * config.train.samples_per_epoch
    )
    return (
        steps.Network(network, optax.adam(adam.learning_rate, b1=adam.b1, b2=adam.b2)),
        steps.Adversary(module, optax.adam(judge.learning_rate, b1=judge.b1, b2=judge.b2), weight),
    )
