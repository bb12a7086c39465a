"""Costs of the networks: number of parameters, arithmetic, and expected training time.

    python -m spheroid_jax.training.costs

prints the table in docs/evidence/paper.md: the three networks at the paper's image size.
"""

import time

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp

from spheroid_jax import models

# Assumed arithmetic rate of training, as a share of the rate of one large matrix product. On a CPU,
# narrow networks are slower and the paper's networks are faster (docs/evidence/performance.md).
_EFFICIENCY = 0.7
_TABLE = (
    ("segmentation network (Adver, Base)", "multiscale", 1),
    ("adversarial network (Adver)", "adversary", 2),
    ("U-net*", "unet", 1),
)


def count(module: nn.Module, size: int, channels: int) -> tuple[int, float]:
    """Counts the parameters and the arithmetic of a network.

    Args:
      module: Linen module, as returned by `models.build`.
      size: side of the grid in pixels.
      channels: number of input channels.

    Returns:
      The number of parameters, and the number of floating-point operations in the forward pass of
      one image. XLA counts them; a multiplication and an addition are two operations.
    """
    image = jax.ShapeDtypeStruct((1, size, size, channels), np.float32)
    variables = jax.eval_shape(module.init, jax.random.key(0), image)
    parameters = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(variables["params"]))
    # Lowered for a GPU, even where there is none, because on a CPU this package computes
    # convolutions with fewer operations than their definition has.
    traced = jax.jit(module.apply).trace(variables, image)
    analysis = traced.lower(lowering_platforms=("cuda",)).cost_analysis() or {}
    return parameters, analysis["flops"]


def expected_seconds(flops: float) -> float:
    """Estimates, within a factor of two, how long training steps take on this machine.

    The function measures the rate of matrix products, which takes less than a second.

    Args:
      flops: number of floating-point operations in the training steps.

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


def table(size: int = 480) -> str:
    """Returns the table in docs/evidence/paper.md as Markdown, for images of `size` x `size` px."""
    lines = ["| network | parameters | GFLOP, one image forward |", "|---|---|---|"]
    for title, name, channels in _TABLE:
        parameters, flops = count(models.build(name), size, channels)
        lines.append(f"| {title} | {parameters:,} | {flops / 1e9:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
