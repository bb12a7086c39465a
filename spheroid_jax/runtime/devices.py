"""Data-parallel sharding of batches over several devices."""

from typing import NamedTuple

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from spheroid_jax.errors import UserError

_AXIS = "data"


class DeviceError(UserError, ValueError):
    """A number of devices that cannot share the batch; the message says why."""


class Placement(NamedTuple):
    """Shardings of the arrays of a training.

    Attributes:
      everywhere: sharding with a copy on each device, for the training state and the metrics.
      shared: sharding that splits the second axis, for stacked batches (steps, B, ...).
    """

    everywhere: NamedSharding
    shared: NamedSharding


def share_batch(batch_size, count=0):
    """Chooses the devices that share a batch.

    Each device computes the gradient of its part of the batch, and XLA adds the gradients. Up to
    rounding, the result is the same as on one device with the whole batch.

    Args:
      batch_size: number of images in a batch.
      count: number of devices; 0 for as many as there are and divide the batch.

    Returns:
      `Placement`, or None for one device.

    Raises:
      DeviceError: there are fewer devices, or their number does not divide the batch.
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
    """Returns how many of the available devices share a batch; see `share_batch`."""
    if count == 0:
        count = next(n for n in range(available, 0, -1) if batch_size % n == 0)
    if count > available or batch_size % count:
        raise DeviceError(
            f"config.train.devices = {count}: there are {available}, and they "
            f"must divide the batch of {batch_size}"
        )
    return count
