"""Costs of the networks: number of parameters, arithmetic, and expected training time.

    python -m spheroid_jax.training.costs

prints the table of docs/evidence/paper.md, which has the three networks at the paper's size.
"""

import time

import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax import models

# Assumed arithmetic rate of training, as a share of the rate of one large matrix product. On a CPU,
# narrow networks reach less and the paper's reach more (docs/evidence/performance.md).
_EFFICIENCY = 0.7
_TABLE = (
    ("segmentation network (Adver, Base)", "multiscale", 1),
    ("adversarial network (Adver)", "adversary", 2),
    ("U-net*", "unet", 1),
)


def count(module, size, channels):
    """Counts the parameters and the arithmetic of a network.

    Args:
      module: Linen module, as returned by `models.build`.
      size: side of the grid in pixels.
      channels: number of input channels.

    Returns:
      The number of parameters, and the number of floating-point operations in the forward pass of
      one image, as counted by XLA (a multiplication and an addition are two operations).
    """
    image = jax.ShapeDtypeStruct((1, size, size, channels), np.float32)
    variables = jax.eval_shape(module.init, jax.random.key(0), image)
    parameters = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(variables["params"]))
    # Lowered for a GPU, which need not be there: on a CPU, this package computes convolutions with
    # fewer operations than their definition has.
    traced = jax.jit(module.apply).trace(variables, image)
    analysis = traced.lower(lowering_platforms=("cuda",)).cost_analysis() or {}
    return parameters, analysis["flops"]


def expected_seconds(flops):
    """Estimates, within a factor of two, how long arithmetic takes on this machine.

    The rate of matrix products is measured first, which takes less than a second.

    Args:
      flops: number of floating-point operations in training steps.

    Returns:
      Time in seconds.
    """
    n = 1024
    x = jnp.ones((n, n))
    product = jax.jit(jnp.matmul)
    product(x, x).block_until_ready()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        product(x, x).block_until_ready()
        times.append(time.perf_counter() - start)
    rate = 2 * n**3 / np.median(times)
    return flops / (_EFFICIENCY * rate)


def table(size=480):
    """Returns the table of docs/evidence/paper.md, as Markdown."""
    lines = ["| network | parameters | GFLOP, one image forward |", "|---|---|---|"]
    for title, name, channels in _TABLE:
        parameters, flops = count(models.build(name), size, channels)
        lines.append(f"| {title} | {parameters:,} | {flops / 1e9:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
