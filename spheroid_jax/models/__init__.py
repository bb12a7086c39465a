"""The networks, as Flax Linen modules, by name."""

import math
import zlib

import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax.models import segmentation, unet
from spheroid_jax.models.adversary import AdversarialNetwork
from spheroid_jax.models.segmentation import SegmentationNetwork
from spheroid_jax.models.unet import UNet

NETWORKS = {"multiscale": SegmentationNetwork, "unet": UNet, "adversary": AdversarialNetwork}
# What `norm` can be.
NORMS = {"multiscale": segmentation.NORMS, "unet": unet.NORMS}


def build(name, **fields):
    """Builds a network.

    Args:
      name: a key of `NETWORKS`.
      **fields: the module's fields; `dtype` may be a name ("bfloat16").

    Returns:
      A Linen module.

    Raises:
      ValueError: an unknown name.
      TypeError: an unknown field.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; there are {', '.join(NETWORKS)}")
    if "dtype" in fields:
        fields["dtype"] = jnp.dtype(fields["dtype"])
    return NETWORKS[name](**fields)


def initial_variables(module, channels, *, seed):
    """Initialises a network: kernels after He, as the modules declare.

    Mean and deviation are those of `module.init` (whose normal distribution
    is truncated at two deviations), but the values are drawn with NumPy:
    `module.init` compiles a generator for each of 60 kernels, which takes
    longer than the rest of a start (docs/evidence/performance.md, "Starting"), and
    this gives the same values on every platform.

    Args:
      module: of `build`.
      channels: of the input.
      seed: non-negative integer.

    Returns:
      The variables (`params` and, if any, `batch_stats`), float32.
    """
    image = jax.ShapeDtypeStruct((1, 64, 64, channels), np.float32)
    shapes = jax.eval_shape(module.init, jax.random.key(0), image)
    return jax.tree.map_with_path(
        lambda path, leaf: _initial(jax.tree_util.keystr(path), leaf, seed), dict(shapes)
    )


def _initial(path, leaf, seed):
    if not path.endswith("['kernel']"):
        fill = 1.0 if path.endswith(("['scale']", "['var']")) else 0.0
        return jnp.full(leaf.shape, fill, leaf.dtype)
    # Each parameter's values depend on its own name and the seed alone.
    rng = np.random.default_rng([seed, zlib.crc32(path.encode())])
    deviation = math.sqrt(2 / math.prod(leaf.shape[:-1]))
    values = rng.standard_normal(leaf.shape, np.float32) * deviation
    return jnp.asarray(values, leaf.dtype)
