"""Inputs of the benchmarks: the same weights, images and masks for all frameworks."""

import jax
import numpy as np

from spheroid_jax import images, models
from spheroid_jax.inference import model_file
from spheroid_jax.synthetic import spheroids
from spheroid_jax.training import losses

SEED = 0


def variables(network, width, channels=1):
    """Returns initial variables of a network as NumPy arrays."""
    module = models.build(network, width=width)
    drawn = models.initial_variables(module, channels, seed=SEED)
    return jax.tree.map(np.asarray, drawn)


def model(network, width, size, dtype="float32"):
    """Returns the `Params` of an untrained network."""
    return model_file.Params.create(
        jax.device_put(variables(network, width)), name=network, size=size, width=width, dtype=dtype
    )


def batch(size, count):
    """Makes a training batch of synthetic spheroids.

    Args:
      size: side of the grid in pixels.
      count: number of images.

    Returns:
      dict of `image` (B, H, W), float32, and `label` (B, H, W), uint8.
    """
    pairs = [spheroids.make_image("easy", n, size=240) for n in range(count)]
    grids = [images.preprocess(image, size)[0] for image, _ in pairs]
    labels = [images.mask_to_grid(mask, size) for _, mask in pairs]
    return {
        "image": np.stack(grids),
        "label": np.stack(labels),
    }


def truth(batch):
    """Returns a batch's boolean mask and its float32 weight by equation 1, both (B, H, W)."""
    mask = batch["label"] == images.FOREGROUND
    return mask, np.asarray(losses.balanced_weight(mask, batch["label"] != images.OUTSIDE))
