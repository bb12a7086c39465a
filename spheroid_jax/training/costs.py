"""What the networks cost: parameters, arithmetic, and the time to expect.

    python -m spheroid_jax.training.costs

prints the table of docs/evidence/paper.md: the three models at the paper's size.
"""

import time

import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax import models

# Share of the matrix-product rate that training is taken to reach: between
# narrow networks and the paper's, on a CPU (docs/evidence/performance.md).
_EFFICIENCY = 0.7
_TABLE = (
    ("segmentation network (Adver, Base)", "multiscale", 1),
    ("adversarial network (Adver)", "adversary", 2),
    ("U-net*", "unet", 1),
)


def count(module, size, channels):
    """Counts a network's parameters and arithmetic.

    Args:
      module: of `models.build`.
      size: side of the grid in pixels.
      channels: of the input.

    Returns:
      parameters, and floating-point operations (a multiplication and an
      addition are two) of one image's forward pass, as XLA counts them.
    """
    image = jax.ShapeDtypeStruct((1, size, size, channels), np.float32)
    variables = jax.eval_shape(module.init, jax.random.key(0), image)
    parameters = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(variables["params"]))
    # Lowered for a GPU (which need not be there): for the CPU convolutions are
    # rewritten to take fewer operations than the networks' definition.
    traced = jax.jit(module.apply).trace(variables, image)
    analysis = traced.lower(lowering_platforms=("cuda",)).cost_analysis()
    return parameters, analysis["flops"]


def expected_seconds(flops):
    """Guesses, to a factor of two, how long training arithmetic takes here.

    Args:
      flops: floating-point operations.

    Returns:
      Seconds, by the matrix-product rate measured now (under a second).
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
    """The table of docs/evidence/paper.md, as Markdown."""
    lines = ["| network | parameters | GFLOP, one image forward |", "|---|---|---|"]
    for title, name, channels in _TABLE:
        parameters, flops = count(models.build(name), size, channels)
        lines.append(f"| {title} | {parameters:,} | {flops / 1e9:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
