"""Construction and initialisation of the networks (Flax Linen modules), by name."""

import math
import zlib
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jaxtyping import Array, PyTree

from spheroid_jax.models import segmentation, unet
from spheroid_jax.models.adversary import AdversarialNetwork
from spheroid_jax.models.segmentation import SegmentationNetwork
from spheroid_jax.models.unet import UNet

NETWORKS = {"multiscale": SegmentationNetwork, "unet": UNet, "adversary": AdversarialNetwork}
# The values that the field `norm` accepts, by network.
NORMS = {"multiscale": segmentation.NORMS, "unet": unet.NORMS}


def build(name: str, **fields: Any) -> nn.Module:
    """Builds a network.

    Args:
      name: key of `NETWORKS`.
      **fields: the module's fields; `dtype` may be a name ("bfloat16").

    Returns:
      A Linen module.

    Raises:
      ValueError: the name is unknown.
      TypeError: a field is unknown.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; there are {', '.join(NETWORKS)}")
    if "dtype" in fields:
        fields["dtype"] = jnp.dtype(fields["dtype"])
    return NETWORKS[name](**fields)


def initial_variables(module: nn.Module, channels: int, *, seed: int) -> dict[str, PyTree]:
    """Initialises a network: He-normal kernels, biases at 0, scales at 1.

    Mean and deviation are those of `module.init` (whose normal distribution is truncated at two
    deviations), but the values are drawn with NumPy. `module.init` compiles a generator for each
    of 60 kernels, which takes longer than the rest of a start (docs/evidence/performance.md,
    "Starting"), and NumPy gives the same values on every platform.

    Args:
      module: Linen module, as returned by `build`.
      channels: number of channels of the network's input.
      seed: non-negative integer.

    Returns:
      The variables, float32: `params` and, with batch normalisation, `batch_stats`.
    """
    image = jax.ShapeDtypeStruct((1, 64, 64, channels), np.float32)
    shapes = jax.eval_shape(module.init, jax.random.key(0), image)
    return jax.tree.map_with_path(
        lambda path, leaf: _initial(jax.tree_util.keystr(path), leaf, seed), dict(shapes)
    )


def _initial(path: str, leaf: jax.ShapeDtypeStruct, seed: int) -> Array:
    if not path.endswith("['kernel']"):
        fill = 1.0 if path.endswith(("['scale']", "['var']")) else 0.0
        return jnp.full(leaf.shape, fill, leaf.dtype)
    # Each parameter's values depend on its own name and the seed alone.
    rng = np.random.default_rng([seed, zlib.crc32(path.encode())])
    deviation = math.sqrt(2 / math.prod(leaf.shape[:-1]))
    values = rng.standard_normal(leaf.shape, np.float32) * deviation
    return jnp.asarray(values, leaf.dtype)
