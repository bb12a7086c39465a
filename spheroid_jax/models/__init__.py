"""The networks, as Flax Linen modules, by name."""

from jax import numpy as jnp

from spheroid_jax.models.adversary import AdversarialNetwork
from spheroid_jax.models.segmentation import SegmentationNetwork
from spheroid_jax.models.unet import UNet

NETWORKS = {
    "multiscale": SegmentationNetwork,
    "unet": UNet,
    "adversary": AdversarialNetwork,
}


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
        raise ValueError(
            f"unknown network {name!r}; there are {', '.join(NETWORKS)}"
        )
    if "dtype" in fields:
        fields["dtype"] = jnp.dtype(fields["dtype"])
    return NETWORKS[name](**fields)
