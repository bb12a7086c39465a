"""Schedules of the learning rate and of lambda, the weight of the adversarial loss.

Every schedule of lambda has the same arguments and returns float32:

    step: the step counter, an integer or an array of integers; 0 for the first step
    total_steps: number of steps of the whole training
    start: lambda at step 0
    end: lambda at step total_steps - 1
"""

import optax
from jax import numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

# Number of stairs of `stepped_ramp`.
STEPS = 4

Steps = Int[ArrayLike, "..."]
Lambda = Float[Array, "..."]


def linear_ramp(
    step: Steps, *, total_steps: int, start: float = 8.3e-6, end: float = 1e-1
) -> Lambda:
    """Lambda that rises linearly from `start` to `end` (paper, section 2.4)."""
    return start + (end - start) * _fraction(step, total_steps)


def cosine_ramp(
    step: Steps, *, total_steps: int, start: float = 8.3e-6, end: float = 1e-1
) -> Lambda:
    """Lambda that rises from `start` to `end` along half a cosine wave."""
    half_turn = jnp.pi * _fraction(step, total_steps)
    return start + (end - start) * (1 - jnp.cos(half_turn)) / 2


def stepped_ramp(
    step: Steps, *, total_steps: int, start: float = 8.3e-6, end: float = 1e-1
) -> Lambda:
    """Lambda that rises from `start` to `end` in four stairs of equal length and height."""
    stair = jnp.floor(_fraction(step, total_steps) * STEPS)
    return start + (end - start) * jnp.minimum(stair / (STEPS - 1), 1)


def constant(step: Steps, *, total_steps: int, start: float = 8.3e-6, end: float = 1e-1) -> Lambda:
    """Lambda that is always `end`; the paper found such training unstable (section 2.4)."""
    del total_steps, start
    return jnp.full(jnp.shape(step), end, jnp.float32)


# The values that `config.adversary.lambda_schedule` can have.
SCHEDULES = {
    "constant": constant,
    "cosine": cosine_ramp,
    "linear": linear_ramp,
    "stepped": stepped_ramp,
}

# The values that `config.optimizer.schedule` can have.
LEARNING_RATES = ("constant", "cosine")


def learning_rate(
    name: str, *, peak: float, warmup: int, total_steps: int
) -> float | optax.Schedule:
    """Returns the learning rate of the segmentation network.

    Args:
      name: "constant" as in the paper, or "cosine", which falls to 0 at the end of training along
        half a cosine wave.
      peak: the largest learning rate.
      warmup: number of steps at the beginning in which the learning rate rises linearly from 0.
      total_steps: number of steps of the whole training, warm-up included.

    Returns:
      A number, or an optax schedule (a function of the step).
    """
    if name == "constant" and not warmup:
        return peak
    after = optax.constant_schedule(peak)
    if name == "cosine":
        after = optax.cosine_decay_schedule(peak, total_steps - warmup)
    if not warmup:
        return after
    rise = optax.linear_schedule(0.0, peak, warmup)
    return optax.join_schedules([rise, after], [warmup])


def _fraction(step, total_steps):
    """Returns the share of training that is over: 0 at the first step, 1 at the last."""
    return jnp.asarray(step, jnp.float32) / max(total_steps - 1, 1)
