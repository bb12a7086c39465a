"""Log lines before training: what is trained, on which data, and for how long."""

import os

import jax
from absl import logging

from spheroid_jax.data import source
from spheroid_jax.training import costs
from spheroid_jax.training.progress import duration

# Forward passes that one step costs; a backward pass costs as much as two forward passes. The
# adversary goes forward and backward three times: over real and fake for its own update, and over
# fake for the update of the segmentation network.
_ADVERSARY_PASSES = 9
_SEGMENTATION_PASSES = 3
_LONG_S = 30 * 60


def training(setup, number, workdir):
    """Logs the name of the run, its data, its length and the expected time.

    Args:
      setup: `setup.Setup`.
      number: number of the fold.
      workdir: `Workdir`.
    """
    logging.info("%s, fold %d, into %s", setup.name, number, workdir.path)
    if setup.init:
        logging.info("Starting from the model %s", setup.init)
    if setup.data.root == source.SYNTHETIC:
        logging.info(
            "Data: synthetic spheroids, drawn by this package. To train on your own images and "
            "masks, add --config.data.root=DIR"
        )
    else:
        logging.info("Data: %s", setup.data.root)
    _log_cost(setup)


def _log_cost(setup):
    parameters, flops = costs.count(setup.network.module, setup.data.size, channels=1)
    flops *= _SEGMENTATION_PASSES
    if setup.adversary is not None:
        _, more = costs.count(setup.adversary.module, setup.data.size, channels=2)
        flops += _ADVERSARY_PASSES * more
    seconds = costs.expected_seconds(setup.total_steps * setup.batch_size * flops)
    device = jax.devices()[0]
    cores = f", {os.cpu_count()} cores" if device.platform == "cpu" else ""
    logging.info(
        "%d steps of %d image(s) of %d x %d px, %.1f M parameters: roughly %s on this machine "
        "(%s%s)",
        *(setup.total_steps, setup.batch_size, setup.data.size, setup.data.size),
        *(parameters / 1e6, duration(seconds), device.device_kind, cores),
    )
    if device.platform == "cpu" and seconds > _LONG_S:
        logging.info(
            "To train faster on a CPU, add --config.model.width=16 --config.data.size=240 "
            "--config.train.epochs=1 --config.train.samples_per_epoch=1500, or take "
            "--config=configs/demo.py"
        )
