"""The weight lambda of the adversarial loss as a function of the step."""

from jax import numpy as jnp


def linear_ramp(step, *, total_steps, start=8.3e-6, end=1e-1):
    """Rises linearly with every step (paper, section 2.4).

    Args:
      step: the step counter, 0 for the first step; an integer or an array.
      total_steps: steps of the whole training, at least 2; the last one gets
        `end`.
      start: lambda at step 0.
      end: lambda at step `total_steps - 1`.

    Returns:
      Lambda, float32.
    """
    fraction = jnp.asarray(step, jnp.float32) / max(total_steps - 1, 1)
    return start + (end - start) * fraction
