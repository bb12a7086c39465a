"""What all frameworks are given: the same weights, images and masks."""

import jax
import numpy as np

from spheroid_jax import images, models
from spheroid_jax.inference import model_file
from spheroid_jax.synthetic import spheroids
from spheroid_jax.training import losses

SEED = 0


def variables(network, width, channels=1):
    """Initial variables of a network, as NumPy arrays."""
    module = models.build(network, width=width)
    drawn = models.initial_variables(module, channels, seed=SEED)
    return jax.tree.map(np.asarray, drawn)


def model(network, width, size, dtype="float32"):
    """What `load` would give for a network of initial variables."""
    return model_file.Params.create(
        jax.device_put(variables(network, width)), name=network, size=size, width=width, dtype=dtype
    )


def batch(size, count):
    """A training batch of synthetic spheroids.

    Args:
      size: side of the grid, pixels.
      count: images.

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
    """Returns a batch's mask, boolean, and its weight by equation 1, float32: both (B, H, W)."""
    mask = batch["label"] == images.FOREGROUND
    return mask, np.asarray(losses.balanced_weight(mask, batch["label"] != images.OUTSIDE))
