"""What changes with the step: lambda, and the learning rate.

Every schedule of lambda, the adversarial loss's weight, takes (step,
total_steps, start, end) and gives float32: `step` is the step counter, 0 for
the first step, an integer or an array; `total_steps` counts the whole
training's; `start` is lambda at step 0, `end` at step `total_steps - 1`.
"""

import optax
from jax import numpy as jnp

# Stairs of `stepped`.
STEPS = 4


def linear_ramp(step, *, total_steps, start=8.3e-6, end=1e-1):
    """Rises linearly with every step (paper, section 2.4)."""
    return start + (end - start) * _fraction(step, total_steps)


def cosine_ramp(step, *, total_steps, start=8.3e-6, end=1e-1):
    """Rises along half a cosine: slowly, fast, slowly."""
    half_turn = jnp.pi * _fraction(step, total_steps)
    return start + (end - start) * (1 - jnp.cos(half_turn)) / 2


def stepped_ramp(step, *, total_steps, start=8.3e-6, end=1e-1):
    """Rises in four stairs of equal length and height."""
    stair = jnp.floor(_fraction(step, total_steps) * STEPS)
    return start + (end - start) * jnp.minimum(stair / (STEPS - 1), 1)


def constant(step, *, total_steps, start=8.3e-6, end=1e-1):
    """Is `end` throughout (which the paper found unstable)."""
    del total_steps, start
    return jnp.full(jnp.shape(step), end, jnp.float32)


# Each `config.adversary.lambda_schedule`.
SCHEDULES = {
    "constant": constant,
    "cosine": cosine_ramp,
    "linear": linear_ramp,
    "stepped": stepped_ramp,
}


LEARNING_RATES = ("constant", "cosine")


def learning_rate(name, *, peak, warmup, total_steps):
    """Chooses the segmentation network's learning rate.

    Args:
      name: "constant" (the paper's), or "cosine": falls along half a cosine
        to 0 at the end of training.
      peak: the largest value.
      warmup: steps in which it rises linearly from 0, before that.
      total_steps: of the whole training.

    Returns:
      A number, or an optax schedule: a function of the step.
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
    """0 at the first step, 1 at the last; a single step is the first."""
    return jnp.asarray(step, jnp.float32) / max(total_steps - 1, 1)
