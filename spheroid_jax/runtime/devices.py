"""Several devices that share each batch (data parallelism)."""

from typing import NamedTuple

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from spheroid_jax.errors import UserError

_AXIS = "data"


class DeviceError(UserError, ValueError):
    """A batch cannot be shared as asked; the message says why."""


class Placement(NamedTuple):
    """Where a training's arrays lie.

    Attributes:
      everywhere: a copy on each device: the training state, the metrics.
      shared: split along the second axis: stacked batches (steps, B, ...).
    """

    everywhere: NamedSharding
    shared: NamedSharding


def share_batch(batch_size, count=0):
    """Chooses the devices that share a batch.

    Each computes the gradient of its part; XLA sums them where the step's
    mathematics does, so the result is that of one device with the whole
    batch, up to rounding.

    Args:
      batch_size: images in a batch.
      count: how many devices; 0: as many as there are and divide the batch.

    Returns:
      `Placement`, or None for one device.

    Raises:
      DeviceError: there are fewer devices, or they do not divide the batch.
    """
    count = sharing(batch_size, count, jax.local_device_count())
    if count == 1:
        return None
    mesh = jax.make_mesh(
        (count,), (_AXIS,), axis_types=(AxisType.Auto,), devices=jax.local_devices()[:count]
    )
    return Placement(
        NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec(None, _AXIS))
    )


def sharing(batch_size, count, available):
    """How many of the available devices share a batch; see `share_batch`."""
    if count == 0:
        count = next(n for n in range(available, 0, -1) if batch_size % n == 0)
    if count > available or batch_size % count:
        raise DeviceError(
            f"config.train.devices = {count}: there are {available}, and they "
            f"must divide the batch of {batch_size}"
        )
    return count
